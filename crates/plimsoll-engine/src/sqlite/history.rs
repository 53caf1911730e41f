//! Reading and writing `_prisma_migrations`.

use std::time::{SystemTime, UNIX_EPOCH};

use plimsoll_core::history::{FAILURE_MARK, History, Instant, Row, Snapshot, failure_log};
use plimsoll_core::{Code, Diagnostic, Migration, Script};
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension as _, named_params, params};

use super::Worker;
use super::seen::{Seen, check_unchanged, remember};
use crate::error::{Error, Result};

/// Reads the history, or what tables there are if there is none; remembers what was read.
pub(super) fn read(worker: &mut Worker) -> Result<Snapshot> {
    let names = tables(worker)?;
    if names.iter().any(|name| name == "_prisma_migrations") {
        remember(worker)?;
        return Ok(Snapshot::Managed(worker.seen.history().clone()));
    }
    worker.seen = Seen::default();
    let tables = names.into_iter().filter(|name| !worker.external_tables.contains(name)).collect();
    Ok(Snapshot::Unmanaged { tables })
}

/// How many rows are of migrations that are done. Where they cannot be counted, a read tells why.
pub(super) fn count_finished(worker: &Worker) -> Option<usize> {
    const COUNT: &str = "SELECT count(*) FROM main._prisma_migrations \
                         WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL";
    if !tables(worker).ok()?.iter().any(|name| name == "_prisma_migrations") {
        return Some(0);
    }
    let counted: i64 = worker.connection.query_row(COUNT, [], |row| row.get(0)).ok()?;
    usize::try_from(counted).ok()
}

fn tables(worker: &Worker) -> Result<Vec<String>> {
    let query = || -> rusqlite::Result<Vec<String>> {
        let mut statement = worker
            .connection
            .prepare("SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    query().map_err(|found| worker.error(&found))
}

/// The rows, oldest first. The two engines of Prisma store times of different types, which SQLite would not compare.
pub(super) fn rows(worker: &Worker) -> Result<History> {
    let query = || -> rusqlite::Result<Vec<Row>> {
        let mut statement = worker.connection.prepare(
            "SELECT id, migration_name, checksum, started_at, finished_at, rolled_back_at, applied_steps_count, \
             CASE WHEN finished_at IS NULL THEN logs END FROM main._prisma_migrations ORDER BY rowid",
        )?;
        statement.query_map([], row)?.collect()
    };
    let mut rows = query().map_err(|found| unreadable(worker, &found))?;
    rows.sort_by_key(|row| row.started_at);
    Ok(History::new(rows))
}

fn unreadable(worker: &Worker, found: &rusqlite::Error) -> Error {
    let error = worker.error(found);
    if !matches!(found, rusqlite::Error::SqlInputError { .. } | rusqlite::Error::InvalidColumnType(..)) {
        return error;
    }
    Error::never(Diagnostic {
        code: Code::HistoryUnreadable,
        message: "`_prisma_migrations` does not have the columns of a migration history".to_owned(),
        ..*error.diagnostic
    })
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        migration_name: row.get(1)?,
        checksum: row.get(2)?,
        started_at: instant(row.get_ref(3)?).unwrap_or(Instant(0)),
        finished_at: instant(row.get_ref(4)?),
        rolled_back_at: instant(row.get_ref(5)?),
        applied_steps_count: row.get(6)?,
        logs: row.get(7)?,
    })
}

/// A time of any of the types that it is stored as. A value that is no time is still a value: the attempt has finished.
fn instant(value: ValueRef<'_>) -> Option<Instant> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(milliseconds(number)),
        ValueRef::Text(text) => {
            Some(std::str::from_utf8(text).ok().and_then(Instant::parse_sqlite).unwrap_or(Instant(0)))
        }
        ValueRef::Real(_) | ValueRef::Blob(_) => Some(Instant(0)),
    }
}

/// Creates the history table as Prisma does, unless another runner has.
pub(super) fn create(worker: &mut Worker) -> Result<()> {
    worker.transaction(|worker| {
        if tables(worker)?.iter().any(|name| name == "_prisma_migrations") {
            return Err(Error::overtaken());
        }
        worker.execute(
            "CREATE TABLE main.\"_prisma_migrations\" (
    \"id\"                    TEXT PRIMARY KEY NOT NULL,
    \"checksum\"              TEXT NOT NULL,
    \"finished_at\"           DATETIME,
    \"migration_name\"        TEXT NOT NULL,
    \"logs\"                  TEXT,
    \"rolled_back_at\"        DATETIME,
    \"started_at\"            DATETIME NOT NULL DEFAULT current_timestamp,
    \"applied_steps_count\"   INTEGER UNSIGNED NOT NULL DEFAULT 0
);",
        )
    })
}

/// Milliseconds since 1970: what Prisma's own engine stores.
pub(super) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

fn milliseconds(since_1970: i64) -> Instant {
    Instant(since_1970.saturating_mul(1000))
}

/// A row to be written.
pub(super) struct NewRow<'a> {
    pub(super) id: &'a str,
    pub(super) migration: &'a Migration,
    pub(super) started_at: i64,
    pub(super) finished_at: Option<i64>,
    pub(super) rolled_back_at: Option<i64>,
    pub(super) logs: Option<String>,
    pub(super) steps: i64,
}

