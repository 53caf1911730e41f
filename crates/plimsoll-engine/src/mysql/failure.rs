//! The errors of scripts: what the server said, at the statement that it was said about.

use plimsoll_core::script::mysql::Statement;
use plimsoll_core::{Code, Diagnostic};

use super::apply::Work;
use super::{MysqlSession, error};
use crate::error::{Error, Kind};

/// The server's number of an error that has been sorted already.
pub(super) fn number(error: &Error) -> Option<u16> {
    error.diagnostic.database.as_ref()?.code.as_ref()?.parse().ok()
}

/// The error of a statement.
pub(super) fn statement_failed(
    session: &MysqlSession,
    work: &Work<'_>,
    statement: &Statement<'_>,
    found: &mysql_async::Error,
) -> Error {
    let sorted = session.error(found);
    let mysql_async::Error::Server(said) = found else { return sorted };
    // Neither a lost connection nor a server without room is the script's fault.
    if !error::class_in_session(said, session.flavour()).blames_script() {
        return sorted;
    }
    let name = work.migration.name();
    let mut diagnostic =
        Diagnostic::new(Code::MigrationFailed, format!("A migration failed to apply: `{name}`"));
    let first = statement.text.lines().next().unwrap_or_default().trim_end().len();
    let span = statement.span.start..statement.span.start + first;
    if let Some(place) = work.migration.place(span) {
        diagnostic = diagnostic.at(place.labelled(said.message.as_str()));
    }
    let kind = match sorted.kind {
        Kind::Again | Kind::Cancelled => sorted.kind,
        _ => Kind::Script,
    };
    let limit = session.ended_by_limit(work, said.code);
    Error::new(kind, diagnostic.said_by(error::message(said)).helps(limit))
}
