//! Passwords that a record does not keep.

use plimsoll_core::secret::mask;
use serde_json::Value;

use crate::value::{name, named};

/// What stands in a record instead of a password: a word to a shell, and to a URL.
const HIDDEN: &str = "PLIMSOLL-DOES-NOT-RECORD-THIS";

/// A value without the passwords that can be recognised in it.
pub(crate) fn hide(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(hide_text(&text)),
        Value::Array(items) => items.into_iter().map(hide).collect(),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, hide(value))).collect()),
        other => other,
    }
}

/// [`mask`] keeps every offset, so that what it covered is found by comparing.
fn hide_text(text: &str) -> String {
    let masked = mask(text);
    let mut hidden = String::new();
    let mut is_open = false;
    for (index, c) in text.char_indices() {
        let is_covered = masked.as_bytes()[index..].starts_with(b"*") && c != '*';
        match (is_covered, is_open) {
            (true, false) => hidden.push_str(HIDDEN),
            // A password may have an asterisk in it.
            (false, true) if c == '*' => continue,
            (true, true) => {}
            (false, _) => hidden.push(c),
        }
        is_open = is_covered;
    }
    hidden
}

/// Whether something was hidden in a value.
pub(crate) fn is_in(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(HIDDEN),
        Value::Array(items) => items.iter().any(is_in),
        Value::Object(map) => map.values().any(is_in),
        _ => false,
    }
}

/// Gives back what was hidden in a value from one that still has it at the same place.
pub(crate) fn reveal(value: &mut Value, from: &Value) {
    match (value, from) {
        (Value::String(text), Value::String(known)) if text.contains(HIDDEN) => text.clone_from(known),
        (Value::Object(map), Value::Object(known)) => {
            for (key, value) in map {
                if let Some(known) = known.get(key) {
                    reveal(value, known);
                }
            }
        }
        (Value::Array(items), Value::Array(known)) => {
            for (index, item) in items.iter_mut().enumerate() {
                let same = if name(item).is_empty() { known.get(index) } else { named(known, name(item)) };
                if let Some(same) = same {
                    reveal(item, same);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_password_is_hidden_and_found_again() {
        let value = json!(["sh", "-c", "A=postgres://u:hun*ter2@h/d x && * y"]);
        let mut hidden = hide(value.clone());
        assert!(is_in(&hidden) && !is_in(&value));
        assert_eq!(hidden[2], json!(format!("A=postgres://u:{HIDDEN}@h/d x && * y")));
        reveal(&mut hidden, &value);
        assert_eq!(hidden, value);
    }
}
