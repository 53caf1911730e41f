//! Where a database stands, for `status`: what has been applied, what has not, and what is odd.

use std::collections::HashSet;

use crate::history::{Row, RowState, Snapshot};
use crate::migration::{Migration, Migrations};
use crate::plan::FailedAttempt;

/// Where a database stands compared to a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many migrations the project has.
    pub found: usize,
    /// Whether there is a history table.
    pub managed: bool,
    /// Migrations of the project that are neither applied nor under way nor failed.
    pub pending: Vec<String>,
    /// Migrations that a runner of ours is applying at this moment, or was when it died; the next one takes them up.
    pub under_way: Vec<String>,
    /// Attempts that have neither finished nor been given up.
    pub failed: Vec<FailedAttempt>,
    /// Applied migrations that the project does not have.
    pub ahead: Vec<String>,
    /// Applied migrations whose script has been changed since.
    pub edited: Vec<String>,
    /// The last of the project's migrations that is applied, before the first difference.
    pub last_common: Option<String>,
}

impl Standing {
    /// Compares a project with a database.
    pub fn of(migrations: &Migrations, snapshot: &Snapshot) -> Self {
        if let Snapshot::Exact = snapshot {
            return Self::current(migrations);
        }
        let rows = snapshot.history().rows();
        let in_state = |state: RowState| -> HashSet<&str> {
            rows.iter().filter(|row| row.state() == state).map(|row| row.migration_name.as_str()).collect()
        };
        let (applied, started) = (in_state(RowState::Applied), in_state(RowState::Started));
        let open = |name: &str| !applied.contains(name) && !started.contains(name);
        let names = || migrations.list().iter().map(Migration::name);
        let taken_up =
            |row: &&Row| row.state() == RowState::Started && crate::plan::can_resume(migrations, row);
        Self {
            under_way: rows.iter().filter(taken_up).map(|row| row.migration_name.clone()).collect(),
            found: migrations.list().len(),
            managed: matches!(snapshot, Snapshot::Managed(_)),
            pending: names().filter(|name| open(name)).map(str::to_owned).collect(),
            failed: crate::plan::failed(migrations, snapshot.history()),
            ahead: crate::plan::ahead(migrations, snapshot.history()),
            edited: crate::plan::edited(migrations, snapshot.history())
                .into_iter()
                .map(str::to_owned)
                .collect(),
            last_common: names().take_while(|name| applied.contains(name)).last().map(str::to_owned),
        }
    }

    /// Where a database stands whose history is [`Exact`](crate::history::Exact).
    fn current(migrations: &Migrations) -> Self {
        Self {
            found: migrations.list().len(),
            managed: true,
            pending: Vec::new(),
            under_way: Vec::new(),
            failed: Vec::new(),
            ahead: Vec::new(),
            edited: Vec::new(),
            last_common: migrations.list().last().map(|migration| migration.name().to_owned()),
        }
    }

    /// Whether the database stands at the project's migrations.
    pub fn is_up_to_date(&self) -> bool {
        self.pending.is_empty() && self.failed.is_empty() && self.under_way.is_empty()
    }
}
