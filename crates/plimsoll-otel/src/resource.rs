//! Who it is that tells: the attributes that all spans and metrics share.

use opentelemetry_proto::tonic::resource::v1::Resource;
use percent_encoding::percent_decode_str;

use crate::attributes::text;
use crate::settings::Variables;

/// The name of the service unless the environment has another one.
const SERVICE: &str = "plimsoll";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the environment says of this process. What it says in OpenTelemetry's own variables wins.
pub(crate) fn describe(variables: &mut Variables<'_>) -> Resource {
    let mut known = given(variables);
    if let Some(name) = variables.get("OTEL_SERVICE_NAME") {
        known.retain(|(known, _)| known != "service.name");
        known.push(("service.name".into(), name));
    }
    let is_named = known.iter().any(|(name, _)| name == "service.name");
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|_| known.iter().all(|(known, _)| known != name)) {
            known.push((name.to_owned(), value));
        }
    };
    if !is_named {
        add("service.name", Some(SERVICE.into()));
        // The version of a service that has a name of its own is not ours to tell.
        add("service.version", Some(VERSION.into()));
    }
    // Two runners must not be taken for one whose counters have been set back.
    add("service.instance.id", Some(uuid::Uuid::new_v4().to_string()));
    add("k8s.pod.name", variables.get("PLIMSOLL_POD"));
    add("k8s.namespace.name", variables.get("PLIMSOLL_NAMESPACE"));
    add("host.name", variables.get("HOSTNAME"));
    add("telemetry.sdk.name", Some(SERVICE.into()));
    add("telemetry.sdk.language", Some("rust".into()));
    add("telemetry.sdk.version", Some(VERSION.into()));
    let attributes = known.into_iter().map(|(name, value)| text(&name, value)).collect();
    Resource { attributes, ..Resource::default() }
}

/// `OTEL_RESOURCE_ATTRIBUTES`: pairs between commas, percent-encoded. If one cannot be read none counts, as OpenTelemetry's
/// specification wants it.
fn given(variables: &mut Variables<'_>) -> Vec<(String, String)> {
    const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let text = variables.get(NAME).unwrap_or_default();
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let read: Option<Vec<_>> = pairs.map(pair).collect();
    if read.is_none() {
        variables.warn(format!("`{NAME}` is not a list of `name=value`, percent-encoded: it is left out"));
    }
    read.unwrap_or_default()
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    let name = percent_decode_str(name.trim()).decode_utf8().ok()?;
    (!name.is_empty()).then(|| (name.into_owned(), value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(set: &[(&str, &str)]) -> (Vec<(String, String)>, Vec<String>) {
        let look = |name: &str| set.iter().find(|(known, _)| *known == name).map(|it| it.1.to_owned());
        let mut variables = Variables::new(&look);
        let attributes = describe(&mut variables).attributes.into_iter();
        let value = |value: opentelemetry_proto::tonic::common::v1::AnyValue| match value.value {
            Some(opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(text)) => text,
            other => panic!("{other:?}"),
        };
        let pairs = attributes.map(|pair| (pair.key, value(pair.value.unwrap()))).collect();
        (pairs, variables.into_warnings())
    }

    fn value<'a>(found: &'a [(String, String)], name: &str) -> Option<&'a str> {
        found.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn the_variables_of_opentelemetry_win() {
        let (found, warnings) = described(&[
            ("OTEL_SERVICE_NAME", "shop"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other, service.version=7,k8s.pod.name=p%2C1"),
            ("PLIMSOLL_POD", "shop-7"),
            ("PLIMSOLL_NAMESPACE", "prod"),
        ]);
        assert_eq!(warnings, [""; 0]);
        assert_eq!(value(&found, "service.name"), Some("shop"));
        assert_eq!(value(&found, "service.version"), Some("7"));
        assert_eq!(value(&found, "k8s.pod.name"), Some("p,1"));
        assert_eq!(value(&found, "k8s.namespace.name"), Some("prod"));
        assert_eq!(found.iter().filter(|(name, _)| name == "service.name").count(), 1);
    }

    #[test]
    fn without_a_name_it_is_our_own_and_our_version() {
        let (found, warnings) = described(&[("OTEL_RESOURCE_ATTRIBUTES", "nonsense")]);
        assert!(warnings[0].contains("OTEL_RESOURCE_ATTRIBUTES"), "{warnings:?}");
        assert_eq!(value(&found, "service.name"), Some("plimsoll"));
        assert_eq!(value(&found, "service.version"), Some(VERSION));
        let (named, _) = described(&[("OTEL_SERVICE_NAME", "shop")]);
        assert_eq!(value(&named, "service.version"), None);
        assert_ne!(value(&found, "service.instance.id"), value(&named, "service.instance.id"));
    }
}
