//! Changes of mappings.

use plimsoll_core::Diagnostic;
use serde_json::{Map, Value};

use super::entries::{self, Change, Insertion};
use super::merge::{Entries, plan};
use super::tree::{Aliases, Content, Entry, Node, NodeId};
use super::value::Key;
use super::writer::{Slot, Writer};
use super::{brackets, lines, render, trouble};

impl<'a> Writer<'a> {
    pub(super) fn mapping(
        &mut self,
        id: NodeId,
        slot: Slot<'_>,
        current: &Value,
        wanted: &Map<String, Value>,
        whole: &Value,
    ) -> Result<(), Diagnostic> {
        let node = self.read(id);
        let entries = node.entries();
        let plan = plan(&self.values(node, current, wanted)?, wanted);
        if !plan.stays.contains(&true) && !entries.is_empty() {
            self.without_survivors(id, slot, whole);
            return Ok(());
        }
        if entries.is_empty() {
            if !wanted.is_empty() {
                self.fill(id, slot, whole);
            }
            return Ok(());
        }
        let style = self.local_style(node);
        let change = Change {
            text: self.text,
            tree: &self.stream.tree,
            entries,
            stays: &plan.stays,
            insertions: Vec::new(),
        };
        if node.is_block_collection() {
            let column = lines::column(self.text, entries[0].start);
            let text = |name: &str| self.new_entry(name, &wanted[name], column, &style);
            let insertions =
                plan.new.iter().map(|(name, after)| Insertion { after: *after, text: text(name) }).collect();
            entries::change(&Change { insertions, ..change }, self.line_break, &mut self.edits);
        } else {
            let separator = brackets::separator(&change, node.start + 1..node.end - 1, self.usual_gap());
            let text = |name: &str| self.new_bracketed(Some(name), &wanted[name], &separator.indent);
            let insertions =
                plan.new.iter().map(|(name, after)| Insertion { after: *after, text: text(name) }).collect();
            brackets::change(&Change { insertions, ..change }, &separator, &mut self.edits);
        }
        Ok(())
    }

    /// Changes the values of the keys that stay, in the order of the text, and says what each entry is.
    pub(super) fn values(
        &mut self,
        node: &'a Node,
        current: &Value,
        wanted: &Map<String, Value>,
    ) -> Result<Entries, Diagnostic> {
        let (mut keys, mut merges) = (Vec::new(), Vec::new());
        for entry in node.entries() {
            let key = self.values_of_text().key(entry)?;
            let mut merge = None;
            match &key {
                Key::Merge => merge = self.merge(entry.value)?,
                Key::Name(name) => {
                    if let (Some(current), Some(wanted)) =
                        (self.own_value(node, entry, name, current)?, wanted.get(name))
                    {
                        self.value_of(node, entry, name, &current, wanted)?;
                    }
                }
            }
            keys.push(key);
            merges.push(merge);
        }
        Ok(Entries { keys, merges })
    }

    /// The value that an entry itself has: a merge key behind it may hide it.
    pub(super) fn own_value(
        &self,
        node: &Node,
        entry: &Entry,
        name: &str,
        current: &Value,
    ) -> Result<Option<Value>, Diagnostic> {
        let has_merge = self.aliases == Aliases::Some
            && node.entries().iter().any(|entry| matches!(self.values_of_text().key(entry), Ok(Key::Merge)));
        if has_merge {
            self.values_of_text().value(entry.value).map(Some)
        } else {
            Ok(current.get(name).cloned())
        }
    }

    pub(super) fn value_of(
        &mut self,
        node: &Node,
        entry: &Entry,
        name: &str,
        current: &Value,
        wanted: &Value,
    ) -> Result<(), Diagnostic> {
        let slot = self.slot_of(node, entry, Some(name));
        if entry.header.is_some() {
            return self.within(name, |writer| writer.node(entry.value, slot, current, wanted));
        }
        if current == wanted {
            return Ok(());
        }
        // A key without a colon.
        let key = entry.key.map_or(entry.start, |key| self.read(key).end);
        match slot {
            Slot::Brackets => {
                self.edits.insert(key, format!(": {}", render::bracketed(wanted, "", &self.style)));
            }
            _ => {
                return Err(trouble::uneditable(format!("the key `{name}` has no value"))
                    .at(self.values_of_text().place(entry.value)));
            }
        }
        Ok(())
    }

    /// What a merge key will add once everything is changed; nothing if what it names will not be there.
    pub(super) fn merge(&mut self, id: NodeId) -> Result<Option<Map<String, Value>>, Diagnostic> {
        let node = self.read(id);
        match &node.content {
            Content::Alias(anchor) => Ok(self.anchors.get(anchor).and_then(Value::as_object).cloned()),
            Content::Sequence { entries, .. } => {
                let mut map = Map::new();
                for entry in entries.iter().rev() {
                    let Some(more) = self.merge(entry.value)? else { return Ok(None) };
                    map.extend(more);
                }
                Ok(Some(map))
            }
            _ => {
                let value = self.values_of_text().value(id)?;
                self.node(id, Slot::Brackets, &value, &value)?;
                Ok(value.as_object().cloned())
            }
        }
    }
}
