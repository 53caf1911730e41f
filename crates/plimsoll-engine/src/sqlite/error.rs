//! SQLite's errors, sorted into what the run loop does about them.

use plimsoll_core::{Code, DatabaseMessage, Diagnostic};
use rusqlite::ErrorCode;

use crate::error::{Error, Kind};

/// The file does not exist.
pub(super) fn missing(file: &str) -> Error {
    Error::new(
        Kind::Missing,
        Diagnostic::new(Code::DatabaseMissing, format!("Database `{file}` does not exist"))
            .help("`plimsoll deploy` creates it; commands that only read do not"),
    )
}

/// The file cannot be used.
pub(super) fn unusable(file: &str, why: &str) -> Error {
    Error::never(Diagnostic::new(
        Code::FileUnusable,
        format!("the database file `{file}` cannot be used: {why}"),
    ))
}

/// Any error of the library.
pub(super) fn of(error: &rusqlite::Error, file: &str) -> Error {
    let database = message(error);
    let (kind, diagnostic) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            Kind::Busy,
            Diagnostic::new(Code::LockTimeout, format!("another process keeps the database file `{file}` locked"))
                .help("end the transaction that it has open, or wait longer with `--lock-wait`"),
        ),
        Some(ErrorCode::OperationInterrupted) => {
            (Kind::Cancelled, Diagnostic::new(Code::Database, "the statement was interrupted"))
        }
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => {
            (Kind::Never, Diagnostic::new(Code::NoRoom, format!("there is no room left for `{file}`, or its disk fails"))
                .help("what was under way is not in the database: make room, for the journal beside the file too, and start again"))
        }
        Some(ErrorCode::ReadOnly) => (Kind::Never, read_only(file)),
        Some(ErrorCode::CannotOpen) => (
            Kind::Never,
            Diagnostic::new(Code::FileUnusable, format!("the database file `{file}`, or its journal beside it, cannot be opened"))
                .help("SQLite needs to write into the file's directory too: check its owner, and that it is not mounted read-only"),
        ),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            (Kind::Never, Diagnostic::new(Code::FileUnusable, format!("the file `{file}` is not a SQLite database, or is damaged")))
        }
        _ => (Kind::Never, Diagnostic::new(Code::Database, format!("SQLite reported an error for `{file}`"))),
    };
    Error::new(kind, diagnostic.said_by(database))
}

fn read_only(file: &str) -> Diagnostic {
    Diagnostic::new(Code::ReadOnly, format!("the database file `{file}` cannot be written"))
        .help("check the owner and mode of the file and of its directory, and that the volume is not mounted read-only")
}

/// What SQLite said, with its extended result code, as Prisma prints it.
pub(super) fn message(error: &rusqlite::Error) -> DatabaseMessage {
    let (text, code) = match error {
        rusqlite::Error::SqliteFailure(found, Some(text)) => (text.clone(), Some(found.extended_code)),
        rusqlite::Error::SqliteFailure(found, None) => (found.to_string(), Some(found.extended_code)),
        rusqlite::Error::SqlInputError { error, msg, .. } => (msg.clone(), Some(error.extended_code)),
        other => (other.to_string(), None),
    };
    DatabaseMessage { code: code.map(|code| code.to_string()), ..DatabaseMessage::new(text) }
}
