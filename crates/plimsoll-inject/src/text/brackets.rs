//! Entries of flow collections and of JSON: inserting and removing between commas.

use std::ops::Range;

use super::edits::Edits;
use super::entries::Change;
use super::lines;

/// How the entries of a flow collection are separated.
pub(super) struct Separator {
    /// What stands behind a comma.
    pub(super) gap: String,
    /// What the line of an entry begins with.
    pub(super) indent: String,
}

/// The separator that the entries of a collection show, or the one that is usual where there is nothing to see.
pub(super) fn separator(change: &Change<'_>, inside: Range<usize>, usual: &str) -> Separator {
    let gap = between(change).or_else(|| before(change, &inside)).unwrap_or_else(|| usual.to_owned());
    let indent = match gap.rfind('\n') {
        Some(newline) => gap[newline + 1..].to_owned(),
        None => lines::indent(change.text, inside.start).to_owned(),
    };
    Separator { gap, indent }
}

fn between(change: &Change<'_>) -> Option<String> {
    if change.entries.len() < 2 {
        return None;
    }
    let (before, after) = change.gap(0).split_once(',')?;
    (lines::is_blank(before) && lines::is_blank(after)).then(|| after.to_owned())
}

fn before(change: &Change<'_>, inside: &Range<usize>) -> Option<String> {
    let gap = &change.text[inside.start..change.entries.first()?.start];
    (gap.contains('\n') && lines::is_blank(gap)).then(|| gap.to_owned())
}

/// Changes the entries of a flow collection of which at least one stays.
pub(super) fn change(change: &Change<'_>, separator: &Separator, edits: &mut Edits) {
    let Some(first) = change.first_that_stays() else { return };
    for insertion in &change.insertions {
        let (text, gap) = (&insertion.text, &separator.gap);
        match insertion.after {
            Some(after) => edits.insert(end(change, after), format!(",{gap}{text}")),
            None => edits.insert(change.entries[first].start, format!("{text},{gap}")),
        }
    }
    for run in change.runs() {
        remove(change, run, edits);
    }
}

/// Where an entry ends. A key without a value keeps the space behind its colon: `a:,` is another word than `a: ,`.
fn end(change: &Change<'_>, index: usize) -> usize {
    let end = change.end(index);
    let is_bare = change.entries[index].header == Some(end);
    end + usize::from(is_bare && change.text[end..].starts_with(' '))
}

fn remove(change: &Change<'_>, run: Range<usize>, edits: &mut Edits) {
    // The comma that goes is the one before, or behind what was first.
    let mut gaps = if run.start > 0 { run.start - 1..run.end - 1 } else { run.clone() };
    if gaps.any(|index| change.gap(index).contains('#')) {
        // A comment stays where it is: only the entries themselves go, each with its comma.
        for index in run {
            let end = change.end(index);
            let comma =
                lines::find(change.text, end, b",").filter(|comma| !change.text[end..*comma].contains('#'));
            edits.replace(change.entries[index].start..comma.map_or(end, |comma| comma + 1), "");
        }
    } else if run.start > 0 {
        edits.replace(end(change, run.start - 1)..end(change, run.end - 1), "");
    } else {
        edits.replace(change.entries[0].start..change.entries[run.end].start, "");
    }
}

/// Removes everything inside of the brackets that is not a comment or was there before the entries were.
pub(super) fn empty(change: &Change<'_>, inside: Range<usize>, edits: &mut Edits) {
    let (Some(first), Some(last)) = (change.entries.first(), change.entries.len().checked_sub(1)) else {
        return;
    };
    let end = change.end(last);
    let behind = lines::find(change.text, end, b",").map_or(end, |comma| comma + 1);
    let is_spread = change.text[inside.start..first.start].contains('\n');
    let is_blank = |range: Range<usize>| lines::is_blank(&change.text[range]);
    if is_spread && is_blank(inside.start..first.start) && is_blank(behind..inside.end) {
        edits.replace(inside, "");
    } else {
        edits.replace(first.start..behind, "");
    }
}
