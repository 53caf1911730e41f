//! How far a command has come, for whoever asks why it ended there.

use std::fmt;

use plimsoll_engine::Event;

/// What a command is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Understand its arguments.
    Arguments,
    /// Find and read the project, and the command of `exec`.
    Find,
    /// Connect to the database.
    Connect,
    /// Read the history.
    Read,
    /// Decide what is to be done.
    Plan,
    /// Get the lock.
    Lock,
    /// Wait for a database that is ahead.
    Ahead,
    /// Apply a migration.
    Apply,
    /// Become the command of `exec`.
    Exec,
    /// Nothing more.
    Done,
    /// Nobody knows: a bug ended the program.
    Unknown,
}

impl Phase {
    /// The name of the phase for machines: it never changes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::Find => "find",
            Self::Connect => "connect",
            Self::Read => "read",
            Self::Plan => "plan",
            Self::Lock => "lock",
            Self::Ahead => "ahead",
            Self::Apply => "apply",
            Self::Exec => "exec",
            Self::Done => "done",
            Self::Unknown => "unknown",
        }
    }
}

/// How far a run has come.
pub(super) struct Position {
    pub(super) phase: Phase,
    /// The migration that is being applied.
    pub(super) migration: Option<String>,
    /// The statement of it that is under way, if it cannot be one transaction.
    pub(super) statement: Option<AtStatement>,
}

/// A statement of a migration that cannot be one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtStatement {
    /// The first is 1.
    pub(crate) number: usize,
    /// How many the migration has.
    pub(crate) of: usize,
}

impl fmt::Display for AtStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {} of {}", self.number, self.of)
    }
}

impl Position {
    /// At this phase, with no migration under way.
    pub(super) fn at(phase: Phase) -> Self {
        Self { phase, migration: None, statement: None }
    }

    pub(super) fn see(&mut self, event: &Event<'_>) {
        self.phase = match event {
            Event::Connecting { .. } => Phase::Connect,
            Event::Opened => Phase::Read,
            Event::Ready | Event::Locked => Phase::Plan,
            Event::Locking => Phase::Lock,
            Event::Ahead { .. } => Phase::Ahead,
            Event::Applying { name, .. } | Event::Sending { name } => {
                if self.migration.as_deref() != Some(*name) {
                    (self.migration, self.statement) = (Some((*name).to_owned()), None);
                }
                Phase::Apply
            }
            Event::Statement { number, of, .. } => {
                self.statement = Some(AtStatement { number: *number, of: *of });
                Phase::Apply
            }
            Event::Applied { .. } => {
                (self.migration, self.statement) = (None, None);
                Phase::Apply
            }
            _ => return,
        };
    }
}
