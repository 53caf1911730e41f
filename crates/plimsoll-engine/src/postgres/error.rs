//! PostgreSQL's errors, sorted into what the run loop does about them.

use std::error::Error as _;
use std::io;

use plimsoll_core::url::PostgresUrl;
use plimsoll_core::{Code, DatabaseMessage, Diagnostic};
use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

use super::errors::ERRORS;
use crate::classes::{Known, Trouble, damaged};
use crate::error::{CancelledBy, Error, Kind};
use crate::tls::about_time;

/// The code of an error is the same for all; the words are in the language of the server.
pub(super) fn cancelled_by(said: &DatabaseMessage) -> CancelledBy {
    if said.message.contains("user request") {
        CancelledBy::Somebody
    } else if said.message.contains("timeout") {
        CancelledBy::Limit
    } else {
        CancelledBy::Unknown
    }
}

/// An error of connecting.
pub(super) fn of_connect(error: &tokio_postgres::Error, url: &PostgresUrl) -> Error {
    if let Some(found) = error.as_db_error() {
        return refused_by_server(found, url);
    }
    if let Some(cause) = find_cause::<rustls::Error>(error) {
        return Error::never(tls(&cause.to_string()));
    }
    if let Some(cause) = find_cause::<io::Error>(error) {
        return unreachable_since(cause, url);
    }
    let why = full_text(error);
    if why.contains("TLS") {
        return Error::never(tls(&why));
    }
    // A closed connection or a timeout has no cause that could be asked for more.
    if error.is_closed() || why.contains("timed out") || why.contains("timeout") {
        return unreachable(url);
    }
    let about_login = ["password", "authentication", "SASL", "SCRAM"].iter().any(|word| why.contains(word));
    let code = if about_login { Code::AuthenticationFailed } else { Code::Database };
    Error::never(Diagnostic::new(code, format!("failed to connect: {why}")))
}

/// The server cannot be reached.
pub(super) fn unreachable(url: &PostgresUrl) -> Error {
    let endpoint = url.endpoint();
    Error::new(
        Kind::NotYet,
        Diagnostic::new(Code::Unreachable, format!("Can't reach database server at `{endpoint}`"))
            .help(format!("Please make sure your database server is running at `{endpoint}`.")),
    )
}

/// The same, with what the system says of it.
pub(super) fn unreachable_since(why: &io::Error, url: &PostgresUrl) -> Error {
    let unreachable = unreachable(url);
    Error { diagnostic: Box::new(unreachable.diagnostic.help(why.to_string())), ..unreachable }
}

fn tls(why: &str) -> Diagnostic {
    Diagnostic::new(Code::Tls, format!("Error opening a TLS connection: {why}"))
        .helps(about_time(why).map(str::to_owned))
        .help("`sslmode`, `sslaccept` and `sslrootcert` of the URL decide what is expected of the server")
}

fn refused_by_server(found: &DbError, url: &PostgresUrl) -> Error {
    // PgBouncer says this with the code that it has for everything, and a longer wait would not mend it.
    if found.message().contains("startup parameter") {
        return Error::never(parameter_refused().said_by(message(found)));
    }
    let class = match *found.code() {
        SqlState::PROTOCOL_VIOLATION if is_about_our_password(found.message()) => Trouble::Credentials,
        _ => row_of(found).map_or(Trouble::Refused, |row| row.connecting),
    };
    let diagnostic = match class {
        Trouble::Credentials => credentials(url),
        Trouble::Missing => {
            Diagnostic::new(class.code(), format!("Database `{}` does not exist", url.database))
                .help("`plimsoll deploy` creates it; commands that only read do not")
        }
        Trouble::Denied => Diagnostic::new(
            class.code(),
            format!("User was denied access on the database `{}`", url.database),
        ),
        Trouble::NotYet => Diagnostic::new(
            class.code(),
            format!("the database server at `{}` accepts no connections yet", url.endpoint()),
        ),
        Trouble::Damaged => damaged(),
        _ => Diagnostic::new(class.code(), "the database server refused the connection"),
    };
    // What there is to know of a missing database is said already.
    let diagnostic = if class == Trouble::Missing { diagnostic } else { diagnostic.said_by(message(found)) };
    Error::new(class.kind(), diagnostic)
}

/// PgBouncer has one code for all that it refuses. With a user in its words it hands on what the server said of its own login: it does
/// not know yet of a new password, which passes.
fn is_about_our_password(said: &str) -> bool {
    said.contains("authentication failed") && !said.contains("for user")
}

fn parameter_refused() -> Diagnostic {
    Diagnostic::new(
        Code::ParameterUnsupported,
        "the pooler before the database does not pass on the parameter `options` of the connection URL",
    )
    .help("leave it out, or give the database's own address: `directUrl` in the datasource, or `--url`")
    .help("PgBouncer leaves it out by itself if `ignore_startup_parameters` names it")
}

fn credentials(url: &PostgresUrl) -> Diagnostic {
    let user = url.user.as_deref().unwrap_or("postgres");
    Diagnostic::new(
        Code::AuthenticationFailed,
        format!("Authentication failed against database server, the provided database credentials for `{user}` are not valid."),
    )
    .help("Please make sure to provide valid database credentials for the database server at the configured address.")
}

/// The line of an error in the table: its own, or that of its first two characters.
fn row_of(found: &DbError) -> Option<&'static Known> {
    let code = found.code().code();
    let others = || {
        ERRORS.iter().find(|row| row.code.strip_suffix("***").is_some_and(|class| code.starts_with(class)))
    };
    ERRORS.iter().find(|row| row.code == code).or_else(others)
}

