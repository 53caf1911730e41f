//! Pieces of the language CEL that every expression is made of.
//!
//! A piece about a container takes the name of the variable that holds it, as CEL has no functions of its own.

use serde_json::Value;

use crate::facts::sidecars;

/// A text of CEL's. Its escapes are those of JSON.
pub(super) fn text(value: &str) -> String {
    Value::from(value).to_string()
}

/// A list of texts.
pub(super) fn texts<'t>(values: impl IntoIterator<Item = &'t str>) -> String {
    format!("[{}]", values.into_iter().map(text).collect::<Vec<_>>().join(", "))
}

/// A field that may be missing.
pub(super) fn or(field: &str, otherwise: &str) -> String {
    format!("has({field}) ? {field} : {otherwise}")
}

/// The words of a container's command, each on a line of its own.
pub(super) fn words(container: &str) -> String {
    format!(
        "(({}) + ({})).join('\\n')",
        or(&format!("{container}.command"), "[]"),
        or(&format!("{container}.args"), "[]")
    )
}

/// Whether a container is a known sidecar.
pub(super) fn is_sidecar(container: &str) -> String {
    is_one_of(container, sidecars())
}

/// Whether a container has one of these names, or the last part of its image has, without tag and digest.
pub(super) fn is_one_of<'n>(container: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let known = texts(names);
    format!(
        "({container}.name in {known} || (has({container}.image) && {container}.image.find('[^/]*$').find('^[^:@]*') in {known}))"
    )
}

/// Whether an init container keeps running beside the others, so that nobody waits for its end.
pub(super) fn keeps_running(container: &str) -> String {
    format!("(has({container}.restartPolicy) && {container}.restartPolicy == 'Always')")
}

/// The names of containers as a person reads a list.
pub(super) fn names(containers: &str) -> String {
    format!("'`' + {containers}.map(c, c.name).join('`, `') + '`'")
}
