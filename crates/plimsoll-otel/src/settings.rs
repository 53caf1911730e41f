//! What the environment asks for: where to send what, and how.

mod headers;
mod variables;

use std::path::PathBuf;
use std::time::Duration;

use hyper::HeaderMap;
use url::Url;

pub(crate) use variables::Variables;

/// One of the two kinds of things that are sent, each to a place of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
}

impl Signal {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
        }
    }

    /// In the names of variables.
    fn word(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
        }
    }
}

/// Whether the body of a request is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
}

/// What counters count from. A process tells its numbers once, at its end: they are the same ones either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temporality {
    Cumulative,
    Delta,
}

/// The files of TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    /// Whom to trust; otherwise those whom the system trusts.
    pub(crate) roots: Option<PathBuf>,
    /// Our own certificate with its chain, for a server that asks for one, and its key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

/// Where a signal is sent, and how.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    /// Their values are secrets: they are marked so, and `Debug` does not show them.
    pub(crate) headers: HeaderMap,
    pub(crate) compression: Compression,
    /// For how long, if the environment says it.
    pub(crate) timeout: Option<Duration>,
    pub(crate) files: Files,
}

impl Target {
    /// Where it is, without what may be secret: user, path and parameters.
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

/// What is sent where.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) traces: Option<Target>,
    pub(crate) metrics: Option<Target>,
    pub(crate) temporality: Temporality,
}

impl Settings {
    /// What the variables ask for, as OpenTelemetry's specification reads them. What cannot be done is a warning, and then
    /// that signal is not sent.
    pub(crate) fn read(variables: &mut Variables<'_>) -> Self {
        if variables.get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Self { traces: None, metrics: None, temporality: Temporality::Cumulative };
        }
        Self {
            traces: target(Signal::Traces, variables),
            metrics: target(Signal::Metrics, variables),
            temporality: temporality(variables),
        }
    }

    /// Whether there is anywhere to send anything.
    pub(crate) fn is_anything_sent(&self) -> bool {
        self.traces.is_some() || self.metrics.is_some()
    }
}

fn target(signal: Signal, variables: &mut Variables<'_>) -> Option<Target> {
    let endpoint = endpoint(signal, variables)?;
    if let Some((name, protocol)) = variables.of(signal, "PROTOCOL")
        && protocol != "http/protobuf"
    {
        variables
            .warn(format!("`{name}` is `{protocol}`, and only `http/protobuf` is spoken: nothing is sent"));
        return None;
    }
    Some(Target {
        url: endpoint,
        headers: headers::read(signal, variables),
        compression: compression(signal, variables),
        timeout: timeout(signal, variables),
        files: files(signal, variables),
    })
}

/// Where the signal goes, if it goes anywhere: to the endpoint that is set, or to the usual one if an exporter is asked for.
fn endpoint(signal: Signal, variables: &mut Variables<'_>) -> Option<Url> {
    const COMMON: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let chosen = format!("OTEL_{}_EXPORTER", signal.word());
    let exporters = variables.get(&chosen);
    let names = |wanted: &str| {
        exporters.as_deref().is_some_and(|list| list.split(',').any(|name| name.trim() == wanted))
    };
    if exporters.is_some() && !names("otlp") {
        if !names("none") {
            let list = exporters.as_deref().unwrap_or_default();
            variables.warn(format!("`{chosen}` is `{list}`, and only `otlp` and `none` are known"));
        }
        return None;
    }
    let own = format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.word());
    if let Some(text) = variables.get(&own) {
        return understood(&own, &text, variables);
    }
    let base = match variables.get(COMMON) {
        Some(text) => understood(COMMON, &text, variables)?,
        None => Url::parse("http://localhost:4318").ok().filter(|_| exporters.is_some())?,
    };
    let mut url = base;
    let path = format!("{}/v1/{}", url.path().trim_end_matches('/'), signal.name());
    url.set_path(&path);
    Some(url)
}

/// The URL of an endpoint. The warning does not show it: there may be a token in it.
fn understood(name: &str, text: &str, variables: &mut Variables<'_>) -> Option<Url> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url.filter(Url::has_host) else {
        variables.warn(format!("`{name}` is no URL with `http://` or `https://`: nothing is sent there"));
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        variables.warn(format!(
            "`{name}` has a user or a password in it, which is not used: \
             `OTEL_EXPORTER_OTLP_HEADERS` is for `authorization=Basic%20…`"
        ));
    }
    Some(url)
}

fn compression(signal: Signal, variables: &mut Variables<'_>) -> Compression {
    match variables.of(signal, "COMPRESSION") {
        Some((_, value)) if value == "gzip" => Compression::Gzip,
        Some((name, value)) if value != "none" => {
            variables.warn(format!("`{name}` is `{value}`, and only `gzip` and `none` are known"));
            Compression::None
        }
        _ => Compression::None,
    }
}

fn timeout(signal: Signal, variables: &mut Variables<'_>) -> Option<Duration> {
    let (name, value) = variables.of(signal, "TIMEOUT")?;
    let read = value.parse().ok().map(Duration::from_millis);
    if read.is_none() {
        variables.warn(format!("`{name}` is no number of milliseconds: it is left out"));
    }
    read
}

fn files(signal: Signal, variables: &mut Variables<'_>) -> Files {
    let path = |what| variables.of(signal, what).map(|(_, value)| PathBuf::from(value));
    let (roots, certificate, key) = (path("CERTIFICATE"), path("CLIENT_CERTIFICATE"), path("CLIENT_KEY"));
    if certificate.is_some() != key.is_some() {
        variables.warn(
            "`OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE` and `OTEL_EXPORTER_OTLP_CLIENT_KEY` belong together: one alone is not \
             used"
                .into(),
        );
    }
    Files { roots, identity: certificate.zip(key) }
}

