//! Entries of block collections: inserting and removing whole lines.

use std::ops::Range;

use super::edits::Edits;
use super::tree::{Entry, Tree};
use super::{lines, render};

/// A new entry of a collection, without indentation and the last line break.
#[derive(Debug)]
pub(super) struct Insertion {
    /// The entry, by index, that it follows; nothing if it comes first.
    pub(super) after: Option<usize>,
    pub(super) text: String,
}

/// What is to happen to the entries of a collection.
pub(super) struct Change<'a> {
    pub(super) text: &'a str,
    pub(super) tree: &'a Tree,
    pub(super) entries: &'a [Entry],
    /// Which of them stay.
    pub(super) stays: &'a [bool],
    pub(super) insertions: Vec<Insertion>,
}

impl Change<'_> {
    /// Where an entry ends, without the rest of its line.
    pub(super) fn end(&self, index: usize) -> usize {
        self.tree.end_of(&self.entries[index])
    }

    /// The entries that go, in runs without one that stays between them.
    pub(super) fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for index in (0..self.stays.len()).filter(|index| !self.stays[*index]) {
            match runs.last_mut() {
                Some(run) if run.end == index => run.end += 1,
                _ => runs.push(index..index + 1),
            }
        }
        runs
    }

    /// The first entry that stays.
    pub(super) fn first_that_stays(&self) -> Option<usize> {
        self.stays.iter().position(|stays| *stays)
    }

    /// What stands between an entry and the next one.
    pub(super) fn gap(&self, index: usize) -> &str {
        &self.text[self.end(index)..self.entries[index + 1].start]
    }
}

/// Changes the entries of a block collection of which at least one stays.
pub(super) fn change(change: &Change<'_>, line_break: &str, edits: &mut Edits) {
    let Some(first) = change.first_that_stays() else { return };
    let before = change.entries[first].start;
    let indent = render::spaces(lines::column(change.text, before));
    for insertion in &change.insertions {
        let text = &insertion.text;
        match insertion.after {
            Some(after) => {
                let at = lines::next(change.text, change.end(after));
                edits.insert(at, format!("{indent}{text}{line_break}"));
            }
            // At its first byte, because that may stand behind a dash.
            None => edits.insert(before, format!("{text}{line_break}{indent}")),
        }
    }
    for run in change.runs() {
        remove(change, run, edits);
    }
}

/// Removes the lines of every entry of a block collection; comments on lines of their own stay.
pub(super) fn remove_all(change: &Change<'_>, edits: &mut Edits) {
    for index in 0..change.entries.len() {
        remove_lines(change, index, edits);
    }
}

fn remove(change: &Change<'_>, run: Range<usize>, edits: &mut Edits) {
    let start = change.entries[run.start].start;
    if lines::is_first(change.text, start) {
        return run.for_each(|index| remove_lines(change, index, edits));
    }
    // The first of them stands behind a dash, where the one that follows takes its place.
    let is_blank = run.clone().all(|index| lines::is_blank(change.gap(index)));
    if is_blank {
        edits.replace(start..change.entries[run.end].start, "");
        return;
    }
    edits.replace(start..change.end(run.start), "");
    run.skip(1).for_each(|index| remove_lines(change, index, edits));
}

fn remove_lines(change: &Change<'_>, index: usize, edits: &mut Edits) {
    let start = lines::start(change.text, change.entries[index].start);
    edits.replace(start..lines::next(change.text, change.end(index)), "");
}
