//! The nodes of a YAML text, each with the bytes that it was read from.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::ScalarStyle;

/// The index of a node in its [`Tree`].
pub(super) type NodeId = usize;

/// All nodes of all documents of one text. Those of a `Tree<Draft>` have not been located yet.
#[derive(Debug)]
pub(super) struct Tree<N = Node> {
    pub(super) nodes: Vec<N>,
    /// The first node of each document.
    pub(super) roots: Vec<Root>,
    /// Which node an anchor stands at, by the parser's number: they are numbered in the order of the text.
    pub(super) anchors: HashMap<usize, NodeId>,
    /// How an anchor is called, by the same number. Several may have one name: an alias means the last one before it.
    pub(super) names: HashMap<usize, String>,
}

/// The first node of a document.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) node: NodeId,
    /// Behind `---`, or where the document begins.
    pub(super) from: usize,
    pub(super) aliases: Aliases,
}

/// Whether a document has aliases, so that a change in one place can show in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Aliases {
    None,
    Some,
}

/// One node as the parser tells it.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) content: Content<Pair>,
    /// Where the parser saw it. Exact for words in quotes or without them, for aliases and for brackets; of a block
    /// scalar it begins behind the header, and of a block collection only the beginning is near.
    pub(super) range: Range<usize>,
    pub(super) properties: Properties,
    pub(super) within: Within,
}

/// One node as it is written. [`super::locate`] makes it from a [`Draft`], and nobody else does.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    /// The first byte of the content, or where it would be if it is empty.
    pub(super) start: usize,
    /// Behind the last byte of the content, without the line break that ends it.
    pub(super) end: usize,
    /// Where the whitespace before the content begins: behind the colon or the dash, or behind an anchor.
    pub(super) lead: usize,
    pub(super) properties: Properties,
    pub(super) within: Within,
}

/// What a node consists of.
#[derive(Debug)]
pub(super) enum Content<E = Entry> {
    Scalar {
        text: String,
        style: ScalarStyle,
    },
    /// Another node, by the number of its anchor.
    Alias(usize),
    Mapping {
        layout: Layout,
        entries: Vec<E>,
    },
    Sequence {
        layout: Layout,
        entries: Vec<E>,
    },
}

/// How a collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One entry a line.
    Block,
    /// In brackets.
    Flow,
    /// A mapping of one entry in a flow sequence, without brackets: `[a: 1]`.
    Pair,
}

/// What kind of collection surrounds a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    Block,
    Flow,
}

/// Anchor and tag of a node.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) anchor: Option<usize>,
    /// The name of one of YAML's own tags, such as `str`; `!` for any other.
    pub(super) tag: Option<String>,
    /// From the first to behind the last of them.
    pub(super) span: Option<Range<usize>>,
}

/// An entry of a mapping, or an item of a sequence, before it is located.
#[derive(Debug)]
pub(super) struct Pair {
    /// Nothing in a sequence.
    pub(super) key: Option<NodeId>,
    pub(super) value: NodeId,
}

/// An entry of a mapping, or an item of a sequence.
#[derive(Debug)]
pub(super) struct Entry {
    /// Where it begins: at its key, `?` or dash.
    pub(super) start: usize,
    /// Nothing in a sequence.
    pub(super) key: Option<NodeId>,
    /// Behind the colon or the dash; nothing if there is no colon.
    pub(super) header: Option<usize>,
    pub(super) value: NodeId,
}

impl<N> Default for Tree<N> {
    fn default() -> Self {
        Self { nodes: Vec::new(), roots: Vec::new(), anchors: HashMap::new(), names: HashMap::new() }
    }
}

impl Tree {
    /// Where an entry ends, without the rest of its line.
    pub(super) fn end_of(&self, entry: &Entry) -> usize {
        let key = entry.key.map_or(entry.start, |key| self.nodes[key].end);
        key.max(entry.header.unwrap_or(0)).max(self.nodes[entry.value].end)
    }

    /// The node that an alias stands for; any other node itself.
    pub(super) fn target(&self, id: NodeId) -> NodeId {
        match self.nodes[id].content {
            Content::Alias(anchor) => self.anchors.get(&anchor).copied().unwrap_or(id),
            _ => id,
        }
    }
}

impl Draft {
    /// Where the properties or the content begin.
    pub(super) fn outer(&self) -> usize {
        self.properties.span.as_ref().map_or(self.range.start, |span| span.start.min(self.range.start))
    }
}

impl Node {
    /// The entries of a collection; none of anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Mapping { entries, .. } | Content::Sequence { entries, .. } => entries,
            _ => &[],
        }
    }

    pub(super) fn is_block_collection(&self) -> bool {
        matches!(
            self.content,
            Content::Mapping { layout: Layout::Block, .. } | Content::Sequence { layout: Layout::Block, .. }
        )
    }
}
