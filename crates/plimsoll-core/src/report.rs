//! What a run has done, as values.

use std::time::Duration;

/// What one run has done, also if it failed: what is in `applied` is committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The migrations that this run applied, in order.
    pub applied: Vec<AppliedMigration>,
    /// What was still to be applied when the run ended.
    pub pending: Vec<String>,
    /// Applied migrations whose script has been changed since.
    pub edited: Vec<String>,
    /// Migrations in the history that the project does not have.
    pub ahead: Vec<String>,
    /// Those of them that were begun and have not finished: another release's runner is at work, or died.
    pub unfinished: Vec<String>,
    /// Whether the run created the database.
    pub database_created: bool,
}

/// A migration that has been applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// The directory's name.
    pub name: String,
    /// From sending its script to having its commit confirmed.
    pub took: Duration,
}
