//! What whoever starts a run has to say about it, or about work that is none.

use std::time::Duration;

use plimsoll_core::plan::IfAhead;

use crate::limits::{Deadline, Limits};

/// How long a run waits, and what it may do.
#[derive(Clone, Debug)]
pub struct Options {
    /// For how long to wait for a database that is not up. Zero: not at all.
    pub wait: Duration,
    /// For how long to wait for another runner, or until the database is not ahead any more.
    pub lock_wait: Duration,
    /// What to do if the database is ahead of the project.
    pub if_ahead: IfAhead,
    /// What to do if the database does not exist.
    pub if_missing: IfMissing,
    /// How long a statement of a migration may wait and take.
    pub limits: Limits,
    /// When the run has to be over. A migration that cannot get its locks is tried again until then; if there is none, for
    /// `lock_wait` from the first of them on, and twice at the least (never, if that is zero).
    pub deadline: Option<Deadline>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            wait: Duration::from_mins(1),
            lock_wait: Duration::from_mins(10),
            if_ahead: IfAhead::Warn,
            if_missing: IfMissing::Create,
            limits: Limits::default(),
            deadline: None,
        }
    }
}

/// How long work waits that applies nothing: it has neither limits nor an end of its own.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For how long to wait for a database that is not up. Zero: not at all.
    pub database: Duration,
    /// For how long to wait for another runner.
    pub lock: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        let Options { wait, lock_wait, .. } = Options::default();
        Self { database: wait, lock: lock_wait }
    }
}

/// What a run does if the database does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMissing {
    /// Create it, as Prisma does.
    Create,
    /// Fail.
    Fail,
}
