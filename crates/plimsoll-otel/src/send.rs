//! What is left to do at the end of a run: both signals at once, in a time that is never longer than what is given.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message as _;

use crate::post::post;
use crate::recording::{Finished, Recording};
use crate::settings::{Settings, Signal, Target};

/// Sends all of it. Returns what to say if something was not taken.
pub(crate) async fn all(settings: &Settings, recording: Recording, at_most: Duration) -> Option<String> {
    let finished = recording.finish();
    let (traces, metrics) = tokio::join!(
        traces(settings.traces.as_ref(), &finished, at_most),
        metrics(settings, &finished, at_most)
    );
    let troubles = [(Signal::Traces, traces), (Signal::Metrics, metrics)];
    let troubles = troubles.into_iter().filter_map(|(signal, result)| Some((signal, result.err()?)));
    sentence(&troubles.collect::<Vec<_>>())
}

/// One sentence, whatever happened: what is the same for both is said once.
fn sentence(troubles: &[(Signal, String)]) -> Option<String> {
    match troubles {
        [] => None,
        [(one, why), (other, same)] if why == same => {
            Some(format!("{} and {} were not sent {why}", one.name(), other.name()))
        }
        several => {
            let words: Vec<_> = several
                .iter()
                .map(|(signal, why)| format!("{} were not sent {why}", signal.name()))
                .collect();
            Some(words.join("; "))
        }
    }
}

async fn traces(target: Option<&Target>, finished: &Finished, at_most: Duration) -> Result<(), String> {
    let Some(target) = target.filter(|_| !finished.spans.is_empty()) else { return Ok(()) };
    let spans = ScopeSpans { scope: Some(scope()), spans: finished.spans.clone(), ..ScopeSpans::default() };
    let resource = Some(finished.resource.clone());
    let spans = ResourceSpans { resource, scope_spans: vec![spans], ..ResourceSpans::default() };
    let request = ExportTraceServiceRequest { resource_spans: vec![spans] };
    let answer = within(target, request.encode_to_vec(), at_most).await?;
    let refused = ExportTraceServiceResponse::decode(answer.as_slice()).ok();
    taken(target, refused.and_then(|it| it.partial_success).map_or(0, |part| part.rejected_spans))
}

async fn metrics(settings: &Settings, finished: &Finished, at_most: Duration) -> Result<(), String> {
    let Some(target) = &settings.metrics else { return Ok(()) };
    let metrics = finished.measured.metrics(settings.temporality);
    let metrics = ScopeMetrics { scope: Some(scope()), metrics, ..ScopeMetrics::default() };
    let resource = Some(finished.resource.clone());
    let metrics = ResourceMetrics { resource, scope_metrics: vec![metrics], ..ResourceMetrics::default() };
    let request = ExportMetricsServiceRequest { resource_metrics: vec![metrics] };
    let answer = within(target, request.encode_to_vec(), at_most).await?;
    let refused = ExportMetricsServiceResponse::decode(answer.as_slice()).ok();
    taken(target, refused.and_then(|it| it.partial_success).map_or(0, |part| part.rejected_data_points))
}

async fn within(target: &Target, body: Vec<u8>, at_most: Duration) -> Result<Vec<u8>, String> {
    let limit = target.timeout.map_or(at_most, |timeout| timeout.min(at_most));
    post(target, body, limit).await.map_err(|why| format!("to `{}`: {why}", target.origin()))
}

/// A collector may take some and refuse the rest. Its own words are not passed on: they may quote what was sent.
fn taken(target: &Target, refused: i64) -> Result<(), String> {
    if refused > 0 {
        return Err(format!("as a whole to `{}`: {refused} were refused", target.origin()));
    }
    Ok(())
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "plimsoll".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        ..InstrumentationScope::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_sentence_whatever_happened() {
        let gone = || "to `http://o`: refused".to_owned();
        assert_eq!(sentence(&[]), None);
        let both = sentence(&[(Signal::Traces, gone()), (Signal::Metrics, gone())]).unwrap();
        assert_eq!(both, "traces and metrics were not sent to `http://o`: refused");
        let two = sentence(&[(Signal::Traces, gone()), (Signal::Metrics, "to `http://m`: late".into())]);
        assert_eq!(
            two.unwrap(),
            "traces were not sent to `http://o`: refused; metrics were not sent to `http://m`: late"
        );
    }
}
