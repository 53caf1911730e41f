//! The errors of scripts: what the server said, at the place in the file that it meant.

use std::ops::Range;

use plimsoll_core::{Code, Diagnostic, Migration};
use tokio_postgres::error::DbError;

use super::{PostgresSession, error};
use crate::error::{Error, Kind};

/// A part of a script as it was sent.
pub(super) struct Sent<'a> {
    /// The part.
    pub(super) text: &'a str,
    /// Where in the script it begins, in bytes.
    pub(super) starts_at: usize,
    /// How many characters were sent before it in the same message.
    pub(super) characters_before: usize,
    /// Its only statement, as bytes of the script: the place of an error for which the server tells none.
    pub(super) statement: Option<Range<usize>>,
}

/// The error of a script.
pub(super) fn script_failed(
    session: &PostgresSession,
    migration: &Migration,
    sent: &Sent<'_>,
    failure: &tokio_postgres::Error,
    found: &DbError,
) -> Error {
    let sorted = session.error(failure);
    // Neither a lost connection nor a server without room is the script's fault, and a guard is not even part of it.
    let is_guard = matches!(sorted.diagnostic.code, Code::LockLost);
    if is_guard || !error::class_in_session(found).blames_script() {
        return sorted;
    }
    let position =
        error::position(found).and_then(|position| position.checked_sub(sent.characters_before + 1));
    let span = position.map(|at| word_at(sent.text, at));
    let span = span.map(|span| sent.starts_at + span.start..sent.starts_at + span.end);
    let first_line = || sent.statement.clone().map(|span| first_line(migration, span));
    let place = span.or_else(first_line).and_then(|span| migration.place(span));
    let name = migration.name();
    let diagnostic = if let Some(place) = place {
        Diagnostic::new(Code::MigrationFailed, format!("A migration failed to apply: `{name}`"))
            .at(place.labelled(found.message()))
    } else {
        // Only some errors have a position: the file at least is known.
        let file = migration.path();
        Diagnostic::new(Code::MigrationFailed, format!("A migration failed to apply: `{name}`, in {file}"))
    };
    let kind = match sorted.kind {
        Kind::Again | Kind::Cancelled => sorted.kind,
        _ => Kind::Script,
    };
    let limit = session.ended_by_limit(migration, found);
    Error::new(kind, diagnostic.said_by(error::message(found)).helps(limit))
}

/// The bytes of the first line of a statement: more than that would not be seen at a glance.
fn first_line(migration: &Migration, span: Range<usize>) -> Range<usize> {
    let text = migration.script().ok().and_then(|script| script.text().get(span.clone()));
    let length = text.and_then(|text| text.lines().next()).map_or(0, |line| line.trim_end().len());
    span.start..span.start + length
}

/// The bytes of the word that begins at a character of a text. What is behind the text is its end: the server met what we
/// send after a script that stops in the middle of a statement.
fn word_at(text: &str, character: usize) -> Range<usize> {
    let Some((start, first)) = text.char_indices().nth(character) else {
        let end = text.trim_end().len();
        return end..end;
    };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let rest = &text[start..];
    let length = match first {
        // A name in quotes is marked whole, if it ends on its line.
        '"' => rest[1..].find(['"', '\n']).map_or(1, |end| end + 2),
        _ => rest.find(|c| !word(c)).unwrap_or(rest.len()).max(first.len_utf8()),
    };
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marked_word_is_found_by_characters() {
        let text = "-- äö\nSELECT nope, \"No pe\" FROM x";
        assert_eq!(&text[word_at(text, 13)], "nope");
        assert_eq!(&text[word_at(text, 19)], "\"No pe\"");
        assert_eq!(&text[word_at(text, 17)], ",");
        assert_eq!(word_at(text, 999), text.len()..text.len());
    }
}
