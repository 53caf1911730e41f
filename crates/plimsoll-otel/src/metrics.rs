//! The numbers of a run. docs/telemetry.md lists them.

use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum, metric::Data,
    number_data_point::Value,
};

use crate::attributes::text;
use crate::settings::Temporality;
use crate::spans::Step;

/// Seconds that tell a run without work from one with it, and a wait from a long one.
const BOUNDS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0];

/// For how long was waited, and for what.
#[derive(Debug, Default)]
pub(crate) struct Waits(Vec<(&'static str, Duration)>);

impl Waits {
    /// This step took so long.
    pub(crate) fn add(&mut self, step: Step, took: Duration) {
        let what = match step {
            Step::Wait => "database",
            Step::Lock => "lock",
            Step::Ahead => "ahead",
            Step::Await => "migrations",
            Step::Run | Step::Migration | Step::Connect => return,
        };
        match self.0.iter_mut().find(|(known, _)| *known == what) {
            Some((_, sum)) => *sum += took,
            None => self.0.push((what, took)),
        }
    }
}

/// What a run has measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Nanoseconds since 1970.
    pub(crate) begun: u64,
    pub(crate) ended: u64,
    pub(crate) command: &'static str,
    pub(crate) outcome: &'static str,
    /// The code, if it failed.
    pub(crate) error: Option<&'static str>,
    pub(crate) database: Vec<KeyValue>,
    pub(crate) waits: Waits,
    pub(crate) applied: usize,
}

impl Measured {
    /// The same as metrics.
    pub(crate) fn metrics(&self, temporality: Temporality) -> Vec<Metric> {
        let took = Duration::from_nanos(self.ended.saturating_sub(self.begun));
        let mut outcome = vec![text("plimsoll.outcome", self.outcome)];
        outcome.extend(self.error.map(|code| text("error.type", code)));
        let waits = self.waits.0.iter();
        let waits = waits.map(|(what, took)| self.point(vec![text("plimsoll.wait.for", *what)], *took));
        let temporality = match temporality {
            Temporality::Cumulative => AggregationTemporality::Cumulative,
            Temporality::Delta => AggregationTemporality::Delta,
        };
        let histogram = |data_points| {
            Data::Histogram(Histogram { data_points, aggregation_temporality: temporality.into() })
        };
        let applied = Sum {
            data_points: vec![self.count(self.applied)],
            aggregation_temporality: temporality.into(),
            is_monotonic: true,
        };
        let mut metrics = vec![
            metric(
                "plimsoll.run.duration",
                "s",
                "How long runs took, by how they ended",
                histogram(vec![self.point(outcome, took)]),
            ),
            metric(
                "plimsoll.migrations.applied",
                "{migration}",
                "Migrations that were applied",
                Data::Sum(applied),
            ),
        ];
        if !self.waits.0.is_empty() {
            let points = histogram(waits.collect());
            metrics.push(metric("plimsoll.wait.duration", "s", "How long runs waited, and for what", points));
        }
        metrics
    }

    fn attributes(&self, more: Vec<KeyValue>) -> Vec<KeyValue> {
        let mut attributes = vec![text("plimsoll.command", self.command)];
        attributes.extend(self.database.iter().cloned());
        attributes.extend(more);
        attributes
    }

    fn count(&self, count: usize) -> NumberDataPoint {
        NumberDataPoint {
            attributes: self.attributes(Vec::new()),
            start_time_unix_nano: self.begun,
            time_unix_nano: self.ended,
            value: Some(Value::AsInt(i64::try_from(count).unwrap_or(i64::MAX))),
            ..NumberDataPoint::default()
        }
    }

    /// One value in a histogram.
    fn point(&self, more: Vec<KeyValue>, took: Duration) -> HistogramDataPoint {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        HistogramDataPoint {
            attributes: self.attributes(more),
            start_time_unix_nano: self.begun,
            time_unix_nano: self.ended,
            count: 1,
            sum: Some(seconds),
            bucket_counts: (0..=BOUNDS.len()).map(|index| u64::from(index == bucket)).collect(),
            explicit_bounds: BOUNDS.to_vec(),
            min: Some(seconds),
            max: Some(seconds),
            ..HistogramDataPoint::default()
        }
    }
}

fn metric(name: &str, unit: &str, description: &str, data: Data) -> Metric {
    Metric {
        name: name.to_owned(),
        description: description.to_owned(),
        unit: unit.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(waits: Waits) -> Measured {
        Measured {
            begun: 1_000_000_000,
            ended: 3_000_000_000,
            command: "deploy",
            outcome: "applied",
            error: None,
            database: Vec::new(),
            waits,
            applied: 3,
        }
    }

    fn points(metric: &Metric) -> &[HistogramDataPoint] {
        let Some(Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
        assert_eq!(histogram.aggregation_temporality, AggregationTemporality::Delta as i32);
        &histogram.data_points
    }

    #[test]
    fn waits_for_the_same_are_added_up() {
        let mut waits = Waits::default();
        for (step, seconds) in [(Step::Lock, 1), (Step::Wait, 4), (Step::Lock, 2), (Step::Run, 9)] {
            waits.add(step, Duration::from_secs(seconds));
        }
        let metrics = measured(waits).metrics(Temporality::Delta);
        let sums: Vec<_> = points(&metrics[2]).iter().map(|point| point.sum).collect();
        assert_eq!(sums, [Some(3.0), Some(4.0)]);
    }

    #[test]
    fn a_duration_lies_in_the_bucket_that_ends_behind_it() {
        let metrics = measured(Waits::default()).metrics(Temporality::Delta);
        let [point] = points(&metrics[0]) else { panic!("{metrics:?}") };
        assert_eq!((point.sum, point.count), (Some(2.0), 1));
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!(point.bucket_counts.iter().position(|count| *count == 1), Some(5));
        assert_eq!(metrics.len(), 2, "who has not waited tells nothing of a wait");
    }
}
