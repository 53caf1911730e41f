//! The rows of `_prisma_migrations`, and what of a database the plan has to know.

use std::fmt::{self, Write as _};

use crate::diagnostic::Diagnostic;

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
}

impl Snapshot {
    /// The history, which is empty where there is no table.
    pub fn history(&self) -> &History {
        static EMPTY: History = History { rows: Vec::new() };
        match self {
            Self::Unmanaged { .. } => &EMPTY,
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
    /// How many segments are done; 1 for a finished script, 0 for `resolve --applied`.
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

    /// Whether one of our own runners left this attempt in a way that another can take up safely.
    pub fn is_resumable(&self) -> bool {
        self.state() == RowState::Started
            && self.logs.as_deref().is_some_and(|logs| logs.contains(RESUME_MARK))
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

/// Stands in the `logs` of a row while its statement is under way, and says that it may be taken up by another runner.
pub const RESUME_MARK: &str = r#"{"plimsoll":1,"state":"running""#;

/// Stands in the `logs` of a row that records a failed attempt of ours, which was rolled back.
pub const FAILURE_MARK: &str = r#"{"plimsoll":1,"state":"rolled back""#;

/// The `logs` of a row whose single statement is about to run outside a transaction.
///
/// `facts` are further fields of its JSON line, each with a comma before it, for whoever takes the attempt up.
pub fn running_log(runner: &str, facts: &str) -> String {
    let runner = serde_json::Value::from(runner);
    format!(
        "Plimsoll is applying this migration, or its runner died: the next start carries on.\n{RESUME_MARK},\"runner\":{runner}{facts}}}"
    )
}

/// The `logs` of a row that records a failed attempt of ours: what happened, then one line for machines.
pub fn failure_log(migration: &str, failure: &Diagnostic, runner: &str) -> String {
    let runner = serde_json::Value::from(runner);
    format!("{}\n{FAILURE_MARK},\"runner\":{runner}}}", failure_text(migration, failure))
}

/// What happened to a failed attempt, in the form that Prisma stores and that its users know.
pub fn failure_text(migration: &str, failure: &Diagnostic) -> String {
    let said = failure.database.as_deref();
    let code = said.and_then(|said| said.code.as_deref()).unwrap_or("none");
    let message = said.map_or(&failure.message, |said| &said.message);
    let mut text = format!(
        "A migration failed to apply. New migrations cannot be applied before the error is recovered from.\n\n\
         Migration name: {migration}\n\nDatabase error code: {code}\n\nDatabase error:\n{message}"
    );
    let more = said.map(|said| [("DETAIL", &said.detail), ("HINT", &said.hint), ("CONTEXT", &said.context)]);
    for (name, value) in more.into_iter().flatten() {
        if let Some(value) = value {
            let _infallible = write!(text, "\n{name}: {value}");
        }
    }
    if let Some(place) = &failure.place {
        let _infallible = write!(text, "\n\nPosition: {place}");
    }
    // PostgreSQL's text cannot hold NUL.
    text.replace('\0', "\u{fffd}")
}

/// Microseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl Instant {
    /// Reads what Prisma's engines write into SQLite's untyped columns: milliseconds since 1970 as a number, or a time
    /// as ISO 8601 text or `YYYY-MM-DD HH:MM:SS` in UTC.
    pub fn parse_sqlite(text: &str) -> Option<Self> {
        if let Ok(milliseconds) = text.parse::<i64>() {
            return milliseconds.checked_mul(1000).map(Self);
        }
        let with_zone = text.parse::<jiff::Timestamp>();
        let instant =
            with_zone.or_else(|_| format!("{}Z", text.replace(' ', "T")).parse::<jiff::Timestamp>());
        instant.ok().map(|instant| Self(instant.as_microsecond()))
    }
}

impl Instant {
    /// The instant without the fraction of its second, for people: `2026-11-22 13:19:43 UTC`.
    pub fn to_the_second(self) -> String {
        let text = self.to_string();
        match text.split_once('.') {
            Some((seconds, _)) => format!("{seconds} UTC"),
            None => text,
        }
    }
}

impl fmt::Display for Instant {
    /// The form of Prisma's P3009: `2026-11-22 13:19:43.457960 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{}", instant.strftime("%Y-%m-%d %H:%M:%S%.6f UTC")),
            Err(_) => write!(f, "{} µs since 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_both_engines_of_prisma_are_read() {
        let expected = Instant(1_795_353_049_412_000);
        assert_eq!(Instant::parse_sqlite("1795353049412"), Some(expected));
        assert_eq!(Instant::parse_sqlite("2026-11-22T13:10:49.412+00:00"), Some(expected));
        assert_eq!(Instant::parse_sqlite("2026-11-22 13:10:49"), Some(Instant(1_795_353_049_000_000)));
        assert_eq!(Instant::parse_sqlite("yesterday"), None);
    }

    #[test]
    fn an_instant_is_shown_as_prisma_shows_it() {
        assert_eq!(Instant(1_795_353_049_412_000).to_string(), "2026-11-22 13:10:49.412000 UTC");
    }

    #[test]
    fn the_log_of_a_running_statement_is_resumable_and_that_of_a_failure_is_not() {
        let row = |logs: String| Row {
            id: String::new(),
            migration_name: String::new(),
            checksum: String::new(),
            started_at: Instant(0),
            finished_at: None,
            rolled_back_at: None,
            logs: Some(logs),
            applied_steps_count: 0,
        };
        assert!(row(running_log("pod \"a\"", ",\"index\":\"absent\"")).is_resumable());
        let failure = Diagnostic::new(crate::code::Code::MigrationFailed, "boom");
        assert!(!row(failure_log("1_init", &failure, "pod")).is_resumable());
    }
}
