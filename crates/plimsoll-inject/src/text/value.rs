//! From nodes to values.

use plimsoll_core::{Diagnostic, Place};
use serde_json::{Map, Value};

use granit_parser::ScalarStyle;

use super::tree::{Content, Entry, Node, NodeId, Tree, Within};
use super::{scalar, trouble};

/// As many values as aliases may stand for: a bomb has billions, a manifest a few.
const MOST_ALIASED: usize = 200_000;

/// As deep as values may be nested once aliases are resolved, so that no stack overflows.
const DEEPEST: usize = 400;

/// Reads values from a tree.
pub(super) struct Values<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) tree: &'a Tree,
    /// The anchors whose aliases are being read, from the outermost.
    inside: Vec<usize>,
    aliased: usize,
    depth: usize,
}

/// What a key of a mapping is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key {
    Name(String),
    /// `<<`: the entries of another mapping.
    Merge,
}

impl<'a> Values<'a> {
    pub(super) fn new(name: &'a str, text: &'a str, tree: &'a Tree) -> Self {
        Self { name, text, tree, inside: Vec::new(), aliased: 0, depth: 0 }
    }

    /// The value of a node, with aliases and merge keys resolved.
    pub(super) fn value(&mut self, id: NodeId) -> Result<Value, Diagnostic> {
        self.count(id)?;
        self.depth += 1;
        let value = match &self.tree.nodes[id].content {
            Content::Scalar { text, style } => self.scalar(id, text, *style),
            Content::Alias(anchor) => self.alias(id, *anchor),
            Content::Sequence { entries, .. } => entries
                .iter()
                .map(|entry| self.value(entry.value))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Content::Mapping { entries, .. } => self.mapping(entries).map(Value::Object),
        };
        self.depth -= 1;
        value
    }

    fn count(&mut self, id: NodeId) -> Result<(), Diagnostic> {
        self.aliased += usize::from(!self.inside.is_empty());
        let what = if self.aliased > MOST_ALIASED {
            format!("the aliases stand for more than {MOST_ALIASED} values")
        } else if self.depth > DEEPEST {
            format!("more than {DEEPEST} values are nested, with what the aliases stand for")
        } else {
            return Ok(());
        };
        Err(trouble::too_much(&what).at(self.place(id)))
    }

    /// The key of an entry of a mapping.
    pub(super) fn key(&self, entry: &Entry) -> Result<Key, Diagnostic> {
        let Some(id) = entry.key else { return Ok(Key::Merge) };
        self.refuse_two_readings(id, entry)?;
        if is_merge(&self.tree.nodes[id]) {
            return Ok(Key::Merge);
        }
        let target = self.tree.target(id);
        let value = match &self.tree.nodes[target].content {
            Content::Scalar { text, style } => self.scalar(target, text, *style)?,
            _ => Value::Null,
        };
        match value {
            Value::String(text) => Ok(Key::Name(text)),
            Value::Bool(_) | Value::Number(_) => Ok(Key::Name(value.to_string())),
            _ => Err(self.unreadable(id, "a key has to be a text")),
        }
    }

    /// Where a node stands.
    pub(super) fn place(&self, id: NodeId) -> Place {
        let node = &self.tree.nodes[id];
        // A whole collection would be marked over many lines: its beginning is enough.
        let end = self.text[node.start..node.end].find('\n').map_or(node.end, |newline| node.start + newline);
        Place::new(self.name, self.text, node.start..end.max(node.start))
    }

    /// `[a:]` is a mapping by the specification, and the word `a:` for Kubernetes' reader.
    fn refuse_two_readings(&self, key: NodeId, entry: &Entry) -> Result<(), Diagnostic> {
        let node = &self.tree.nodes[key];
        let is_bare = matches!(node.content, Content::Scalar { style: ScalarStyle::Plain, .. });
        let behind = entry.header.and_then(|header| self.text.as_bytes().get(header));
        if node.within == Within::Flow && is_bare && behind.is_some_and(|byte| b",[]{}".contains(byte)) {
            let why =
                "this colon is read in two ways: put a space behind it, or quotes around the whole word";
            return Err(self.unreadable(key, why));
        }
        Ok(())
    }

    fn mapping(&mut self, entries: &[Entry]) -> Result<Map<String, Value>, Diagnostic> {
        let mut map = Map::new();
        let mut own = std::collections::HashSet::new();
        for entry in entries {
            match self.key(entry)? {
                // In the order of the text, as Kubernetes' reader does: what comes later wins.
                Key::Merge => map.extend(self.merged(entry.value)?),
                Key::Name(name) => {
                    if !own.insert(name.clone()) {
                        let key = entry.key.unwrap_or(entry.value);
                        return Err(self.unreadable(key, &format!("the key `{name}` is there twice")));
                    }
                    let value = self.value(entry.value)?;
                    map.insert(name, value);
                }
            }
        }
        Ok(map)
    }

    /// What the value of a merge key adds.
    fn merged(&mut self, id: NodeId) -> Result<Map<String, Value>, Diagnostic> {
        let target = self.tree.target(id);
        if let Content::Sequence { entries, .. } = &self.tree.nodes[target].content {
            let mut map = Map::new();
            // The first of them wins.
            for entry in entries.iter().rev() {
                map.extend(self.merged(entry.value)?);
            }
            return Ok(map);
        }
        match self.value(id)? {
            Value::Object(map) => Ok(map),
            _ => Err(self.unreadable(id, "`<<` needs a mapping, or a sequence of mappings")),
        }
    }

    fn alias(&mut self, id: NodeId, anchor: usize) -> Result<Value, Diagnostic> {
        if self.inside.contains(&anchor) {
            return Err(self.unreadable(id, "the alias stands inside of what it stands for"));
        }
        let Some(target) = self.tree.anchors.get(&anchor) else {
            return Err(self.unreadable(id, "the alias has no anchor"));
        };
        self.inside.push(anchor);
        let value = self.value(*target);
        self.inside.pop();
        value
    }

    fn scalar(&self, id: NodeId, text: &str, style: ScalarStyle) -> Result<Value, Diagnostic> {
        let tag = self.tree.nodes[id].properties.tag.as_deref();
        match (tag, style) {
            (None, ScalarStyle::Plain) if scalar::is_not_finite(text) => {
                Err(self.unreadable(id, &format!("`{text}` is not a number that JSON has")))
            }
            (None, ScalarStyle::Plain) => Ok(scalar::plain(text)),
            (Some("int" | "float" | "bool" | "null"), _) => self.converted(id, tag.unwrap_or_default(), text),
            (Some("binary"), _) => Err(self.unreadable(id, "`!!binary` cannot be said in JSON")),
            _ => Ok(text.into()),
        }
    }

    fn converted(&self, id: NodeId, tag: &str, text: &str) -> Result<Value, Diagnostic> {
        let value = scalar::plain(text);
        let fits = match tag {
            "int" => value.is_u64() || value.is_i64(),
            "float" => value.is_number(),
            "bool" => value.is_boolean(),
            _ => value.is_null(),
        };
        if fits { Ok(value) } else { Err(self.unreadable(id, &format!("`{text}` is no `!!{tag}`"))) }
    }

    fn unreadable(&self, id: NodeId, why: &str) -> Diagnostic {
        trouble::wrong(why).at(self.place(id))
    }
}

fn is_merge(node: &Node) -> bool {
    // Quoted too: Kubernetes' reader makes no difference.
    matches!(&node.content, Content::Scalar { text, .. } if text == "<<") && node.properties.tag.is_none()
}