impl NewRow<'_> {
    /// As it is read from then on.
    pub(super) fn read(&self) -> Row {
        Row {
            id: self.id.to_owned(),
            migration_name: self.migration.name().to_owned(),
            checksum: self.checksum(),
            started_at: milliseconds(self.started_at),
            finished_at: self.finished_at.map(milliseconds),
            rolled_back_at: self.rolled_back_at.map(milliseconds),
            logs: self.logs.clone().filter(|_| self.finished_at.is_none()),
            applied_steps_count: self.steps,
        }
    }

    fn checksum(&self) -> String {
        self.migration.script().map(|script| script.checksum().to_string()).unwrap_or_default()
    }
}

/// Inserts a row.
pub(super) fn insert(worker: &Worker, row: &NewRow<'_>) -> Result<()> {
    let inserted = worker.connection.execute(
        "INSERT INTO main._prisma_migrations (id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at, applied_steps_count) \
         VALUES (:id, :checksum, :finished, :name, :logs, :rolled_back, :started, :steps)",
        named_params! {
            ":id": row.id, ":checksum": row.checksum(), ":finished": row.finished_at, ":name": row.migration.name(), ":logs": row.logs,
            ":rolled_back": row.rolled_back_at, ":started": row.started_at, ":steps": row.steps,
        },
    );
    inserted.map(drop).map_err(|found| worker.error(&found))
}

/// Finishes a started row, so that it looks as Prisma writes it. To be called outside of a transaction.
pub(super) fn finish(worker: &mut Worker, id: &str) -> Result<()> {
    let at = now();
    update(
        worker,
        "UPDATE main._prisma_migrations SET finished_at = ?2, applied_steps_count = 1, logs = NULL WHERE id = ?1 AND finished_at IS NULL",
        params![id, at],
    )?;
    worker.seen.finish(id, milliseconds(at));
    Ok(())
}

/// Stores why a started row did not finish; `rolled_back_at` says whether it still counts.
pub(super) fn store_failure(
    worker: &Worker,
    id: &str,
    logs: &str,
    rolled_back_at: Option<i64>,
) -> Result<()> {
    update(
        worker,
        "UPDATE main._prisma_migrations SET logs = ?2, rolled_back_at = ?3 WHERE id = ?1 AND finished_at IS NULL",
        params![id, logs, rolled_back_at],
    )
}

fn update(worker: &Worker, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<()> {
    worker.connection.execute(sql, values).map(drop).map_err(|found| worker.error(&found))
}

/// Records an attempt that was rolled back, as a row that does not count; our own record of an earlier one is replaced.
pub(super) fn record_failure(worker: &mut Worker, migration: &Migration, failure: &Diagnostic) -> Result<()> {
    let Ok(script) = migration.script() else { return Ok(()) };
    let logs = failure_log(migration.name(), failure, &worker.runner);
    worker.transaction(|worker| match earlier_failure(worker, migration, script)? {
        Some(id) => store_failure(worker, &id, &logs, Some(now())),
        None => insert(
            worker,
            &NewRow {
                id: &new_id(),
                migration,
                started_at: now(),
                finished_at: None,
                rolled_back_at: Some(now()),
                logs: Some(logs.clone()),
                steps: 0,
            },
        ),
    })
}

/// The row with which an earlier attempt of ours at the same script was recorded; rows of Prisma are left alone.
pub(super) fn earlier_failure(
    worker: &Worker,
    migration: &Migration,
    script: &Script,
) -> Result<Option<String>> {
    let find = "SELECT id FROM main._prisma_migrations WHERE migration_name = ?1 AND checksum = ?2 \
                AND rolled_back_at IS NOT NULL AND finished_at IS NULL AND logs LIKE ?3";
    let values = params![migration.name(), script.checksum().to_string(), format!("%{FAILURE_MARK}%")];
    let earlier = worker.connection.query_row(find, values, |row| row.get(0)).optional();
    earlier.map_err(|found| worker.error(&found))
}

/// Takes the row of an earlier attempt for a new one.
pub(super) fn start_again(worker: &Worker, id: &str, logs: &str) -> Result<()> {
    update(
        worker,
        "UPDATE main._prisma_migrations SET logs = ?2, started_at = ?3, rolled_back_at = NULL WHERE id = ?1",
        params![id, logs, now()],
    )
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// `resolve --applied`.
pub(super) fn mark_applied(worker: &mut Worker, migration: &Migration) -> Result<()> {
    worker.transaction(|worker| {
        check_unchanged(worker)?;
        let give_up = "UPDATE main._prisma_migrations SET rolled_back_at = ?2 \
                       WHERE migration_name = ?1 AND finished_at IS NULL AND rolled_back_at IS NULL";
        update(worker, give_up, params![migration.name(), now()])?;
        let at = now();
        insert(
            worker,
            &NewRow {
                id: &new_id(),
                migration,
                started_at: at,
                finished_at: Some(at),
                rolled_back_at: None,
                logs: Some(String::new()),
                steps: 0,
            },
        )
    })
}

/// `resolve --rolled-back`.
pub(super) fn mark_rolled_back(worker: &mut Worker, ids: &[String]) -> Result<()> {
    worker.transaction(|worker| {
        ids.iter().try_for_each(|id| {
            update(
                worker,
                "UPDATE main._prisma_migrations SET rolled_back_at = ?2 WHERE id = ?1 AND finished_at IS NULL",
                params![id, now()],
            )
        })
    })
}

/// `resolve --resume`: has an unfinished attempt carried on with the script as it is now.
pub(super) fn mark_resumable(worker: &mut Worker, id: &str, checksum: &str, logs: &str) -> Result<()> {
    worker.transaction(|worker| {
        check_unchanged(worker)?;
        update(
            worker,
            "UPDATE main._prisma_migrations SET logs = ?2, checksum = ?3 WHERE id = ?1",
            params![id, logs, checksum],
        )
    })
}