/// Whether it is the script's own session that uses what it wants to change: events of a deferred constraint that are pending, a
/// query that is being read. That does not pass. The function of the server is told in no language, the message in the server's.
fn is_in_own_use(found: &DbError) -> bool {
    *found.code() == SqlState::OBJECT_IN_USE && found.routine() == Some("CheckTableNotInUse")
}

/// What an error is in a session. Whatever the server ends the session with, the connection is gone.
pub(super) fn class_in_session(found: &DbError) -> Trouble {
    match found.parsed_severity() {
        Some(Severity::Fatal | Severity::Panic) => Trouble::Lost,
        _ if is_in_own_use(found) => Trouble::Script,
        _ => row_of(found).map_or(Trouble::Script, |row| row.session),
    }
}

/// An error of a session that had been made.
pub(super) fn of_session(error: &tokio_postgres::Error, endpoint: &str) -> Error {
    let Some(found) = error.as_db_error() else { return of_driver(error, endpoint) };
    if found.message().contains(LOCK_LOST) {
        return lock_lost();
    }
    if found.message().contains(LOCK_BUSY) {
        return super::pooler::busy();
    }
    if found.message().contains(OVERTAKEN) {
        return Error::overtaken();
    }
    let class = class_in_session(found);
    let diagnostic = match class {
        Trouble::Lost => return lost(endpoint, found.message()),
        Trouble::Unclear => unclear(endpoint),
        Trouble::Denied => denied(),
        Trouble::ReadOnly => read_only(),
        Trouble::Cancelled => Diagnostic::new(class.code(), "the statement was cancelled"),
        Trouble::Again => Diagnostic::new(class.code(), "a lock could not be had in time")
            .help("find out who holds it: `SELECT * FROM pg_stat_activity WHERE state <> 'idle'`"),
        Trouble::NoRoom => {
            Diagnostic::new(class.code(), "the database has no room left").help("make room, then start again")
        }
        Trouble::Damaged => damaged(),
        _ => Diagnostic::new(class.code(), "the database reported an error"),
    };
    Error::new(class.kind(), diagnostic.said_by(message(found)))
}

/// An error that no server sent: the connection is gone, or the driver did not understand something.
fn of_driver(error: &tokio_postgres::Error, endpoint: &str) -> Error {
    if error.is_closed() || find_cause::<io::Error>(error).is_some() {
        return lost(endpoint, &full_text(error));
    }
    Error::never(Diagnostic::new(Code::Database, format!("the database driver failed: {}", full_text(error))))
}

fn unclear(endpoint: &str) -> Diagnostic {
    let message = format!("the server does not know what became of a transaction: `{endpoint}`");
    Diagnostic::new(Trouble::Unclear.code(), message).help("the history tells: the next start carries on")
}

fn denied() -> Diagnostic {
    Diagnostic::new(Code::AccessDenied, "the role may not do this")
        .help("migrations need a role that may create what they create; the application's own role need not be that one")
}

fn read_only() -> Diagnostic {
    Diagnostic::new(
        Code::ReadOnly,
        "the server accepts no writes: it is a standby, or its default is read-only",
    )
    .help("give the address of the primary server")
}

/// Words that only a failed guard can bring into an error message, in whatever language.
pub(super) const LOCK_LOST: &str = "plimsoll: lock lost";
pub(super) const LOCK_BUSY: &str = "plimsoll: lock busy";
pub(super) const OVERTAKEN: &str = "plimsoll: already recorded";
pub(super) const ENDED: &str = "plimsoll: transaction ended";
pub(super) const OTHER_STRINGS: &str = "plimsoll: strings end elsewhere";

fn lock_lost() -> Error {
    Error::never(
        Diagnostic::new(Code::LockLost, "this connection does not hold the migration lock that it took")
            .help("behind a pooler say `pgbouncer=true` in the URL, or give the database's own address (`directUrl`, or `--url`)")
            .help("a script that calls `pg_advisory_unlock_all()` has the same effect: start again")
            .help("nothing of this migration was applied"),
    )
}

fn lost(endpoint: &str, why: &str) -> Error {
    Error::new(
        Kind::Lost,
        Diagnostic::new(
            Code::ConnectionLost,
            format!("Server has closed the connection: `{endpoint}`: {why}"),
        )
        .help("what was not committed has been rolled back; the next start carries on"),
    )
}

/// What the server said.
pub(super) fn message(found: &DbError) -> DatabaseMessage {
    DatabaseMessage {
        code: Some(found.code().code().to_owned()),
        detail: found.detail().map(plimsoll_core::diagnostic::said),
        hint: found.hint().map(plimsoll_core::diagnostic::said),
        context: found.where_().map(plimsoll_core::diagnostic::said),
        ..DatabaseMessage::new(found.message())
    }
}

/// The position of an error in what was sent, in characters from 1.
pub(super) fn position(found: &DbError) -> Option<usize> {
    match found.position() {
        Some(ErrorPosition::Original(position)) => usize::try_from(*position).ok(),
        _ => None,
    }
}

fn find_cause<T: std::error::Error + 'static>(error: &tokio_postgres::Error) -> Option<&T> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // An I/O error carries the TLS error that caused it without calling it its source.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref::<T>()) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

fn full_text(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_cancelled_is_in_the_words_if_they_are_english() {
        let by = |words: &str| cancelled_by(&DatabaseMessage::new(words));
        assert_eq!(by("canceling statement due to user request"), CancelledBy::Somebody);
        assert_eq!(by("canceling statement due to statement timeout"), CancelledBy::Limit);
        assert_eq!(by("storniere Anfrage wegen Benutzeraufforderung"), CancelledBy::Unknown);
        assert_eq!(by("storniere Anfrage wegen Zeitüberschreitung der Anfrage"), CancelledBy::Unknown);
    }
}
