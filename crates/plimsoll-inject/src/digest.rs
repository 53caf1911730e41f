//! By what a value that was written is recognised later, when only the record knows of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::value::{name, named};

/// The digest of the value at a place: for a container one for each of its parts, for anything else one.
pub(crate) fn at(at: &str, value: &Value) -> Value {
    if is_container(at) { container(value) } else { of(value) }
}

/// Whether a place is a container as a whole.
pub(crate) fn is_container(at: &str) -> bool {
    let list = at.rsplit('/').nth(1);
    matches!(list, Some("initContainers" | "containers"))
}

/// The first eight hexadecimal digits of SHA-256: enough to notice a change, and small.
///
/// Other tools write the keys of an object in another order, which is no change.
fn of(value: &Value) -> Value {
    let hash = Sha256::digest(sorted(value).to_string());
    let digits = hash.iter().take(4).fold(String::new(), |mut digits, byte| {
        // Writing to a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    json!(digits)
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let keys: BTreeMap<&String, Value> =
                map.iter().map(|(key, value)| (key, sorted(value))).collect();
            keys.into_iter().map(|(key, value)| (key.clone(), value)).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The parts of a container that are changed by themselves.
///
/// Variables are such parts. Command and arguments are one: half of ours with half of somebody else's would be nobody's.
fn parts(container: &Value) -> Vec<(String, Value)> {
    let Some(fields) = container.as_object() else { return Vec::new() };
    let mut parts = Vec::new();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("command" | "args", _) => {}
            ("env", Value::Array(entries)) if are_distinct(entries) => {
                parts.extend(entries.iter().map(|entry| (format!("env/{}", name(entry)), entry.clone())));
            }
            _ => parts.push((key.clone(), value.clone())),
        }
    }
    parts.push((COMMAND.to_owned(), json!([fields.get("command"), fields.get("args")])));
    parts
}

/// Whether each variable is there once: otherwise a name says nothing.
fn are_distinct(entries: &[Value]) -> bool {
    entries.iter().map(name).collect::<BTreeSet<_>>().len() == entries.len()
}

/// The part that is command and arguments.
const COMMAND: &str = "command";

fn container(value: &Value) -> Value {
    let digests = parts(value).into_iter().map(|(part, value)| (part, of(&value)));
    digests.collect::<Map<_, _>>().into()
}

/// The parts of a container that are not as they were written.
pub(crate) fn changed(written: &Value, present: &Value) -> Vec<String> {
    let present = container(present);
    let (Some(before), Some(after)) = (written.as_object(), present.as_object()) else { return Vec::new() };
    let mut changed: Vec<String> = after
        .iter()
        .filter(|(part, digest)| before.get(*part) != Some(*digest))
        .map(|(part, _)| part.clone())
        .collect();
    changed.extend(before.keys().filter(|part| !after.contains_key(*part)).cloned());
    changed
}

/// The container of a run, with the parts that somebody has changed since the run before, and which parts these are.
///
/// The order is that of the present one, so that nothing moves in its text.
pub(crate) fn merge(written: &Value, present: &Value, new: &Value) -> (Value, Vec<String>) {
    let differs = |part: &String| part_of(present, part) != part_of(new, part);
    let kept: Vec<String> = changed(written, present).into_iter().filter(differs).collect();
    if kept.is_empty() {
        return (new.clone(), kept);
    }
    let mut merged = present.clone();
    for part in parts(present).into_iter().chain(parts(new)).map(|(part, _)| part) {
        // All variables together are one part in one version, and several in another.
        let is_within =
            |kept: &String| kept.starts_with(&format!("{part}/")) || part.starts_with(&format!("{kept}/"));
        if !kept.contains(&part) && !kept.iter().any(is_within) {
            set_part(&mut merged, &part, new);
        }
    }
    (merged, kept)
}

fn part_of(container: &Value, part: &str) -> Option<Value> {
    parts(container).into_iter().find(|(other, _)| other == part).map(|(_, value)| value)
}

fn set_part(container: &mut Value, part: &str, from: &Value) {
    let fields: &[&str] = if part == COMMAND { &["command", "args"] } else { &[part] };
    if let Some(variable) = part.strip_prefix("env/") {
        let entries = from.get("env").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let entry = named(entries, variable).cloned();
        if entry.is_some() && container.get("env").is_none_or(Value::is_null) {
            container["env"] = json!([]);
        }
        crate::edit::place(container, &format!("/env/{variable}"), entry);
        return;
    }
    for field in fields {
        crate::edit::place(container, &format!("/{field}"), from.get(*field).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_is_no_change() {
        assert_eq!(of(&json!({"a": 1, "b": {"c": 2, "d": 3}})), of(&json!({"b": {"d": 3, "c": 2}, "a": 1})));
        assert_ne!(of(&json!([1, 2])), of(&json!([2, 1])));
    }

    /// Records live longer than a release: the same value has the same digest forever.
    #[test]
    fn the_digest_of_a_value_is_the_same_in_every_release() {
        assert_eq!(of(&json!("abc")), json!("6cc43f85"));
    }

    #[test]
    fn what_was_changed_stays_and_the_rest_is_new() {
        let written =
            json!({"name": "g", "image": "a:1", "command": ["p"], "env": [{"name": "A", "value": "1"}]});
        let mut present = written.clone();
        present["env"] = json!([{"name": "B", "value": "mine"}, {"name": "A", "value": "1"}]);
        let new = json!({"name": "g", "image": "a:2", "command": ["p"], "args": ["x"], "env": [{"name": "A", "value": "2"}]});
        let (merged, kept) = merge(&container(&written), &present, &new);
        assert_eq!(kept, ["env/B"]);
        let env = json!([{"name": "B", "value": "mine"}, {"name": "A", "value": "2"}]);
        assert_eq!(merged, json!({"name": "g", "image": "a:2", "command": ["p"], "args": ["x"], "env": env}));
    }
}
