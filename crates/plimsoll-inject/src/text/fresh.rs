//! The text of new entries: the caller's where it means the wanted value, otherwise in the style of the surroundings.

use serde_json::Value;

use super::render::{self, Behind};
use super::rewrite::escaped;
use super::stream::is_on_next_line;
use super::style::{self, Notation, Style};
use super::tree::{Content, Node};
use super::verbatim::Spot;
use super::words;
use super::writer::Writer;

impl Writer<'_> {
    pub(super) fn new_entry(&self, name: &str, value: &Value, column: usize, style: &Style) -> String {
        let pointer = format!("{}/{}", self.pointer, escaped(name));
        let verbatim = self.verbatim.get(self.document, &pointer);
        match verbatim.filter(|text| self.means(text, value, Spot::Key(column))) {
            Some(text) => format!("{}:{text}", words::key(name)),
            None => self.with_breaks(&render::entry(name, value, column, style)),
        }
    }

    pub(super) fn new_item(&self, index: usize, value: &Value, column: usize, style: &Style) -> String {
        let pointer = format!("{}/{index}", self.pointer);
        let verbatim = self.verbatim.get(self.document, &pointer);
        match verbatim.filter(|text| self.means(text, value, Spot::Dash(column))) {
            Some(text) => format!("-{text}"),
            None => self.with_breaks(&format!("-{}", render::behind(value, Behind::Dash { column }, style))),
        }
    }

    pub(super) fn new_bracketed(&self, name: Option<&str>, value: &Value, indent: &str) -> String {
        let Some(name) = name else {
            return self.with_breaks(&render::bracketed(value, indent, &self.style));
        };
        let pointer = format!("{}/{}", self.pointer, escaped(name));
        let verbatim =
            self.verbatim.get(self.document, &pointer).filter(|text| self.is_bracketed(text, value));
        let text = render::bracketed_entry(name, value, indent, &self.style);
        match verbatim {
            Some(text) => {
                let name = render::bracketed_entry(name, &Value::Null, indent, &self.style);
                let key = name.trim_end_matches("null").trim_end();
                format!("{key}{text}")
            }
            None => self.with_breaks(&text),
        }
    }

    pub(super) fn new_bracketed_item(&self, index: usize, value: &Value, indent: &str) -> String {
        let pointer = format!("{}/{index}", self.pointer);
        let verbatim =
            self.verbatim.get(self.document, &pointer).filter(|text| self.is_bracketed(text, value));
        verbatim.map_or_else(|| self.new_bracketed(None, value, indent), str::to_owned)
    }

    /// Whether a text means a value inside of the brackets of this document: JSON has to stay JSON.
    pub(super) fn is_bracketed(&self, text: &str, value: &Value) -> bool {
        if self.style.notation == Notation::Yaml {
            // Nothing behind a colon is null.
            return self.means(text, value, Spot::Brackets) || text.is_empty() && value.is_null();
        }
        serde_json::from_str::<Value>(text).is_ok_and(|found| found == *value)
    }

    pub(super) fn usual_gap(&self) -> &'static str {
        if self.style.notation == Notation::OneLine("") { "" } else { " " }
    }

    pub(super) fn with_breaks(&self, text: &str) -> String {
        if self.line_break == "\n" { text.to_owned() } else { text.replace('\n', self.line_break) }
    }

    /// The style of the document, with what the entries of this collection do.
    pub(super) fn local_style(&self, node: &Node) -> Style {
        let mut style = self.style.clone();
        for entry in node.entries() {
            let value = self.read(entry.value);
            let is_sequence = matches!(value.content, Content::Sequence { .. });
            let offset = style::offset(self.text, &self.stream.tree, entry.start, entry.value);
            match offset {
                Some(offset) if entry.key.is_some() && is_sequence => style.dash = offset,
                Some(offset) if entry.key.is_some() && offset > 0 => style.unit = offset,
                _ => {}
            }
            let is_behind = entry.key.is_none()
                && value.is_block_collection()
                && !is_on_next_line(&self.stream.tree, self.text, entry.value);
            if is_behind && value.start > entry.start {
                style.width = value.start - entry.start;
            }
        }
        style
    }
}
