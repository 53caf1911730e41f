//! Texts that are to be used for certain nodes.

use std::collections::HashMap;

use serde_json::Value;

use super::tree::Aliases;
use super::{Stream, words};

/// Texts for nodes that are to be written exactly so, by document and JSON pointer of the wanted documents.
///
/// They come from [`Stream::text_of`]. A text is used where its node is new or replaced, or where it is an alias, and
/// only if it means the wanted value there: what is stored in an annotation may have been changed by hand.
#[derive(Clone, Debug, Default)]
pub struct Verbatim(HashMap<usize, HashMap<String, String>>);

impl Verbatim {
    /// No texts: everything new is written in the style of its surroundings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses `text` for the node at `pointer`.
    pub fn insert(&mut self, document: usize, pointer: impl Into<String>, text: impl Into<String>) {
        self.0.entry(document).or_default().insert(pointer.into(), text.into());
    }

    pub(super) fn get(&self, document: usize, pointer: &str) -> Option<&str> {
        self.0.get(&document)?.get(pointer).map(String::as_str)
    }

    /// Whether a text for this document may have an alias in it, whose meaning depends on what stands before it.
    pub(super) fn aliases(&self, document: usize) -> Aliases {
        let texts = self.0.get(&document).into_iter().flat_map(HashMap::values);
        if texts.into_iter().any(|text| text.contains('*')) { Aliases::Some } else { Aliases::None }
    }
}

/// Where a text is to stand, for finding out what it would mean there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot {
    /// Behind a key in this column.
    Key(usize),
    /// Behind a dash in this column.
    Dash(usize),
    /// Inside of brackets.
    Brackets,
}

/// Whether a text means a value at a spot, and nothing else beside it, if the anchors stand for these values.
pub(super) fn means(text: &str, wanted: &Value, spot: Spot, anchors: &[(&str, &Value)]) -> bool {
    let indent = |column| super::render::spaces(column);
    let before = preamble(text, anchors);
    let (fragment, pointer) = match spot {
        Spot::Key(column) => (format!("{0}a: [{before}]\n{0}k:{text}\n", indent(column)), "/k"),
        Spot::Dash(column) => (format!("{0}- [{before}]\n{0}-{text}\n", indent(column)), "/1"),
        Spot::Brackets => (format!("[[{before}],{text}]\n"), "/1"),
    };
    let Ok(stream) = Stream::parse("text", &fragment) else { return false };
    let [document] = stream.documents() else { return false };
    let count = document.as_object().map(serde_json::Map::len).or(document.as_array().map(Vec::len));
    count == Some(2) && document.pointer(pointer) == Some(wanted)
}

/// The anchors that a text may name, as they can stand in brackets before it.
fn preamble(text: &str, anchors: &[(&str, &Value)]) -> String {
    let named = anchors.iter().filter(|(name, _)| text.contains(&format!("*{name}")));
    let entries = named.map(|(name, value)| format!("&{name} {}", words::printable(&value.to_string())));
    entries.collect::<Vec<_>>().join(", ")
}
