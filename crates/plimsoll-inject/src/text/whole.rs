//! Nodes that are written anew as a whole.

use serde_json::{Map, Value};

use super::entries::{self, Change};
use super::render::{self, Behind};
use super::stream::{extent, is_on_next_line};
use super::style::Notation;
use super::tree::{Node, NodeId, Within};
use super::verbatim::Spot;
use super::writer::{Slot, Writer};
use super::{brackets, lines};

impl Writer<'_> {
    /// Writes a node as the caller has it, if that text means the wanted value here.
    pub(super) fn restore(&mut self, id: NodeId, slot: Slot<'_>, wanted: &Value) -> bool {
        let Some(text) = self.verbatim.get(self.document, &self.pointer) else { return false };
        let fits = match slot {
            Slot::Root => false,
            Slot::Block(Behind::Key { column, .. }) => self.means(text, wanted, Spot::Key(column)),
            Slot::Block(Behind::Dash { column }) => self.means(text, wanted, Spot::Dash(column)),
            Slot::Brackets => self.is_bracketed(text, wanted),
        };
        if fits {
            self.forget(self.read(id));
            match slot {
                Slot::Brackets => {
                    let node = self.read(id);
                    self.edits.replace(node.lead..node.end, text);
                }
                _ => self.put(id, text.to_owned()),
            }
        }
        fits
    }

    /// Writes a node anew.
    pub(super) fn replace(&mut self, id: NodeId, slot: Slot<'_>, wanted: &Value) {
        let node = self.read(id);
        self.forget(node);
        match slot {
            Slot::Brackets => {
                let indent = lines::indent(self.text, node.start);
                let text = self.with_breaks(&render::bracketed(wanted, indent, &self.style));
                let space = if node.start == node.end && node.within == Within::Flow { " " } else { "" };
                let start = if node.properties.tag.is_some() {
                    lines::skip(self.text, node.lead)
                } else {
                    node.start
                };
                self.edits.replace(start..node.end, format!("{space}{text}"));
            }
            Slot::Root => {
                let text = match self.style.notation {
                    Notation::Yaml => render::to_yaml(wanted).trim_end().to_owned(),
                    _ => render::bracketed(wanted, "", &self.style),
                };
                let needs_line = !lines::is_first(self.text, node.start);
                let before = if needs_line { self.line_break } else { "" };
                self.edits.replace(node.start..node.end, format!("{before}{}", self.with_breaks(&text)));
            }
            Slot::Block(place) => self.replace_block(id, place, wanted),
        }
    }

    /// An anchor beside a tag goes with it: what names it has to be written out.
    pub(super) fn forget(&mut self, node: &Node) {
        if let (Some(anchor), Some(_)) = (node.properties.anchor, &node.properties.tag) {
            self.anchors.remove(&anchor);
        }
    }

    pub(super) fn replace_block(&mut self, id: NodeId, place: Behind<'_>, wanted: &Value) {
        if wanted.is_null() && is_on_next_line(&self.stream.tree, self.text, id) {
            // What had nothing behind its colon before something was inserted.
            return self.put(id, String::new());
        }
        let text = self.with_breaks(&render::behind(wanted, place, &self.style));
        let was_next = is_on_next_line(&self.stream.tree, self.text, id);
        let follows =
            if was_next { self.read(id).lead } else { extent(&self.stream.tree, self.text, id).end };
        let is_last = lines::is_blank(&self.text[follows..lines::end(self.text, follows)]);
        let stays_on_line = !text.starts_with(['\r', '\n']);
        if stays_on_line && text.contains('\n') && !is_last {
            // A comment follows, which would become part of the text.
            return self.put(id, format!(" {}", render::flow(wanted)));
        }
        self.put(id, text);
    }

    /// Puts what stands behind a colon or dash in the place of a node.
    pub(super) fn put(&mut self, id: NodeId, text: String) {
        let old = extent(&self.stream.tree, self.text, id);
        let lead = self.read(id).lead;
        let was_next = is_on_next_line(&self.stream.tree, self.text, id);
        let is_next = text.starts_with(['\r', '\n']);
        if was_next == is_next {
            self.edits.replace(old, text);
        } else if is_next {
            // Behind the comment of the line.
            self.edits.insert(lines::end(self.text, old.end), text);
            self.edits.replace(old, "");
        } else {
            self.edits.insert(lead, text);
            self.edits.replace(old, "");
        }
    }

    /// Writes a collection of which no entry stays.
    pub(super) fn without_survivors(&mut self, id: NodeId, slot: Slot<'_>, wanted: &Value) {
        let is_empty =
            wanted.as_object().is_some_and(Map::is_empty) || wanted.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            self.replace(id, slot, wanted);
            return;
        }
        let node = self.read(id);
        let entries = node.entries();
        let change =
            Change { text: self.text, tree: &self.stream.tree, entries, stays: &[], insertions: Vec::new() };
        if !node.is_block_collection() {
            brackets::empty(&change, node.start + 1..node.end - 1, &mut self.edits);
        } else if matches!(slot, Slot::Block(_)) && is_on_next_line(&self.stream.tree, self.text, id) {
            self.edits.insert(node.lead, format!(" {wanted}"));
            entries::remove_all(&change, &mut self.edits);
        } else {
            self.replace(id, slot, wanted);
        }
    }

    /// Writes into a collection that is empty.
    pub(super) fn fill(&mut self, id: NodeId, slot: Slot<'_>, wanted: &Value) {
        let node = self.read(id);
        let is_usual = matches!(&self.text[node.lead..node.end], " {}" | " []");
        let is_alone = node.end == lines::end(self.text, node.end);
        // Taking everything out of the block again gives exactly this, if nothing behind it has to keep its line.
        if is_usual
            && (matches!(slot, Slot::Block(Behind::Key { .. })) || is_alone && matches!(slot, Slot::Block(_)))
        {
            return self.replace(id, slot, wanted);
        }
        let text = if node.end - node.start > 2 && self.style.notation != Notation::Yaml {
            // What is between the brackets has to be found again.
            render::spaced(wanted)
        } else {
            render::bracketed(wanted, lines::indent(self.text, node.start), &self.style)
        };
        let inside = text[1..text.len() - 1].trim_matches(' ');
        self.edits.insert(node.start + 1, self.with_breaks(inside));
    }
}
