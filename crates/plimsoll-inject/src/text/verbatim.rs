//! Texts that are to be used for certain nodes.

use std::collections::HashMap;

use serde_json::Value;

use super::Stream;

/// Texts for nodes that are to be written exactly so, by document and JSON pointer of the wanted documents.
///
/// They come from [`Stream::text_of`]. A text is used where its node is new or replaced, and only if it means the
/// wanted value there: what is stored in an annotation may have been changed by hand.
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

/// Whether a text means a value at a spot, and nothing else beside it.
pub(super) fn means(text: &str, wanted: &Value, spot: Spot) -> bool {
    let indent = |column| super::render::spaces(column);
    let (fragment, pointer) = match spot {
        Spot::Key(column) => (format!("{}k:{text}\n", indent(column)), "/k"),
        Spot::Dash(column) => (format!("{}-{text}\n", indent(column)), "/0"),
        Spot::Brackets => (format!("[{text}]\n"), "/0"),
    };
    let Ok(stream) = Stream::parse("text", &fragment) else { return false };
    let [document] = stream.documents() else { return false };
    let count = document.as_object().map(serde_json::Map::len).or(document.as_array().map(Vec::len));
    count == Some(1) && document.pointer(pointer) == Some(wanted)
}
