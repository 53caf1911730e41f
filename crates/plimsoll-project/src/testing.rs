//! What the tests of this crate share.

use std::fmt::Write;

use plimsoll_core::Diagnostic;

const NEVER: &str = "a string takes every text";

/// A diagnostic as a text: what it says, the line that it points at with carets, and its help.
pub(crate) fn render(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.to_string();
    if let Some(place) = &diagnostic.place {
        let line = place.source().lines().nth(place.line() - 1).unwrap_or_default();
        let marked = &place.source()[place.span()];
        let carets = "^".repeat(marked.lines().next().unwrap_or_default().chars().count().max(1));
        let label = place.label().unwrap_or_default();
        let indent = " ".repeat(place.column() - 1);
        write!(text, "\n  | {line}\n  | {}", format!("{indent}{carets} {label}").trim_end()).expect(NEVER);
    }
    for help in &diagnostic.help {
        write!(text, "\n  help: {help}").expect(NEVER);
    }
    text
}
