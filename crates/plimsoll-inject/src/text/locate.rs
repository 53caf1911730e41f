//! The exact bytes of every node: what the parser does not tell, read from the text.

use std::ops::Range;

use granit_parser::ScalarStyle;

use super::lines;
use super::tree::{Content, Draft, Entry, Layout, Node, NodeId, Pair, Tree};

/// Finds the places of all nodes, each from the end of what stands before it.
pub(super) fn locate(text: &str, draft: Tree<Draft>) -> Tree {
    let nodes = draft.nodes.iter().map(|_| None).collect();
    let mut locator = Locator { text, drafts: draft.nodes.into_iter().map(Some).collect(), nodes };
    for root in &draft.roots {
        // The parser takes the first bracket of a document without `---` for its beginning.
        let from = root.from.min(locator.outer(root.node));
        locator.node(root.node, from);
    }
    // Every node is below a root: then each has its place, and its number is still its own.
    let nodes = locator.nodes.into_iter().flatten().collect();
    Tree { nodes, roots: draft.roots, anchors: draft.anchors, names: draft.names }
}

struct Locator<'t> {
    text: &'t str,
    /// What has no place yet.
    drafts: Vec<Option<Draft>>,
    /// What has.
    nodes: Vec<Option<Node>>,
}

impl Locator<'_> {
    /// Locates a node of which is known that it begins at or behind `from`; says where it ends.
    fn node(&mut self, id: NodeId, from: usize) -> usize {
        let Some(Draft { content, range, properties, within }) = self.drafts[id].take() else { return from };
        let behind = properties.span.as_ref().map_or(from, |span| span.end.max(from));
        let is_tagged = properties.tag.is_some() && matches!(content, Content::Scalar { .. });
        // The tag of a scalar goes with it: another value is of another kind.
        let lead = if is_tagged { from } else { behind };
        let (content, range) = match content {
            Content::Scalar { text, style } => {
                let range = self.scalar(style, range, behind);
                (Content::Scalar { text, style }, range)
            }
            Content::Alias(anchor) => (Content::Alias(anchor), range),
            Content::Mapping { layout, entries } => {
                let (entries, range) = self.mapping(layout, entries, range, behind);
                (Content::Mapping { layout, entries }, range)
            }
            Content::Sequence { layout, entries } => {
                let (entries, range) = self.sequence(layout, entries, range, behind);
                (Content::Sequence { layout, entries }, range)
            }
        };
        let (start, end) = (range.start, range.end);
        self.nodes[id] = Some(Node { content, start, end, lead, properties, within });
        end
    }

    fn scalar(&self, style: ScalarStyle, range: Range<usize>, from: usize) -> Range<usize> {
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => self.block_scalar(range, from),
            _ if range.is_empty() => from..from,
            _ => range,
        }
    }

    fn mapping(
        &mut self,
        layout: Layout,
        pairs: Vec<Pair>,
        range: Range<usize>,
        from: usize,
    ) -> (Vec<Entry>, Range<usize>) {
        let mut at = if layout == Layout::Flow { range.start + 1 } else { from };
        let mut entries = Vec::with_capacity(pairs.len());
        for Pair { key, value } in pairs {
            let (mut start, mut header) = (at, None);
            if let Some(key) = key {
                let outer = self.outer(key);
                let end = self.node(key, outer);
                start = self.question_mark(outer, at);
                header = lines::find(self.text, end, b":").map(|colon| colon + 1);
                at = end.max(header.unwrap_or(end));
            }
            at = at.max(self.node(value, at));
            entries.push(Entry { start, key, header, value });
        }
        let range = extent(layout, &entries, range, at);
        (entries, range)
    }

    fn sequence(
        &mut self,
        layout: Layout,
        pairs: Vec<Pair>,
        range: Range<usize>,
        from: usize,
    ) -> (Vec<Entry>, Range<usize>) {
        let mut at = if layout == Layout::Flow { range.start + 1 } else { from };
        let mut entries = Vec::with_capacity(pairs.len());
        for Pair { value, .. } in pairs {
            let outer = self.outer(value);
            let (start, header) = match layout {
                Layout::Block => {
                    let dash = lines::find(self.text, at, b"-").unwrap_or(outer);
                    (dash, dash + 1)
                }
                Layout::Flow | Layout::Pair => (outer, outer),
            };
            at = header.max(self.node(value, header));
            entries.push(Entry { start, key: None, header: Some(header), value });
        }
        let range = extent(layout, &entries, range, at);
        (entries, range)
    }

    fn outer(&self, id: NodeId) -> usize {
        self.drafts[id].as_ref().map_or(0, Draft::outer)
    }

    /// An explicit key begins with its question mark.
    fn question_mark(&self, key: usize, from: usize) -> usize {
        let before = self.text[from.min(key)..key].trim_end_matches([' ', '\t']);
        if before.ends_with('?') { from + before.len() - 1 } else { key }
    }

    /// The parser tells where the text of a block scalar begins, not its `|`, and its end includes what follows.
    fn block_scalar(&self, range: Range<usize>, from: usize) -> Range<usize> {
        let Some(start) = lines::find(self.text, from, b"|>") else { return range };
        let header = &self.text[start..];
        let indicators = header[1..].chars().take_while(|c| matches!(c, '+' | '-' | '0'..='9')).count();
        let header_end = start + 1 + indicators;
        let end = range.end.max(header_end);
        let body = &self.text[header_end..end];
        let length =
            if header[1..=indicators].contains('+') { kept(body, &self.text[end..]) } else { trimmed(body) };
        start..header_end + length
    }
}

