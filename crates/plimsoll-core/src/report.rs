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
    /// Applied migrations that the project does not have.
    pub ahead: Vec<String>,
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
