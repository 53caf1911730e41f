//! The walk over the nodes of a document: each is compared with what it is to be, and changed where it differs.

use std::collections::HashMap;

use plimsoll_core::Diagnostic;
use serde_json::Value;

use super::edits::Edits;
use super::render::Behind;
use super::rewrite::escaped;
use super::style::Style;
use super::tree::{Aliases, Content, Entry, Layout, Node, NodeId, Within};
use super::value::Values;
use super::verbatim::{Spot, Verbatim, means};
use super::{Stream, lines};

#[derive(Clone, Copy, Debug)]
pub(super) enum Slot<'a> {
    Root,
    Block(Behind<'a>),
    Brackets,
}

pub(super) struct Writer<'a> {
    pub(super) stream: &'a Stream,
    /// The text of the stream, with a line break at its end.
    pub(super) text: &'a str,
    pub(super) document: usize,
    pub(super) verbatim: &'a Verbatim,
    pub(super) style: Style,
    pub(super) line_break: &'static str,
    pub(super) edits: Edits,
    /// What the anchors so far will stand for.
    pub(super) anchors: HashMap<usize, Value>,
    pub(super) aliases: Aliases,
    /// Where in the wanted document we are.
    pub(super) pointer: String,
}

impl<'a> Writer<'a> {
    pub(super) fn read(&self, id: NodeId) -> &'a Node {
        &self.stream.tree.nodes[id]
    }

    /// Changes one node from what it is to what it is to be.
    pub(super) fn node(
        &mut self,
        id: NodeId,
        slot: Slot<'_>,
        current: &Value,
        wanted: &Value,
    ) -> Result<(), Diagnostic> {
        let node = self.read(id);
        if let (Aliases::Some, Some(anchor)) = (self.aliases, node.properties.anchor) {
            self.anchors.insert(anchor, wanted.clone());
        }
        if let Content::Alias(anchor) = node.content {
            // What the anchor becomes decides, not what it was.
            if self.anchors.get(&anchor) != Some(wanted) {
                self.replace(id, slot, wanted);
            }
            return Ok(());
        }
        if current == wanted && self.aliases == Aliases::None {
            return Ok(());
        }
        if (current != wanted || self.was_alias()) && self.restore(id, slot, wanted) {
            return Ok(());
        }
        match (&node.content, current, wanted) {
            (Content::Mapping { layout, .. }, Value::Object(_), Value::Object(wanted_map))
                if *layout != Layout::Pair =>
            {
                self.mapping(id, slot, current, wanted_map, wanted)
            }
            (Content::Sequence { .. }, Value::Array(current), Value::Array(items)) => {
                self.sequence(id, slot, current, items, wanted)
            }
            _ if current == wanted => Ok(()),
            _ => {
                self.replace(id, slot, wanted);
                Ok(())
            }
        }
    }

    pub(super) fn within<T>(&mut self, token: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&escaped(token));
        let result = act(self);
        self.pointer.truncate(length);
        result
    }

    pub(super) fn slot_of<'n>(&self, parent: &Node, entry: &Entry, name: Option<&'n str>) -> Slot<'n> {
        if parent.within == Within::Flow || !parent.is_block_collection() {
            return Slot::Brackets;
        }
        let column = lines::column(self.text, entry.start);
        Slot::Block(name.map_or(Behind::Dash { column }, |name| Behind::Key { name, column }))
    }

    /// Whether the caller wants an alias here: it may have been written out although its value did not change.
    fn was_alias(&self) -> bool {
        self.verbatim.get(self.document, &self.pointer).is_some_and(|text| text.trim_start().starts_with('*'))
    }

    /// Whether a text means a value at a spot, with the aliases in it.
    pub(super) fn means(&self, text: &str, wanted: &Value, spot: Spot) -> bool {
        means(text, wanted, spot, &self.named())
    }

    /// What the names of the anchors so far will stand for; of several with one name, the last one.
    fn named(&self) -> Vec<(&str, &Value)> {
        let mut numbers: Vec<&usize> = self.anchors.keys().collect();
        numbers.sort();
        let named = numbers.into_iter().filter_map(|number| {
            Some((self.stream.tree.names.get(number)?.as_str(), self.anchors.get(number)?))
        });
        named.collect::<HashMap<_, _>>().into_iter().collect()
    }

    pub(super) fn values_of_text(&self) -> Values<'a> {
        Values::new(&self.stream.name, &self.stream.text, &self.stream.tree)
    }
}
