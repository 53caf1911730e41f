//! The exact bytes of every node: what the parser does not tell, read from the text.

use granit_parser::ScalarStyle;

use super::lines;
use super::tree::{Content, Layout, NodeId, Tree};

/// Completes the spans of all nodes.
pub(super) fn locate(text: &str, tree: &mut Tree) {
    for index in 0..tree.roots.len() {
        let (node, from) = (tree.roots[index].node, tree.roots[index].from);
        Locator { text, tree }.node(node, from);
    }
}

struct Locator<'a> {
    text: &'a str,
    tree: &'a mut Tree,
}

impl Locator<'_> {
    /// Completes a node of which is known that it begins at or behind `from`.
    fn node(&mut self, id: NodeId, from: usize) {
        let node = &mut self.tree.nodes[id];
        let lead = node.properties.span.as_ref().map_or(from, |span| span.end.max(from));
        let is_tagged = node.properties.tag.is_some() && matches!(node.content, Content::Scalar { .. });
        // The tag of a scalar goes with it: another value is of another kind.
        node.lead = if is_tagged { from } else { lead };
        match &node.content {
            Content::Scalar { style, .. } => match style {
                ScalarStyle::Literal | ScalarStyle::Folded => self.block_scalar(id, lead),
                _ if node.start == node.end => (node.start, node.end) = (lead, lead),
                _ => {}
            },
            Content::Alias(_) => {}
            Content::Mapping { layout, .. } => {
                let layout = *layout;
                let from = if layout == Layout::Flow { node.start + 1 } else { lead };
                self.mapping(id, from);
                self.grow(id, layout);
            }
            Content::Sequence { layout, .. } => {
                let layout = *layout;
                let from = if layout == Layout::Flow { node.start + 1 } else { lead };
                self.sequence(id, from, layout);
                self.grow(id, layout);
            }
        }
    }

    /// A collection without brackets is as long as its entries.
    fn grow(&mut self, id: NodeId, layout: Layout) {
        let entries = self.tree.nodes[id].entries();
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return };
        let (start, end) = (first.start, self.tree.end_of(last));
        if layout != Layout::Flow {
            let node = &mut self.tree.nodes[id];
            (node.start, node.end) = (start, end);
        }
    }

    fn mapping(&mut self, id: NodeId, from: usize) {
        let mut at = from;
        for index in 0..self.tree.nodes[id].entries().len() {
            let mut entry = self.tree.nodes[id].entries()[index].clone();
            if let Some(key) = entry.key {
                let outer = self.tree.nodes[key].outer();
                self.node(key, outer);
                entry.start = self.question_mark(outer, at);
                let end = self.tree.nodes[key].end;
                entry.header = lines::find(self.text, end, b":").map(|colon| colon + 1);
                self.node(entry.value, entry.header.unwrap_or(end));
            }
            at = self.tree.end_of(&entry);
            self.put(id, index, entry);
        }
    }

    fn sequence(&mut self, id: NodeId, from: usize, layout: Layout) {
        let mut at = from;
        for index in 0..self.tree.nodes[id].entries().len() {
            let mut entry = self.tree.nodes[id].entries()[index].clone();
            let outer = self.tree.nodes[entry.value].outer();
            entry.start = match layout {
                Layout::Block => lines::find(self.text, at, b"-").unwrap_or(outer),
                Layout::Flow | Layout::Pair => outer,
            };
            let header = if layout == Layout::Block { entry.start + 1 } else { outer };
            entry.header = Some(header);
            self.node(entry.value, header);
            at = self.tree.end_of(&entry);
            self.put(id, index, entry);
        }
    }

    fn put(&mut self, id: NodeId, index: usize, entry: super::tree::Entry) {
        match &mut self.tree.nodes[id].content {
            Content::Mapping { entries, .. } | Content::Sequence { entries, .. } => entries[index] = entry,
            Content::Scalar { .. } | Content::Alias(_) => {}
        }
    }

    /// An explicit key begins with its question mark.
    fn question_mark(&self, key: usize, from: usize) -> usize {
        let before = self.text[from.min(key)..key].trim_end_matches([' ', '\t']);
        if before.ends_with('?') { from + before.len() - 1 } else { key }
    }

    /// The parser tells where the text of a block scalar begins, not its `|`, and its end includes what follows.
    fn block_scalar(&mut self, id: NodeId, lead: usize) {
        let Some(start) = lines::find(self.text, lead, b"|>") else { return };
        let header = &self.text[start..];
        let indicators = header[1..].chars().take_while(|c| matches!(c, '+' | '-' | '0'..='9')).count();
        let header_end = start + 1 + indicators;
        let node = &mut self.tree.nodes[id];
        let end = node.end.max(header_end);
        node.start = start;
        let body = &self.text[header_end..end];
        node.end = if header[1..=indicators].contains('+') {
            header_end + kept(body, self.text.len() == end)
        } else {
            header_end + trimmed(body)
        };
    }
}

/// How long a body is without the whitespace behind it; nothing if there is only a comment behind the indicator.
fn trimmed(body: &str) -> usize {
    match body.find('\n') {
        Some(newline) if !lines::is_blank(&body[newline..]) => {
            body.trim_end_matches([' ', '\t', '\r', '\n']).len()
        }
        _ => 0,
    }
}

/// How long a body is whose empty lines count, without the last line break and the indentation of what follows.
fn kept(body: &str, is_last: bool) -> usize {
    let Some(newline) = body.rfind('\n') else { return 0 };
    if is_last && !lines::is_blank(&body[newline..]) {
        return body.len();
    }
    if newline > 0 && body.as_bytes()[newline - 1] == b'\r' { newline - 1 } else { newline }
}
