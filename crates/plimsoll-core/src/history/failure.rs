//! What a row says about an attempt that failed.

use std::fmt::Write as _;

use super::progress::{Attempt, Progress};
use crate::diagnostic::{Diagnostic, Place};

/// The `logs` of a row that records a failed attempt of ours: what happened, then one line for machines.
pub fn failure_log(migration: &str, failure: &Diagnostic, runner: &str) -> String {
    Progress::new(Attempt::RolledBack, runner).log(&failure_text(migration, failure))
}

/// What happened to a failed attempt, in the form that Prisma stores and that its users know.
pub fn failure_text(migration: &str, failure: &Diagnostic) -> String {
    text(migration, failure, None)
}

/// The same of one that may have left something; `left` says in words what. The row has to say it: the next start knows nothing
/// else of it.
pub fn doubtful_text(migration: &str, failure: &Diagnostic, left: &str) -> String {
    text(migration, failure, Some(left))
}

fn text(migration: &str, failure: &Diagnostic, left: Option<&str>) -> String {
    let said = failure.database.as_deref();
    let code = said.and_then(|said| said.code.as_deref()).unwrap_or("none");
    let message = said.map_or(&failure.message, |said| &said.message);
    let mut text = format!(
        "A migration failed to apply. New migrations cannot be applied before the error is recovered from.\n\n\
         Migration name: {migration}\n\nDatabase error code: {code}\n\nDatabase error:\n{message}"
    );
    let more = said.map(|said| [("DETAIL", &said.detail), ("HINT", &said.hint), ("CONTEXT", &said.context)]);
    for (name, value) in more.into_iter().flatten() {
        if let Some(value) = value {
            let _infallible = write!(text, "\n{name}: {value}");
        }
    }
    if let Some(left) = left {
        let _infallible = write!(text, "\n{left}");
    }
    if let Some(place) = &failure.place {
        let _infallible = write!(text, "\n\nPosition: {place}\n\nStatement:\n{}", lines_at(place));
    }
    // PostgreSQL's text cannot hold NUL.
    text.replace('\0', "\u{fffd}")
}

/// The first lines of the statement at a place, as far as the place tells: from the line where it begins to a line that ends
/// with a semicolon. A row has to say it by itself: the image with the script may be gone when somebody reads it.
fn lines_at(place: &Place) -> String {
    const LINES: usize = 5;
    const CHARACTERS: usize = 200;
    let (source, start) = (place.source(), place.span().start);
    let begin = source[..start].rfind('\n').map_or(0, |at| at + 1);
    let mut shown = Vec::new();
    for line in source[begin..].lines().take(LINES) {
        shown.push(line.trim_end().chars().take(CHARACTERS).collect::<String>());
        if line.trim_end().ends_with(';') {
            break;
        }
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    #[test]
    fn the_statement_is_stored_from_its_line_to_its_end() {
        let source = "SELECT 1;\nALTER TABLE a\n  ADD b nope;\nSELECT 2;\n";
        let place = Place::new("m/1/migration.sql", source, 10..15);
        let text = failure_text("1", &Diagnostic::new(Code::MigrationFailed, "boom").at(place));
        assert!(
            text.ends_with("Position: m/1/migration.sql:2:1\n\nStatement:\nALTER TABLE a\n  ADD b nope;"),
            "{text}"
        );
    }

    #[test]
    fn of_a_long_statement_the_first_lines_are_stored() {
        let source = "x\n".repeat(90) + &"y".repeat(9000);
        let first = lines_at(&Place::new("m", &source, 0..1));
        assert_eq!(first, ["x"; 5].join("\n"));
        assert_eq!(lines_at(&Place::new("m", &source, source.len()..source.len())), "y".repeat(200));
    }
}
