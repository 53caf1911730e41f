//! Errors, sorted by what the run loop does about them.

use std::fmt;

use plimsoll_core::{Code, Diagnostic};

/// The result of asking a database for something.
pub type Result<T> = std::result::Result<T, Error>;

/// What a backend could not do.
#[derive(Clone, Debug)]
pub struct Error {
    /// What to do about it.
    pub kind: Kind,
    /// What to tell people if nothing can be done.
    pub diagnostic: Box<Diagnostic>,
}

/// What the run loop does about an error.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The database is not up yet: connect again until the wait is over.
    NotYet,
    /// The database does not exist.
    Missing,
    /// The connection is gone. What was under way may or may not be committed: connect again and read the history.
    Lost,
    /// It was rolled back for a reason that passes (a deadlock, a lock timeout): try the same again.
    Again,
    /// Somebody else holds what this needs: wait as for the lock, then read the history again.
    Busy,
    /// The history is not what the plan was made from: read it again.
    Overtaken,
    /// The database is ahead of the project, and that is waited for: let go of everything, and look again later.
    Ahead,
    /// The script failed, and has been rolled back.
    Script,
    /// The statement was cancelled, and its transaction rolled back.
    Cancelled,
    /// Nothing can be done.
    Never,
}

/// By whom a statement was cancelled, as far as the database says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelledBy {
    /// Somebody who has asked for it: a person, as a rule.
    Somebody,
    /// A limit of time.
    Limit,
    /// The database says that it was cancelled, and not by whom; or in words that nobody here knows.
    Unknown,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic.fmt(f)
    }
}

impl std::error::Error for Error {}

impl Error {
    /// An error of this kind.
    pub fn new(kind: Kind, diagnostic: Diagnostic) -> Self {
        Self { kind, diagnostic: Box::new(diagnostic) }
    }

    /// An error about which nothing can be done.
    pub fn never(diagnostic: Diagnostic) -> Self {
        Self::new(Kind::Never, diagnostic)
    }

    /// The history changed since the plan was made.
    pub(crate) fn overtaken() -> Self {
        Self::new(
            Kind::Overtaken,
            Diagnostic::new(Code::LockLost, "the history changed while migrations were being applied"),
        )
    }
}