/// A collection without brackets is as long as its entries.
fn extent(layout: Layout, entries: &[Entry], range: Range<usize>, end: usize) -> Range<usize> {
    match entries.first() {
        Some(first) if layout != Layout::Flow => first.start..end,
        _ => range,
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
fn kept(body: &str, behind: &str) -> usize {
    let Some(newline) = body.rfind('\n') else { return 0 };
    if behind.is_empty() && !lines::is_blank(&body[newline..]) {
        return body.len();
    }
    if newline > 0 && body.as_bytes()[newline - 1] == b'\r' { newline - 1 } else { newline }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::read::read;

    fn check(name: &str, text: &str) -> usize {
        let tree = read(name, text).unwrap();
        for node in &tree.nodes {
            let at = format!("{name}: {node:?}");
            assert!(node.lead <= node.start && node.start <= node.end && node.end <= text.len(), "{at}");
            let is_tagged = node.properties.tag.is_some() && matches!(node.content, Content::Scalar { .. });
            let begins = lines::skip(text, node.lead);
            // A word in block style that is not there stands directly behind its colon.
            assert!(is_tagged || begins >= node.start, "{at}");
            let end = text[..node.end].trim_end_matches([' ', '\t']).len();
            let keeps =
                matches!(&node.content, Content::Scalar { style, .. } if *style != ScalarStyle::Plain);
            assert!(keeps || node.start == node.end || end == node.end, "{at}");
            let mut last = node.start;
            for entry in node.entries() {
                assert!(last <= entry.start && tree.end_of(entry) <= node.end, "{at} {entry:?}");
                last = tree.end_of(entry);
            }
        }
        tree.nodes.len()
    }

    #[test]
    fn nodes_lie_where_the_other_modules_rely_on_it() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/awkward");
        let mut nodes = 0;
        let paths = directory.read_dir().unwrap().map(|entry| entry.unwrap().path());
        for path in paths.filter(|path| path.extension().is_some()) {
            nodes += check(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
        }
        assert!(nodes > 300, "only {nodes} nodes were looked at");
        for text in [
            "a: !!str 1 # x",
            "- &a # b\n  x: 1\n-\n",
            "? a\n: b\n",
            "a: |+\n  x\n\n\nb: >-\n y",
            "[a: , {}]",
        ] {
            check(text, text);
        }
    }
}
