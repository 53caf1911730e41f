//! Rows of `_prisma_migrations`, comparable between runs.

use std::fmt;

use uuid::Uuid;

use crate::database::Rows;

const COLUMNS: [&str; 8] = [
    "id",
    "checksum",
    "finished_at",
    "migration_name",
    "logs",
    "rolled_back_at",
    "started_at",
    "applied_steps_count",
];

/// A row of the history, with markers for what differs from run to run: `<id>` for a UUID, `<time>` for an instant.
///
/// Prisma's native engine writes numbers for instants on SQLite and its WebAssembly engine text: both are `<time>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The key: `<id>` if it is a UUID, otherwise as it is.
    pub id: String,
    /// The checksum as stored.
    pub checksum: String,
    /// `<time>` once the migration has been applied.
    pub finished_at: Option<String>,
    /// The name of the migration's directory.
    pub migration_name: String,
    /// The log; NULL and an empty one are told apart.
    pub logs: Option<String>,
    /// `<time>` once the attempt counts as rolled back.
    pub rolled_back_at: Option<String>,
    /// `<time>`.
    pub started_at: Option<String>,
    /// The number of steps.
    pub applied_steps_count: String,
}

/// Selects what [`normalised`] reads, in the order of `started_at`. Of rows of the same millisecond this column tells which is first.
pub(crate) fn query(table: &str, then_by: &str) -> String {
    format!("SELECT {} FROM {table} ORDER BY started_at, {then_by}", COLUMNS.join(", "))
}

pub(crate) fn normalised(rows: Rows) -> Vec<HistoryRow> {
    rows.into_iter().map(|row| HistoryRow::read(row).expect("the query selects eight columns")).collect()
}

impl HistoryRow {
    fn read(row: Vec<Option<String>>) -> Option<Self> {
        let mut values = row.into_iter();
        let mut next = || values.next();
        Some(Self {
            id: next()?.map(marked_id).unwrap_or_default(),
            checksum: next()?.unwrap_or_default(),
            finished_at: next()?.map(marked_time),
            migration_name: next()?.unwrap_or_default(),
            logs: next()?,
            rolled_back_at: next()?.map(marked_time),
            started_at: next()?.map(marked_time),
            applied_steps_count: next()?.unwrap_or_default(),
        })
    }
}

/// As the transcripts of the real Prisma show it: a line for each column.
impl fmt::Display for HistoryRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let values = [
            self.id.clone(),
            self.checksum.clone(),
            text(&self.finished_at),
            self.migration_name.clone(),
            text(&self.logs),
            text(&self.rolled_back_at),
            text(&self.started_at),
            self.applied_steps_count.clone(),
        ];
        COLUMNS.iter().zip(values).try_for_each(|(column, value)| writeln!(f, "{column}|{value}"))
    }
}

fn marked_id(id: String) -> String {
    if Uuid::parse_str(&id).is_ok() { "<id>".into() } else { id }
}

/// Epoch milliseconds, ISO 8601, or PostgreSQL's form: all begin with digits, and nothing else is an instant.
fn marked_time(time: String) -> String {
    let is_number = time.len() >= 12 && time.bytes().all(|byte| byte.is_ascii_digit());
    let is_text =
        time.len() >= 19 && time.as_bytes()[4] == b'-' && time[..4].bytes().all(|byte| byte.is_ascii_digit());
    if is_number || is_text { "<time>".into() } else { time }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_times_become_markers_and_anything_else_stays() {
        assert_eq!(marked_id("4b8a725a-f33c-4a5e-a339-a73a7170cf4b".into()), "<id>");
        assert_eq!(marked_id("nonsense".into()), "nonsense");
        assert_eq!(marked_time("2026-11-22 13:19:37.007067+00".into()), "<time>");
        assert_eq!(marked_time("2026-11-22T16:41:01.710+00:00".into()), "<time>");
        assert_eq!(marked_time("1795353577007".into()), "<time>");
        assert_eq!(marked_time("yesterday, somewhere".into()), "yesterday, somewhere");
    }
}
