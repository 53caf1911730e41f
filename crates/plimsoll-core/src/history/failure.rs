//! What a row says about an attempt that failed.

use std::fmt::Write as _;

use super::progress::{Attempt, Progress};
use crate::diagnostic::Diagnostic;

/// The `logs` of a row that records a failed attempt of ours: what happened, then one line for machines.
pub fn failure_log(migration: &str, failure: &Diagnostic, runner: &str) -> String {
    Progress::new(Attempt::RolledBack, runner).log(&failure_text(migration, failure))
}

/// What happened to a failed attempt, in the form that Prisma stores and that its users know.
pub fn failure_text(migration: &str, failure: &Diagnostic) -> String {
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
    if let Some(place) = &failure.place {
        let _infallible = write!(text, "\n\nPosition: {place}");
    }
    // PostgreSQL's text cannot hold NUL.
    text.replace('\0', "\u{fffd}")
}
