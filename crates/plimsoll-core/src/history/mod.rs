//! The rows of `_prisma_migrations`, and what of a database the plan has to know.

mod exact;
mod failure;
mod instant;
mod progress;

pub use exact::Exact;
pub use failure::{doubtful_text, failure_log, failure_text};
pub use instant::Instant;
pub use progress::{Attempt, Done, FAILURE_MARK, Progress, UnderWay};

/// What was found in a database, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snapshot {
    /// There is no history table yet.
    Unmanaged {
        /// Tables that stand in the way of a first migration, by name.
        tables: Vec<String>,
    },
    /// The rows of the history table.
    Managed(History),
    /// There is a history table, and its rows are those of [`Exact`] for the project that was asked about. They have not been read.
    Exact,
}

impl Snapshot {
    /// The history, as far as it was read: empty where there is no table.
    pub fn history(&self) -> &History {
        static EMPTY: History = History { rows: Vec::new() };
        match self {
            Self::Unmanaged { .. } | Self::Exact => &EMPTY,
            Self::Managed(history) => history,
        }
    }
}

/// The rows of the history table, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    rows: Vec<Row>,
}

impl History {
    /// Takes rows in the order of `started_at`.
    pub fn new(rows: Vec<Row>) -> Self {
        Self { rows }
    }

    /// The rows, oldest first.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Adds a row behind all that are as old.
    pub fn insert(&mut self, row: Row) {
        let place = self.rows.partition_point(|other| other.started_at <= row.started_at);
        self.rows.insert(place, row);
    }

    /// The row with this id.
    pub fn row_mut(&mut self, id: &str) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.id == id)
    }

    /// The rows of one migration, oldest first.
    pub fn rows_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.migration_name == name)
    }
}

/// One attempt to apply a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// A UUID in lower case, as Prisma writes it.
    pub id: String,
    /// The directory's name.
    pub migration_name: String,
    /// SHA-256 of the script in hexadecimal, or an older form: see [`crate::checksum::matches`].
    pub checksum: String,
    /// When the attempt began.
    pub started_at: Instant,
    /// When it succeeded.
    pub finished_at: Option<Instant>,
    /// When it was given up: such a row no longer counts.
    pub rolled_back_at: Option<Instant>,
    /// Text about a failed attempt; only read for attempts that have not succeeded.
    pub logs: Option<String>,
    /// How many statements of the script are done; 1 for a finished script, 0 for `resolve --applied`.
    pub applied_steps_count: i64,
}

impl Row {
    /// What the row says about its migration.
    pub fn state(&self) -> RowState {
        match (self.rolled_back_at, self.finished_at) {
            (Some(_), _) => RowState::RolledBack,
            (None, Some(_)) => RowState::Applied,
            (None, None) => RowState::Started,
        }
    }

    /// What one of our own runners has written about an attempt that has not finished.
    pub fn progress(&self) -> Option<Progress> {
        self.logs.as_deref().and_then(Progress::parse)
    }

    /// Whether one of our own runners left this attempt in a way that another can take up safely.
    pub fn is_resumable(&self) -> bool {
        let running = |progress: Progress| progress.attempt == Attempt::Running;
        self.state() == RowState::Started && self.progress().is_some_and(running)
    }
}

/// What a row says about its migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowState {
    /// Finished.
    Applied,
    /// Given up; does not count.
    RolledBack,
    /// Begun and neither finished nor given up: under way, or left by a runner that died.
    Started,
}
