//! Changes of sequences.

use plimsoll_core::Diagnostic;
use serde_json::Value;

use super::align::{Pinned, Step, align};
use super::entries::{self, Change, Insertion};
use super::tree::{Node, NodeId};
use super::writer::{Slot, Writer};
use super::{brackets, lines};

impl<'a> Writer<'a> {
    pub(super) fn sequence(
        &mut self,
        id: NodeId,
        slot: Slot<'_>,
        current: &[Value],
        wanted: &[Value],
        whole: &Value,
    ) -> Result<(), Diagnostic> {
        let node = self.read(id);
        let entries = node.entries();
        let steps = align(current, wanted, |index| self.pinned(index));
        let mut stays = vec![false; entries.len()];
        let mut new = Vec::new();
        let mut after = None;
        for step in steps {
            match step {
                Step::Keep(one, other) => {
                    (stays[one], after) = (true, Some(one));
                    let slot = self.slot_of(node, &entries[one], None);
                    let value = entries[one].value;
                    self.within(&other.to_string(), |writer| {
                        writer.node(value, slot, &current[one], &wanted[other])
                    })?;
                }
                Step::Remove(_) => {}
                Step::Insert(other) => new.push((other, after)),
            }
        }
        if !stays.contains(&true) && !entries.is_empty() {
            self.without_survivors(id, slot, whole);
            return Ok(());
        }
        if entries.is_empty() {
            if !wanted.is_empty() {
                self.fill(id, slot, whole);
            }
            return Ok(());
        }
        self.change_items(node, &stays, &new, wanted);
        Ok(())
    }

    pub(super) fn change_items(
        &mut self,
        node: &'a Node,
        stays: &[bool],
        new: &[(usize, Option<usize>)],
        wanted: &[Value],
    ) {
        let entries = node.entries();
        let change =
            Change { text: self.text, tree: &self.stream.tree, entries, stays, insertions: Vec::new() };
        if node.is_block_collection() {
            let column = lines::column(self.text, entries[0].start);
            let style = self.local_style(node);
            let text = |index: usize| self.new_item(index, &wanted[index], column, &style);
            let insertions =
                new.iter().map(|(index, after)| Insertion { after: *after, text: text(*index) }).collect();
            entries::change(&Change { insertions, ..change }, self.line_break, &mut self.edits);
        } else {
            let separator = brackets::separator(&change, node.start + 1..node.end - 1, self.usual_gap());
            let text = |index: usize| self.new_bracketed_item(index, &wanted[index], &separator.indent);
            let insertions =
                new.iter().map(|(index, after)| Insertion { after: *after, text: text(*index) }).collect();
            brackets::change(&Change { insertions, ..change }, &separator, &mut self.edits);
        }
    }

    pub(super) fn pinned(&self, index: usize) -> Pinned {
        let pointer = format!("{}/{index}", self.pointer);
        if self.verbatim.get(self.document, &pointer).is_some() { Pinned::Yes } else { Pinned::No }
    }
}
