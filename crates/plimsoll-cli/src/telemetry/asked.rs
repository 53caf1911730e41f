//! What asks for telemetry, whether this build has it or not.

/// The commands that are runs, or wait for one.
const TOLD: [&str; 3] = ["deploy", "exec", "wait"];

/// Looks a variable of the environment up.
type Look<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The variable by which somebody asks to be told of this command. What is to be sent, and whether that can be done, is another
/// question.
pub(super) fn by(command: &str, look: Look<'_>) -> Option<String> {
    let is_off = look("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if is_off || !TOLD.contains(&command) {
        return None;
    }
    ["TRACES", "METRICS"].iter().find_map(|signal| by_signal(signal, look))
}

/// The exporter that is chosen decides, and where none is, an endpoint.
fn by_signal(signal: &str, look: Look<'_>) -> Option<String> {
    let value = |name: &str| look(name).filter(|value| !value.trim().is_empty());
    let exporter = format!("OTEL_{signal}_EXPORTER");
    if let Some(chosen) = value(&exporter) {
        return chosen.split(',').any(|name| name.trim() != "none").then_some(exporter);
    }
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
    [own, "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned()].into_iter().find(|name| value(name).is_some())
}

/// What a build without telemetry says to whoever asks for it.
#[cfg(any(test, not(feature = "otel")))]
pub(super) fn in_vain(command: &str, look: Look<'_>) -> Option<String> {
    let name = by(command, look)?;
    Some(format!("`{name}` is set, and this build has no telemetry (the feature `otel`): nothing is sent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(command: &str, environment: &[(&str, &str)]) -> Option<String> {
        let look = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        in_vain(command, &look)
    }

    #[test]
    fn whoever_asks_a_build_without_telemetry_is_told_by_the_name_of_what_asked() {
        for asking in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://collector:4318"),
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_METRICS_EXPORTER", "console, otlp"),
        ] {
            for command in TOLD {
                let told = said(command, &[asking]).unwrap_or_default();
                assert!(
                    told.starts_with(&format!("`{}` is set, and this build has no telemetry", asking.0)),
                    "{asking:?}: {told}"
                );
            }
            assert_eq!(said("status", &[asking]), None, "nobody is told of it anyway");
            assert_eq!(said("deploy", &[asking, ("OTEL_SDK_DISABLED", "TRUE")]), None);
            assert_eq!(said("deploy", &[(asking.0, " ")]), None);
        }
    }

    #[test]
    fn a_signal_that_is_turned_off_asks_for_nothing() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let (traces, metrics) = (("OTEL_TRACES_EXPORTER", "none"), ("OTEL_METRICS_EXPORTER", "none"));
        assert_eq!(said("deploy", &[endpoint, traces, metrics]), None);
        assert!(said("deploy", &[endpoint, traces]).is_some());
        assert_eq!(said("deploy", &[("OTEL_SERVICE_NAME", "shop"), ("TRACEPARENT", "00-1-1-01")]), None);
    }
}
