//! Small questions to a JSON value. What is not there is an empty answer: manifests come from people.

use serde_json::Value;

/// The text at this pointer, if there is one.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// The items of the list at this pointer; none if there is no list.
pub(crate) fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of the list at this pointer.
pub(crate) fn texts(value: &Value, pointer: &str) -> Vec<String> {
    list(value, pointer).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The `name` of a container, a volume or a variable; empty if it has none.
pub(crate) fn name(value: &Value) -> &str {
    text(value, "/name").unwrap_or_default()
}

/// The item of this name.
pub(crate) fn named<'v>(items: &'v [Value], wanted: &str) -> Option<&'v Value> {
    items.iter().find(|item| name(item) == wanted)
}

/// The names of the items as a person reads a list: `a`, `b`, `c`.
pub(crate) fn names(items: &[Value]) -> String {
    join(items.iter().map(name))
}

/// Words in backticks, with commas between them.
pub(crate) fn join<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// One segment of a JSON pointer, as RFC 6901 writes it.
pub(crate) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// What [`escape`] wrote.
pub(crate) fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}
