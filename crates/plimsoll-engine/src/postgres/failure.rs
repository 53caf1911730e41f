//! The errors of scripts: what the server said, at the place in the file that it meant.

use plimsoll_core::{Code, Diagnostic, Migration};
use tokio_postgres::error::DbError;

use super::{PostgresSession, error};
use crate::error::{Error, Kind};

/// The error of a script; `offset` is how many characters were sent before it in the same message.
pub(super) fn script_failed(
    session: &PostgresSession,
    migration: &Migration,
    body: &str,
    failure: &tokio_postgres::Error,
    found: &DbError,
    offset: usize,
) -> Error {
    let sorted = session.error(failure);
    if sorted.kind == Kind::Lost {
        return sorted;
    }
    let mut diagnostic = Diagnostic::new(
        Code::MigrationFailed,
        format!("A migration failed to apply: `{}`", migration.name()),
    )
    .said_by(error::message(found));
    let position = error::position(found).and_then(|position| position.checked_sub(offset + 1));
    if let Some(place) = position.and_then(|at| word_at(body, at)).and_then(|span| migration.place(span)) {
        diagnostic = diagnostic.at(place.labelled(found.message()));
    }
    let kind = if sorted.kind == Kind::Again { Kind::Again } else { Kind::Script };
    Error::new(kind, diagnostic)
}

/// The bytes of the word that begins at a character of a text.
fn word_at(text: &str, character: usize) -> Option<std::ops::Range<usize>> {
    let (start, first) = text.char_indices().nth(character)?;
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let rest = &text[start..];
    let length = match first {
        // A name in quotes is marked whole, if it ends on its line.
        '"' => rest[1..].find(['"', '\n']).map_or(1, |end| end + 2),
        _ => rest.find(|c| !word(c)).unwrap_or(rest.len()).max(first.len_utf8()),
    };
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marked_word_is_found_by_characters() {
        let text = "-- äö\nSELECT nope, \"No pe\" FROM x";
        assert_eq!(word_at(text, 13).map(|span| &text[span]), Some("nope"));
        assert_eq!(word_at(text, 19).map(|span| &text[span]), Some("\"No pe\""));
        assert_eq!(word_at(text, 17).map(|span| &text[span]), Some(","));
        assert_eq!(word_at(text, 999), None);
    }
}
