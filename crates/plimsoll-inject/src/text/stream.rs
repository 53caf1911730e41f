//! A text and what it means.

use plimsoll_core::{Diagnostic, Place};
use serde_json::Value;

use super::tree::{Content, NodeId, Tree, Within};
use super::value::{Key, Values};
use super::{Verbatim, lines, read, rewrite};

/// A stream of YAML or JSON documents, with the text that it was read from.
#[derive(Debug)]
pub struct Stream {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) tree: Tree,
    pub(super) documents: Vec<Value>,
}

impl Stream {
    /// Reads a text; `name` is how errors call it: a path, or `stdin`.
    ///
    /// What is refused, with the place: what is not YAML, a template that has not been rendered, a key that is there
    /// twice or is no text, numbers that JSON does not have, and what is nested or aliased beyond any reason.
    pub fn parse(name: &str, text: &str) -> Result<Self, Diagnostic> {
        let tree = read::read(name, text)?;
        let mut values = Values::new(name, text, &tree);
        let documents = tree.roots.iter().map(|root| values.value(root.node)).collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), text: text.to_owned(), tree, documents })
    }

    /// The documents as Kubernetes reads them: scalars as `sigs.k8s.io/yaml` does, aliases and merge keys resolved.
    ///
    /// A document without content is null; a text without any document, such as one of comments only, has none.
    pub fn documents(&self) -> &[Value] {
        &self.documents
    }

    /// The text that was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a node, with the whitespace before it, for a [`Verbatim`] that restores it.
    ///
    /// It is what stands behind its colon or dash, or, if the node begins on a line of its own, the line break and all
    /// of its lines; of an alias it is the alias. The pointer is a JSON pointer. There is none for what stands inside
    /// of what an alias or a merge key names.
    pub fn text_of(&self, document: usize, pointer: &str) -> Option<&str> {
        let (node, rest) = self.nearest(document, pointer)?;
        rest.is_empty().then(|| &self.text[extent(&self.tree, &self.text, node)])
    }

    /// Where the node at a JSON pointer stands; if it does not exist, the nearest one around it.
    pub fn place(&self, document: usize, pointer: &str) -> Option<Place> {
        let (node, _) = self.nearest(document, pointer)?;
        Some(Values::new(&self.name, &self.text, &self.tree).place(node))
    }

    /// The same text, with as few changes as it takes to make its documents equal to `documents`.
    ///
    /// New text looks like its surroundings, unless `verbatim` has a text for a new or replaced node that means the
    /// wanted value. A removed key or item takes its lines with it; comments on lines of their own stay. The result
    /// has been read again: its documents are equal to the wanted ones.
    ///
    /// Taking out again what was inserted gives back the first text, byte for byte, with these exceptions: what was
    /// written out in place of an alias stays so, unless `verbatim` has the alias and its anchor still stands for the
    /// value; so does what was written out beside a merge key; a pair (`[a: 1]`) keeps the braces that an insertion gave it; a
    /// block scalar that the text ended in without a line break keeps its `-` if something was put behind it; and an
    /// object without a name, in a list where others like it came and went, may be written anew.
    ///
    /// # Errors
    ///
    /// `PLM424` if the text does not allow it: nothing is returned that means anything else.
    pub fn rewrite(&self, documents: &[Value], verbatim: &Verbatim) -> Result<String, Diagnostic> {
        rewrite::rewrite(self, documents, verbatim)
    }

    /// The node at a pointer, or as near as one gets, and what is left of the pointer.
    fn nearest<'p>(&self, document: usize, pointer: &'p str) -> Option<(NodeId, &'p str)> {
        let mut node = self.tree.roots.get(document)?.node;
        let mut rest = pointer;
        while let Some(path) = rest.strip_prefix('/') {
            let (token, next) = path.find('/').map_or((path, ""), |slash| path.split_at(slash));
            let Some(child) = self.child(node, &token.replace("~1", "/").replace("~0", "~")) else { break };
            (node, rest) = (child, next);
        }
        Some((node, rest))
    }

    fn child(&self, node: NodeId, token: &str) -> Option<NodeId> {
        let node = &self.tree.nodes[node];
        if matches!(node.content, Content::Sequence { .. }) {
            return node.entries().get(token.parse::<usize>().ok()?).map(|entry| entry.value);
        }
        let values = Values::new(&self.name, &self.text, &self.tree);
        let is_named = |key: &Result<Key, Diagnostic>| matches!(key, Ok(Key::Name(name)) if name == token);
        node.entries().iter().find(|entry| is_named(&values.key(entry))).map(|entry| entry.value)
    }
}

/// The bytes that are a node's own, with the whitespace before it.
pub(super) fn extent(tree: &Tree, text: &str, id: NodeId) -> std::ops::Range<usize> {
    let node = &tree.nodes[id];
    if node.within == Within::Flow {
        return node.lead..node.end;
    }
    let is_next = is_on_next_line(tree, text, id);
    let start = if is_next { lines::end(text, node.lead) } else { node.lead };
    // A comment behind the last line of a block belongs to the block.
    let end = if is_next || node.is_block_collection() { lines::end(text, node.end) } else { node.end };
    start..end
}

/// Whether a node begins on a line below its colon or dash.
pub(super) fn is_on_next_line(tree: &Tree, text: &str, id: NodeId) -> bool {
    let node = &tree.nodes[id];
    text[node.lead..node.start].contains('\n')
}
