//! What goes into a run, and what comes out of one that did not end well.

use std::fmt;

use plimsoll_core::history::Snapshot;
use plimsoll_core::plan::{self, IfAhead, Plan};
use plimsoll_core::{Diagnostic, Migrations, Provider, Report};

/// What a run works on.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The project's migrations.
    pub migrations: &'a Migrations,
    /// The provider of its schema, for `migration_lock.toml`.
    pub provider: Provider,
}

impl<'a> Work<'a> {
    /// What is to be done, given what a database holds.
    pub fn plan<'p>(&self, snapshot: &'p Snapshot, if_ahead: IfAhead) -> Plan<'p>
    where
        'a: 'p,
    {
        plan::plan(self.migrations, self.provider, snapshot, if_ahead)
    }
}

/// A run that did not end well, and what it had done until then.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Why.
    pub diagnostic: Box<Diagnostic>,
    /// What was done: what is in `applied` is committed.
    pub report: Report,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic.fmt(f)
    }
}

impl std::error::Error for Failure {}
