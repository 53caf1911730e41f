//! New text for values.

use serde_json::{Map, Value};

use super::style::{Notation, Strings, Style};
use super::words;

/// As wide as a list on one line may become, with its indentation.
const WIDEST: usize = 80;

/// The lists that people write on one line.
const LISTS: [&str; 4] = ["command", "args", "drop", "add"];

/// What a value stands behind, in block style.
#[derive(Clone, Copy, Debug)]
pub(super) enum Behind<'a> {
    /// A key in this column.
    Key { name: &'a str, column: usize },
    /// A dash in this column.
    Dash { column: usize },
}

/// Any value as a new YAML document, in block style with an indentation of two, ending with a line break.
///
/// Strings are quoted where YAML 1.1 or 1.2 would read something else. Reading the text gives the same value.
///
/// ```
/// use plimsoll_inject::text::to_yaml;
/// use serde_json::json;
///
/// assert_eq!(to_yaml(&json!({"a": [1, "yes"]})), "a:\n  - 1\n  - \"yes\"\n");
/// ```
pub fn to_yaml(value: &Value) -> String {
    let style = Style::default();
    let mut text = match value {
        Value::Object(map) if !map.is_empty() => mapping(map, 0, &style),
        Value::Array(items) if !items.is_empty() => sequence(items, 0, &style),
        _ => flow(value),
    };
    text.push('\n');
    text
}

/// An entry of a block mapping whose key stands in this column, without its first indentation and last line break.
pub(super) fn entry(name: &str, value: &Value, column: usize, style: &Style) -> String {
    format!("{}:{}", words::key(name), behind(value, Behind::Key { name, column }, style))
}

/// What stands behind a colon or a dash: it begins with a space or a line break, unless nothing is to stand there.
pub(super) fn behind(value: &Value, place: Behind<'_>, style: &Style) -> String {
    let inner = match place {
        Behind::Key { column, .. } => column + style.unit,
        Behind::Dash { column } => column + style.width,
    };
    match value {
        Value::Object(map) if !map.is_empty() => match place {
            Behind::Key { .. } => format!("\n{}{}", spaces(inner), mapping(map, inner, style)),
            Behind::Dash { .. } => format!("{}{}", spaces(style.width - 1), mapping(map, inner, style)),
        },
        Value::Array(items) if !items.is_empty() => match place {
            Behind::Key { name, column } => list(name, items, column, style),
            Behind::Dash { .. } => format!("{}{}", spaces(style.width - 1), sequence(items, inner, style)),
        },
        Value::String(text) if style.strings == Strings::Literal => {
            words::literal(text, inner).unwrap_or_else(|| format!(" {}", words::scalar(text)))
        }
        _ => format!(" {}", flow(value)),
    }
}

fn list(name: &str, items: &[Value], column: usize, style: &Style) -> String {
    if LISTS.contains(&name) && !items.iter().any(|item| item.is_array() || item.is_object()) {
        let words: Vec<_> = items.iter().map(Value::to_string).map(|word| words::printable(&word)).collect();
        let line = format!(" [{}]", words.join(", "));
        if column + name.len() + 1 + line.chars().count() <= WIDEST {
            return line;
        }
    }
    let column = column + style.dash;
    format!("\n{}{}", spaces(column), sequence(items, column, style))
}

fn mapping(map: &Map<String, Value>, column: usize, style: &Style) -> String {
    let entries: Vec<_> = map.iter().map(|(name, value)| entry(name, value, column, style)).collect();
    entries.join(&format!("\n{}", spaces(column)))
}

fn sequence(items: &[Value], column: usize, style: &Style) -> String {
    let item = |value| format!("-{}", behind(value, Behind::Dash { column }, style));
    items.iter().map(item).collect::<Vec<_>>().join(&format!("\n{}", spaces(column)))
}

/// A value on one line of YAML.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => words::scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow_word).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries = map.iter().map(|(name, value)| flow_entry(name, value));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}

fn flow_entry(name: &str, value: &Value) -> String {
    format!("{}: {}", words::flow_key(name), flow_word(value))
}

fn flow_word(value: &Value) -> String {
    match value {
        Value::String(text) => words::flow(text),
        _ => flow(value),
    }
}

/// A value inside of brackets; `indent` is what its line begins with.
pub(super) fn bracketed(value: &Value, indent: &str, style: &Style) -> String {
    match &style.notation {
        Notation::Yaml => flow_word(value),
        Notation::OneLine("") => value.to_string(),
        Notation::OneLine(_) => spaced(value),
        Notation::Pretty(unit) => pretty(value, indent, unit),
    }
}

/// An entry inside of brackets.
pub(super) fn bracketed_entry(name: &str, value: &Value, indent: &str, style: &Style) -> String {
    let value = bracketed(value, indent, style);
    match &style.notation {
        Notation::Yaml => format!("{}: {value}", words::flow_key(name)),
        Notation::OneLine(space) => format!("{}:{space}{value}", Value::from(name)),
        Notation::Pretty(_) => format!("{}: {value}", Value::from(name)),
    }
}

/// JSON on one line, with spaces.
pub(super) fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries =
                map.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), spaced(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}

fn pretty(value: &Value, indent: &str, unit: &str) -> String {
    let inner = format!("{indent}{unit}");
    let (open, entries, close): (_, Vec<_>, _) = match value {
        Value::Array(items) => ('[', items.iter().map(|item| pretty(item, &inner, unit)).collect(), ']'),
        Value::Object(map) => {
            let entry = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), pretty(value, &inner, unit))
            };
            ('{', map.iter().map(entry).collect(), '}')
        }
        _ => return value.to_string(),
    };
    if entries.is_empty() {
        return format!("{open}{close}");
    }
    format!("{open}\n{inner}{}\n{indent}{close}", entries.join(&format!(",\n{inner}")))
}

/// So many spaces.
pub(super) fn spaces(count: usize) -> String {
    " ".repeat(count)
}
