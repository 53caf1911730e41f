//! Objects to try things on, and a way to say what is done with them.

use std::fmt::Write as _;

use plimsoll_inject::{Facts, Given, Injected, Trouble, inject, remove};
use serde_json::{Value, json};

/// Flags, as pairs of name and value.
pub(crate) type Flags<'f> = &'f [(&'f str, &'f str)];

pub(crate) fn given(flags: Flags<'_>) -> Given {
    let mut given = Given::default();
    for (name, value) in flags {
        given.add(name, *value).unwrap();
    }
    given
}

pub(crate) fn try_inject(documents: &[Value], flags: Flags<'_>) -> Result<Injected, Vec<Trouble>> {
    inject(documents, &given(flags), &Facts::default(), &|_, _| None)
}

/// Puts gates in, checks that a second time changes nothing and that they can be taken out again, and returns the objects.
pub(crate) fn gated(documents: &[Value], flags: Flags<'_>) -> Vec<Value> {
    let injected = try_inject(documents, flags).unwrap();
    let again = try_inject(&injected.documents, flags).unwrap();
    assert_eq!(text(&again.documents), text(&injected.documents), "a second run changes something");
    let removed = remove(&injected.documents, &given(flags)).unwrap();
    assert_eq!(text(&removed.documents), text(documents), "what is taken out is not what was put in");
    injected.documents
}

/// The same for one object.
pub(crate) fn gated_one(object: &Value, flags: Flags<'_>) -> Value {
    gated(std::slice::from_ref(object), flags).remove(0)
}

/// The init containers of a Deployment.
pub(crate) fn init_containers(object: &Value) -> Vec<Value> {
    object["spec"]["template"]["spec"]["initContainers"].as_array().unwrap().clone()
}

/// The gate of a Deployment that gets one with these flags.
pub(crate) fn gate_of(object: &Value, flags: Flags<'_>) -> Value {
    let all = init_containers(&gated_one(object, flags));
    all.into_iter().find(|container| container["command"].to_string().contains("plimsoll")).unwrap()
}

/// The one error that comes instead.
pub(crate) fn trouble(documents: &[Value], flags: Flags<'_>) -> String {
    let troubles = try_inject(documents, flags).unwrap_err();
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    format!("{}\n{}", troubles[0].diagnostic, troubles[0].diagnostic.help.join("\n"))
}

/// Documents as a person reads them, with their order.
pub(crate) fn text(documents: &[Value]) -> String {
    documents.iter().map(|document| serde_json::to_string_pretty(document).unwrap() + "\n").collect()
}

/// Everything that a run says, and what it made.
pub(crate) fn told(documents: &[Value], flags: Flags<'_>) -> String {
    let injected = try_inject(documents, flags).unwrap();
    let mut told = String::new();
    for outcome in &injected.outcomes {
        writeln!(told, "{}: {}", outcome.name, outcome.action).unwrap();
        outcome.reasons.iter().for_each(|reason| writeln!(told, "  {reason}").unwrap());
        outcome.advice.iter().for_each(|advice| writeln!(told, "  advice: {advice}").unwrap());
    }
    gated(documents, flags);
    told + &text(&injected.documents)
}

/// A Deployment with one container of this description.
pub(crate) fn deployment(container: Value) -> Value {
    pod_in_deployment(json!({"containers": Value::from(vec![container])}))
}

/// A Deployment with this pod.
pub(crate) fn pod_in_deployment(pod: Value) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {"template": {"spec": null}},
    });
    object["spec"]["template"]["spec"] = pod;
    object
}

/// An application's container with a literal URL.
pub(crate) fn app() -> Value {
    json!({"name": "app", "image": "shop:1", "env": [{"name": "DATABASE_URL", "value": "postgres://db/shop"}]})
}
