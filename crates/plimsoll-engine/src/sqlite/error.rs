//! SQLite's errors, sorted into what the run loop does about them.

use plimsoll_core::{Code, DatabaseMessage, Diagnostic};
use rusqlite::ErrorCode;

use super::errors::ERRORS;
use crate::classes::Trouble;
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
    let class = class(error);
    let message_of = |text: String| Diagnostic::new(class.code(), text);
    let diagnostic = match class {
        Trouble::Busy => message_of(format!("another process keeps the database file `{file}` locked"))
            .help("end the transaction that it has open, or wait longer with `--lock-wait`"),
        Trouble::Cancelled => message_of("the statement was interrupted".to_owned()),
        Trouble::NoRoom => message_of(format!("there is no room left for `{file}`, or its disk fails"))
            .help("what was under way is not in the database: make room, for the journal beside the file too, and start again"),
        Trouble::ReadOnly => read_only(file),
        Trouble::Unusable if may_be_opened(error) => {
            message_of(format!("the file `{file}` is not a SQLite database, or is damaged"))
        }
        Trouble::Unusable => message_of(format!("the database file `{file}`, or its journal beside it, cannot be opened"))
            .help("SQLite needs to write into the file's directory too: check its owner, and that it is not mounted read-only"),
        _ => message_of(format!("SQLite reported an error for `{file}`")),
    };
    Error::new(class.kind(), diagnostic.said_by(message(error)))
}

/// What an error is, by the table.
pub(super) fn class(error: &rusqlite::Error) -> Trouble {
    let Some(found) = error.sqlite_error() else { return Trouble::Script };
    let by_code = |code: i32| {
        let code = code.to_string();
        ERRORS.iter().find(|row| row.code == code)
    };
    // A newer extended code of a result code that is known.
    let row = by_code(found.extended_code).or_else(|| by_code(found.extended_code & 0xff));
    row.map_or(Trouble::Script, |row| row.session)
}

/// Whether it is the content of the file that cannot be used.
fn may_be_opened(error: &rusqlite::Error) -> bool {
    !matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied))
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