fn temporality(variables: &mut Variables<'_>) -> Temporality {
    let wanted = variables.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE").unwrap_or_default();
    match wanted.to_ascii_lowercase().as_str() {
        "delta" | "lowmemory" => Temporality::Delta,
        _ => Temporality::Cumulative,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of these variables, and what is said of them.
    fn read(set: &[(&str, &str)]) -> (Settings, Vec<String>) {
        let look = |name: &str| {
            let name = name.strip_prefix("OTEL_EXPORTER_OTLP_").unwrap_or(name);
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let mut variables = Variables::new(&look);
        let settings = Settings::read(&mut variables);
        (settings, variables.into_warnings())
    }

    fn urls(settings: &Settings) -> [Option<&str>; 2] {
        [&settings.traces, &settings.metrics].map(|target| target.as_ref().map(|it| it.url.as_str()))
    }

    #[test]
    fn the_common_endpoint_gets_the_paths_and_one_of_its_own_is_taken_as_it_is() {
        let (settings, warnings) = read(&[("ENDPOINT", "http://otel:4318/base/")]);
        assert_eq!(
            urls(&settings),
            [Some("http://otel:4318/base/v1/traces"), Some("http://otel:4318/base/v1/metrics")]
        );
        assert_eq!(warnings, [""; 0]);
        let (settings, _) = read(&[("ENDPOINT", "http://otel:4318"), ("TRACES_ENDPOINT", "https://t/x")]);
        assert_eq!(urls(&settings), [Some("https://t/x"), Some("http://otel:4318/v1/metrics")]);
        let (settings, _) = read(&[("METRICS_ENDPOINT", "http://m")]);
        assert_eq!(urls(&settings), [None, Some("http://m/")]);
    }

    #[test]
    fn an_exporter_can_be_turned_off_or_asked_for() {
        let on = ("ENDPOINT", "http://otel:4318");
        let (settings, _) = read(&[on, ("OTEL_METRICS_EXPORTER", "none")]);
        assert_eq!(urls(&settings), [Some("http://otel:4318/v1/traces"), None]);
        let (settings, _) = read(&[on, ("OTEL_SDK_DISABLED", "TRUE")]);
        assert!(!settings.is_anything_sent());
        let (settings, _) = read(&[("OTEL_TRACES_EXPORTER", "console, otlp")]);
        assert_eq!(urls(&settings), [Some("http://localhost:4318/v1/traces"), None]);
        let (settings, warnings) = read(&[on, ("OTEL_TRACES_EXPORTER", "zipkin")]);
        assert_eq!(urls(&settings), [None, Some("http://otel:4318/v1/metrics")]);
        assert!(warnings[0].contains("`zipkin`"), "{warnings:?}");
    }

    #[test]
    fn another_protocol_is_said_once_and_nothing_is_sent() {
        for protocol in ["grpc", "http/json"] {
            let (settings, warnings) = read(&[("ENDPOINT", "http://otel:4317"), ("PROTOCOL", protocol)]);
            assert!(!settings.is_anything_sent());
            let said = format!("`OTEL_EXPORTER_OTLP_PROTOCOL` is `{protocol}`");
            assert!(warnings.len() == 1 && warnings[0].starts_with(&said), "{warnings:?}");
        }
        let own = [("ENDPOINT", "http://o"), ("PROTOCOL", "grpc"), ("TRACES_PROTOCOL", "http/protobuf")];
        assert_eq!(urls(&read(&own).0), [Some("http://o/v1/traces"), None]);
    }

    #[test]
    fn what_is_wrong_about_an_endpoint_is_said_without_showing_it() {
        for wrong in ["otel:4318", "ftp://hunter2", "hunter2", "http://"] {
            let (settings, warnings) = read(&[("ENDPOINT", wrong)]);
            assert!(!settings.is_anything_sent(), "{wrong}");
            assert!(warnings.len() == 1 && !warnings[0].contains("hunter2"), "{warnings:?}");
        }
        let (settings, warnings) = read(&[("ENDPOINT", "http://u:hunter2@otel/hunter2?token=hunter2")]);
        assert!(warnings.len() == 1 && !warnings[0].contains("hunter2"), "{warnings:?}");
        assert_eq!(settings.traces.unwrap().origin(), "http://otel");
    }

    #[test]
    fn the_rest_is_read_and_what_is_not_known_is_said() {
        let (settings, warnings) = read(&[
            ("ENDPOINT", "http://o"),
            ("TRACES_TIMEOUT", "250"),
            ("TIMEOUT", "soon"),
            ("COMPRESSION", "zstd"),
            ("METRICS_COMPRESSION", "gzip"),
            ("CERTIFICATE", "/ca.pem"),
            ("CLIENT_KEY", "/key.pem"),
            ("METRICS_TEMPORALITY_PREFERENCE", "Delta"),
        ]);
        let (traces, metrics) = (settings.traces.unwrap(), settings.metrics.unwrap());
        assert_eq!((traces.timeout, metrics.timeout), (Some(Duration::from_millis(250)), None));
        assert_eq!((traces.compression, metrics.compression), (Compression::None, Compression::Gzip));
        assert_eq!(traces.files, Files { roots: Some("/ca.pem".into()), identity: None });
        assert_eq!(settings.temporality, Temporality::Delta);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }
}
