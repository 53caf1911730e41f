//! The objects of a text, whatever order, quotes and indentation a program has written them with.

use plimsoll_e2e::{Bench, Client};
use serde_json::{Map, Value};

/// An init container with `npx prisma migrate deploy`, as many have it.
pub(crate) const SEED: &str = include_str!("../../../examples/backend/k8s/before/deployment.yaml");
/// What kustomize and Helm must not touch.
pub(crate) const SERVICE: &str = include_str!("../../../examples/backend/k8s/app/service.yaml");

/// Every object of a text, read by another program's reader than ours.
#[track_caller]
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let documents = serde_saphyr::from_multiple::<Value>(text);
    let documents = documents.unwrap_or_else(|error| panic!("{error}\n{text}"));
    documents.into_iter().filter(|document| !document.is_null()).map(|document| sorted(&document)).collect()
}

/// The only object of a kind.
#[track_caller]
pub(crate) fn the(kind: &str, text: &str) -> Value {
    let mut found: Vec<Value> = objects(text).into_iter().filter(|object| object["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "of kind {kind} in\n{text}");
    found.remove(0)
}

/// All objects but those of a kind. Each program has its own idea of their order.
#[track_caller]
pub(crate) fn all_but(kind: &str, text: &str) -> Vec<Value> {
    let mut others: Vec<Value> = objects(text).into_iter().filter(|object| object["kind"] != kind).collect();
    others.sort_by_key(|object| object["kind"].to_string());
    others
}

/// What `plimsoll inject` by itself makes of the Deployment in a text.
#[track_caller]
pub(crate) fn gated(bench: &Bench, text: &str, flags: &[&str]) -> Value {
    bench.write("alone.yaml", text);
    let answer = bench.run(Client::Plimsoll, &[&["inject", "alone.yaml"], flags].concat());
    let deployment = without_record(the("Deployment", &answer.expect("`plimsoll inject`")));
    let gate = &deployment["spec"]["template"]["spec"]["initContainers"][0];
    assert_eq!(gate["command"], serde_json::json!(["plimsoll", "deploy"]), "it has got worse itself");
    let arguments = gate["args"].to_string();
    assert!(flags.iter().all(|flag| arguments.contains(flag)), "{arguments}");
    deployment
}

/// A gated object without the record of how to take the gate out, which holds the text that was there: that is another
/// one after another program has written the object anew.
#[track_caller]
pub(crate) fn without_record(mut object: Value) -> Value {
    let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    let record = annotations.and_then(|annotations| annotations.remove("plimsoll.dev/gate"));
    assert!(record.is_some(), "it is not gated: {object:#}");
    if object["metadata"]["annotations"] == Value::Object(Map::new()) {
        object["metadata"].as_object_mut().unwrap().remove("annotations");
    }
    object
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
