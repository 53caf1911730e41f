//! Random changes of documents.

use fastrand::Rng;
use serde_json::{Map, Value, json};

fn gate() -> Value {
    json!({
        "name": "plimsoll",
        "image": "app:1",
        "command": ["plimsoll", "deploy"],
        "env": [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "yes"}}}],
        "resources": {"limits": {"cpu": "500m"}},
        "note": "two\nlines\n",
        "empty": {},
    })
}

fn something(random: &mut Rng) -> Value {
    match random.u8(0..6) {
        0 => gate(),
        1 => json!([gate()]),
        2 => json!("yes"),
        3 => json!([]),
        4 => json!("two\nlines"),
        _ => json!({"a": {"b": [[1, 2], [{"c": null}]]}}),
    }
}

/// Inserts keys into mappings and items into sequences.
pub(crate) fn insert(value: &mut Value, random: &mut Rng) {
    match value {
        Value::Object(map) => {
            for value in map.values_mut() {
                insert(value, random);
            }
            if random.u8(0..4) == 0 {
                let at = random.usize(0..=map.len());
                let mut entries: Vec<_> = std::mem::take(map).into_iter().collect();
                entries.insert(at, ("plimsoll.dev/new".to_owned(), something(random)));
                *map = Map::from_iter(entries);
            }
        }
        Value::Array(items) => {
            for item in items.iter_mut() {
                insert(item, random);
            }
            if random.u8(0..4) == 0 {
                let item = if random.bool() { gate() } else { json!("a: new") };
                items.insert(random.usize(0..=items.len()), item);
            }
        }
        _ => {}
    }
}

/// Inserts, removes and replaces.
pub(crate) fn anything(value: &mut Value, random: &mut Rng) {
    if random.u8(0..12) == 0 {
        *value = something(random);
        return;
    }
    match value {
        Value::Object(map) => {
            for value in map.values_mut() {
                anything(value, random);
            }
            if random.u8(0..4) == 0 && !map.is_empty() {
                let at = random.usize(0..map.len());
                *map = std::mem::take(map)
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| *index != at)
                    .map(|(_, entry)| entry)
                    .collect();
            }
        }
        Value::Array(items) => {
            for item in items.iter_mut() {
                anything(item, random);
            }
            if random.u8(0..4) == 0 && !items.is_empty() {
                items.remove(random.usize(0..items.len()));
            }
        }
        _ => {}
    }
    if random.u8(0..6) == 0 {
        insert(value, random);
    }
}

/// The pointers to everything inside of a document.
pub(crate) fn pointers(value: &Value) -> Vec<String> {
    let below = |token: &str, value: &Value| {
        let token = token.replace('~', "~0").replace('/', "~1");
        let inner = pointers(value).into_iter();
        std::iter::once(String::new())
            .chain(inner)
            .map(move |rest| format!("/{token}{rest}"))
            .collect::<Vec<_>>()
    };
    match value {
        Value::Object(map) => map.iter().flat_map(|(name, value)| below(name, value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| below(&index.to_string(), item)).collect()
        }
        _ => Vec::new(),
    }
}
