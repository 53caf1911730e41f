//! What happens during a run, for whoever wants to show it.

use std::borrow::Cow;
use std::time::Duration;

use plimsoll_core::Diagnostic;
use plimsoll_core::secret::mask;

use crate::backend::{Holder, Told};
use crate::blockers::Blocker;

/// Something that happened during a run.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The database does not answer yet; said once for each wait.
    Waiting {
        /// Why not.
        why: &'a Diagnostic,
        /// For how long it will be tried.
        at_most: Duration,
    },
    /// A connection is about to be made.
    Connecting {
        /// The first try of a wait is 1.
        number: u32,
    },
    /// It could not be made, and will be tried again.
    NotConnected {
        /// Why not.
        why: &'a Diagnostic,
        /// How long the pause until the next try is.
        pause: Duration,
    },
    /// It has been made; the history is about to be read.
    Opened,
    /// The migration lock is about to be asked for.
    Locking,
    /// The migration lock is ours.
    Locked,
    /// A migration is under way, for the first time or again: it is being sent, or has been, with those before it.
    Sending {
        /// Its name.
        name: &'a str,
    },
    /// It answered after a wait.
    Connected {
        /// How long the wait was.
        after: Duration,
    },
    /// The history has been read for the first time.
    Ready,
    /// The database did not exist and has been created.
    DatabaseCreated,
    /// Somebody else holds the lock; said after a second, a few seconds after the holder has become another one, and every 30 seconds.
    WaitingForLock {
        /// Who.
        holder: Option<&'a Holder>,
    },
    /// The database is ahead of the project, and that is waited for; said when it is first seen, and every 30 seconds.
    Ahead {
        /// The migrations that the project does not have.
        names: &'a [String],
        /// Those of them that were begun and have not finished.
        unfinished: &'a [String],
        /// For how long it will be waited.
        at_most: Duration,
    },
    /// It is a migration's turn.
    Applying {
        /// Its name.
        name: &'a str,
        /// The first of this run is 1.
        number: usize,
        /// How many this run has to apply.
        of: usize,
    },
    /// A migration is committed.
    Applied {
        /// Its name.
        name: &'a str,
        /// How long it took.
        took: Duration,
    },
    /// A migration that this run had applied is not in the history any more: a failover may have lost its commit.
    Forgotten {
        /// Its name.
        name: &'a str,
    },
    /// A migration failed for a reason that passes, and will be tried again.
    Retrying {
        /// Its name.
        name: &'a str,
        /// What of it.
        again: Resent,
        /// The reason.
        why: &'a Diagnostic,
    },
    /// A migration waits for a lock that others hold; said when they are first seen, for others, and every 30 seconds.
    Blocked {
        /// Its name.
        name: &'a str,
        /// Who they are; at least one.
        blockers: &'a [Blocker],
    },
    /// The connection was lost and will be made again.
    Reconnecting {
        /// Why.
        why: &'a Diagnostic,
    },
    /// The migration that is being applied cannot be one transaction, and has got to this statement.
    Statement {
        /// The migration's name.
        name: &'a str,
        /// The first statement is 1.
        number: usize,
        /// How many statements it has.
        of: usize,
    },
    /// Something worth a line, without the passwords that can be recognised in it.
    Note(Cow<'a, str>),
}

impl<'a> Event<'a> {
    /// The trouble that it tells of, if it does.
    pub fn why(&self) -> Option<&'a Diagnostic> {
        match self {
            Self::Waiting { why, .. }
            | Self::NotConnected { why, .. }
            | Self::Retrying { why, .. }
            | Self::Reconnecting { why } => Some(why),
            _ => None,
        }
    }

    /// The same, telling of that trouble in other words.
    #[must_use]
    pub fn because(self, why: &'a Diagnostic) -> Self {
        match self {
            Self::Waiting { at_most, .. } => Self::Waiting { why, at_most },
            Self::NotConnected { pause, .. } => Self::NotConnected { why, pause },
            Self::Retrying { name, again, .. } => Self::Retrying { name, again, why },
            Self::Reconnecting { .. } => Self::Reconnecting { why },
            other => other,
        }
    }

    /// What a session tells about the migration of this name, but for its end: of that the run knows more.
    pub(crate) fn of(name: &'a str, told: Told<'a>) -> Option<Self> {
        match told {
            // It may hold a statement of the script.
            Told::Note(note) => Some(Self::Note(mask(note).into())),
            Told::Statement { number, of } => Some(Self::Statement { name, number, of }),
            Told::Applied => None,
        }
    }
}

/// What of a migration is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resent {
    /// All of it: it was rolled back.
    Whole,
    /// What is not done. It cannot be one transaction, and what is done of it stays.
    Rest,
}

/// Sees what happens during a run.
pub trait Observe {
    /// Called for each event, on the run's own thread: it should return soon.
    fn see(&mut self, event: Event<'_>);
}

/// Sees nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observe for Unobserved {
    fn see(&mut self, _event: Event<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_shows_no_password_of_a_statement() {
        let note = "had taken effect: `CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:hunter2@db/x'`";
        let Some(Event::Note(shown)) = Event::of("1_init", Told::Note(note)) else {
            panic!("a note is told")
        };
        assert_eq!(shown, note.replace("hunter2", "*******"));
    }
}
