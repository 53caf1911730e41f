//! How new text is to look: as its surroundings do.

use std::collections::HashMap;
use std::hash::Hash;

use super::lines;
use super::tree::{Content, Layout, NodeId, Tree};

/// The habits of a document.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// How much deeper than its key a nested mapping stands.
    pub(super) unit: usize,
    /// How much deeper than its key a dash stands: 0 as kubectl writes, 2 as most people do.
    pub(super) dash: usize,
    /// From a dash to what stands behind it.
    pub(super) width: usize,
    pub(super) strings: Strings,
    pub(super) notation: Notation,
}

/// How strings of several lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strings {
    /// As `|` where that is exact.
    Literal,
    /// On one line, quoted.
    Quoted,
}

/// The language of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    Yaml,
    /// JSON on one line; nothing between a comma or colon and what follows, or a space.
    OneLine(&'static str),
    /// JSON with an entry a line, each level indented by so much more.
    Pretty(String),
}

impl Default for Style {
    fn default() -> Self {
        Self { unit: 2, dash: 2, width: 2, strings: Strings::Literal, notation: Notation::Yaml }
    }
}

/// The habits of a text; a text that does not show any has the usual ones.
pub(super) fn of(text: &str, tree: &Tree) -> Style {
    let mut units = Votes::default();
    let mut dashes = Votes::default();
    let mut widths = Votes::default();
    for node in &tree.nodes {
        let Content::Mapping { layout: Layout::Block, entries } = &node.content else {
            if let Some(width) =
                width(text, tree, node.entries().first().map(|entry| (entry.start, entry.value)))
            {
                widths.add(width);
            }
            continue;
        };
        for entry in entries {
            let Some(offset) = offset(text, tree, entry.start, entry.value) else { continue };
            let is_sequence = matches!(tree.nodes[entry.value].content, Content::Sequence { .. });
            if is_sequence { dashes.add(offset) } else { units.add(offset) }
        }
    }
    Style {
        unit: units.winner().filter(|unit| *unit > 0).unwrap_or(2),
        dash: dashes.winner().unwrap_or(2),
        width: widths.winner().unwrap_or(2),
        notation: notation(text),
        ..Style::default()
    }
}

/// How much deeper than the entry at `start` its value stands, if that is a block collection on lines of its own.
pub(super) fn offset(text: &str, tree: &Tree, start: usize, value: NodeId) -> Option<usize> {
    let node = &tree.nodes[value];
    let is_own_line = node.is_block_collection() && lines::is_first(text, node.start);
    is_own_line.then(|| lines::column(text, node.start).checked_sub(lines::column(text, start))).flatten()
}

/// The columns from a dash to the mapping behind it.
fn width(text: &str, tree: &Tree, item: Option<(usize, NodeId)>) -> Option<usize> {
    let (dash, value) = item?;
    let node = &tree.nodes[value];
    let is_behind = matches!(node.content, Content::Mapping { layout: Layout::Block, .. })
        && !text[dash..node.start].contains('\n');
    is_behind.then(|| node.start - dash)
}

fn notation(text: &str) -> Notation {
    let body = text.trim_start_matches('\u{feff}').trim();
    let is_json = body.starts_with(['{', '[']) && serde_json::from_str::<serde_json::Value>(body).is_ok();
    if !is_json {
        return Notation::Yaml;
    }
    let mut indented = body.lines().skip(1).filter(|line| line.starts_with([' ', '\t']));
    match indented.next() {
        Some(line) => Notation::Pretty(lines::indent(line, 0).to_owned()),
        None if body.contains("\": ") => Notation::OneLine(" "),
        None => Notation::OneLine(""),
    }
}

/// Counts what is done how often.
struct Votes<T>(HashMap<T, usize>);

impl<T> Default for Votes<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash + Ord + Copy> Votes<T> {
    fn add(&mut self, vote: T) {
        *self.0.entry(vote).or_default() += 1;
    }

    /// The most frequent; of two that are as frequent, the larger.
    fn winner(&self) -> Option<T> {
        self.0.iter().max_by_key(|(vote, count)| (**count, **vote)).map(|(vote, _)| *vote)
    }
}
