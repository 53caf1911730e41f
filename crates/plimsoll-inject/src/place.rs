//! Places in an object: JSON pointers in which the item of a list is named by its `name`.

use serde_json::Value;

use crate::edit::Undo;
use crate::value::{escape, name, unescape};

/// The JSON pointer of a place; `None` if it is not there.
pub(crate) fn locate(object: &Value, at: &str) -> Option<String> {
    let mut pointer = String::new();
    let mut value = object;
    for segment in at.split('/').skip(1) {
        let key = unescape(segment);
        let segment = match value {
            Value::Array(items) => items.iter().position(|item| name(item) == key)?.to_string(),
            _ => escape(&key),
        };
        pointer = format!("{pointer}/{segment}");
        value = object.pointer(&pointer)?;
    }
    Some(pointer)
}

/// The value at a place.
pub(crate) fn value_at<'v>(object: &'v Value, at: &str) -> Option<&'v Value> {
    locate(object, at).and_then(|pointer| object.pointer(&pointer))
}

/// Puts a value at a place, or takes away what is there; false if there is nothing to put it into.
pub(crate) fn place(object: &mut Value, at: &str, value: Option<Value>) -> bool {
    let Some((parent, last)) = at.rsplit_once('/') else { return false };
    let key = unescape(last);
    let parent = locate(object, parent).and_then(|pointer| object.pointer_mut(&pointer));
    match (parent, value) {
        (Some(Value::Object(map)), Some(value)) => {
            map.insert(key, value);
        }
        (Some(Value::Object(map)), None) => {
            map.shift_remove(&key);
        }
        (Some(Value::Array(items)), value) => {
            let index = items.iter().position(|item| name(item) == key);
            match (index, value) {
                (Some(index), Some(value)) => items[index] = value,
                (None, Some(value)) => items.push(value),
                (Some(index), None) => {
                    items.remove(index);
                }
                (None, None) => {}
            }
        }
        _ => return false,
    }
    true
}

/// Moves the last item of a list or object, if it is no longer ours, before those at the end that are: there it will be found
/// when ours are made anew.
pub(crate) fn move_to_theirs(object: &mut Value, at: &str, undo: &[Undo]) {
    let Some((parent, last)) = at.rsplit_once('/') else { return };
    let is_ours = |key: &str| undo.iter().any(|undo| undo.changes(&format!("{parent}/{}", escape(key))));
    let key = unescape(last);
    if is_ours(&key) {
        return;
    }
    match locate(object, parent).and_then(|pointer| object.pointer_mut(&pointer)) {
        Some(Value::Array(items)) if items.last().is_some_and(|item| name(item) == key) => {
            let others = &items[..items.len() - 1];
            let ours = others.iter().rev().take_while(|item| is_ours(name(item))).count();
            let index = items.len() - 1 - ours;
            items[index..].rotate_right(1);
        }
        Some(Value::Object(map)) if map.keys().next_back() == Some(&key) => {
            let ours = map.keys().rev().skip(1).take_while(|key| is_ours(key)).count();
            let index = map.len() - 1 - ours;
            if let Some(value) = map.shift_remove(&key) {
                map.shift_insert(index, key, value);
            }
        }
        _ => {}
    }
}
