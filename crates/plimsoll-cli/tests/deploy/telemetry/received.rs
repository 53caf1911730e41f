//! What a collector has received, in the words of the tests.

use plimsoll_testkit::server::Collector;
use serde_json::Value;

/// Requests to a collector.
pub(super) struct Received {
    requests: Vec<Value>,
}

impl Received {
    /// Everything so far.
    pub(super) fn by(collector: &Collector) -> Self {
        Self::parse(&collector.received())
    }

    /// The lines of a collector's file.
    pub(super) fn parse(lines: &str) -> Self {
        Self { requests: lines.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect() }
    }

    /// How many requests of this signal there were.
    pub(super) fn count(&self, signal: &str) -> usize {
        self.requests.iter().filter(|request| request["signal"] == signal).count()
    }

    fn one(&self, signal: &str) -> &Value {
        let mut found = self.requests.iter().filter(|request| request["signal"] == signal);
        let one = found.next().unwrap_or_else(|| panic!("no {signal} were received"));
        assert!(found.next().is_none(), "{signal} were received twice");
        one
    }

    /// A header of the request.
    pub(super) fn header(&self, signal: &str, name: &str) -> String {
        self.one(signal)["headers"][name][0].as_str().unwrap_or_default().to_owned()
    }

    /// An attribute of the resource that all spans share.
    pub(super) fn resource(&self, name: &str) -> String {
        let resource = &self.one("traces")["data"]["resourceSpans"][0]["resource"];
        attribute(resource, name).unwrap_or_else(|| panic!("{name} is missing in {resource}"))
    }

    /// The spans in the order of their ends.
    pub(super) fn spans(&self) -> &[Value] {
        let spans = &self.one("traces")["data"]["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans.as_array().expect("there are spans")
    }

    /// The span of this name.
    pub(super) fn span(&self, name: &str) -> &Value {
        let mut found = self.spans().iter().filter(|span| span["name"] == name);
        let span = found.next().unwrap_or_else(|| panic!("no span `{name}` in {:?}", self.tree()));
        assert!(found.next().is_none(), "two spans `{name}`");
        span
    }

    /// An attribute of the span of this name.
    pub(super) fn of_span(&self, name: &str, wanted: &str) -> Option<String> {
        attribute(self.span(name), wanted)
    }

    /// The spans, each behind those around it; one that failed has a mark.
    pub(super) fn tree(&self) -> Vec<String> {
        let spans = self.spans();
        let path = |span: &Value| {
            let mut path = text(&span["name"]);
            let mut above = text(&span["parentSpanId"]);
            while let Some(parent) = spans.iter().find(|other| other["spanId"] == above.as_str()) {
                path = format!("{} > {path}", text(&parent["name"]));
                above = text(&parent["parentSpanId"]);
            }
            if span["status"]["code"] == 2 { format!("{path} !") } else { path }
        };
        spans.iter().map(path).collect()
    }

    /// The points of a metric.
    pub(super) fn points(&self, name: &str) -> Vec<Value> {
        let metrics = &self.one("metrics")["data"]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
        let metrics = metrics.as_array().expect("there are metrics");
        let metric = metrics.iter().find(|metric| metric["name"] == name);
        let metric = metric.unwrap_or_else(|| panic!("no metric `{name}` in {metrics:?}"));
        let kind = if metric["sum"].is_null() { "histogram" } else { "sum" };
        metric[kind]["dataPoints"].as_array().expect("there are points").clone()
    }
}

/// The value of an attribute, as text.
pub(super) fn attribute(of: &Value, name: &str) -> Option<String> {
    let pair = of["attributes"].as_array()?.iter().find(|pair| pair["key"] == name)?;
    let value = &pair["value"];
    Some(text(if value["stringValue"].is_null() { &value["intValue"] } else { &value["stringValue"] }))
}

/// How long a span took, in milliseconds.
pub(super) fn milliseconds(span: &Value) -> u64 {
    let at = |name: &str| text(&span[name]).parse::<u64>().expect("it is a time");
    (at("endTimeUnixNano") - at("startTimeUnixNano")) / 1_000_000
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
