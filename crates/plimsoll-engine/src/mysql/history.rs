//! Reading and writing `_prisma_migrations`.

use plimsoll_core::history::{FAILURE_MARK, History, Instant, Progress, Row, Snapshot, failure_log};
use plimsoll_core::{Code, Diagnostic, Migration, Script};

use super::limits::{OwnLimits, SHORT_WAITS, lock_timeouts};
use super::send::Row as Values;
use super::settings::neutrally;
use super::{Facts, MysqlSession, error, lock, sql};
use crate::error::{Error, Kind, Result};

/// What makes a connection a session of ours.
///
/// The server notices within a minute that we are gone without a word: until then it keeps our lock. We are never silent for
/// that long. While somebody keeps the history locked it is not waited for inside a statement. Whatever a server's own
/// settings are, all rows are read, and what is written is committed.
const SETTINGS: &str = "SET SESSION wait_timeout = CAST(LEAST(@@GLOBAL.wait_timeout, 60) AS UNSIGNED), \
     SESSION lock_wait_timeout = CAST(LEAST(@@GLOBAL.lock_wait_timeout, 1) AS UNSIGNED), \
     SESSION sql_select_limit = 18446744073709551615, SESSION autocommit = 1;";

/// What decides how scripts are read, and how long a statement may be.
///
/// And the limits for locks that somebody has set for this session alone (`init_connect`): asked for before they are ours, and so
/// before `sql_select_limit` is, which does not count where there is a `LIMIT`.
const FACTS: &str = "SELECT VERSION(), @@SESSION.sql_mode, @@SESSION.max_allowed_packet, \
     NULLIF(@@SESSION.lock_wait_timeout, @@GLOBAL.lock_wait_timeout), \
     NULLIF(@@SESSION.innodb_lock_wait_timeout, @@GLOBAL.innodb_lock_wait_timeout) LIMIT 1;";

/// Reads the history, or what tables there are if there is none: one message, and one more only if there is none.
pub(super) async fn read(session: &mut MysqlSession) -> Result<Snapshot> {
    if let Some(snapshot) = read_once(session).await? {
        return Ok(snapshot);
    }
    // Another runner has created the table between two looks: the next look tells.
    read_once(session).await?.ok_or_else(|| {
        Error::never(Diagnostic::new(
            Code::HistoryUnreadable,
            "`_prisma_migrations` is among the tables, and cannot be read",
        ))
    })
}

async fn read_once(session: &mut MysqlSession) -> Result<Option<Snapshot>> {
    let first = session.facts.version.is_empty();
    let before = if first { format!("{FACTS}{SETTINGS}") } else { String::new() };
    let query = format!(
        "{before}SELECT id, migration_name, checksum, {started}, {finished}, {rolled_back}, applied_steps_count, \
         CASE WHEN finished_at IS NULL THEN logs END FROM {table} ORDER BY started_at",
        started = microseconds("started_at"),
        finished = microseconds("finished_at"),
        rolled_back = microseconds("rolled_back_at"),
        table = session.history_table(),
    );
    let mut answers = session.answers(&query).await;
    if first {
        // They are known once the settings hold, too: else the next look begins with both again.
        if let [facts, _settings, ..] = answers.sets.as_slice()
            && let Some(facts) = facts.first()
        {
            session.facts = read_facts(facts);
        }
    }
    match answers.failure {
        None => {
            let rows = answers.sets.pop().unwrap_or_default();
            Ok(Some(Snapshot::Managed(History::new(rows.iter().map(history_row).collect()))))
        }
        Some(found) if error::number(&found) == Some(error::NO_SUCH_TABLE) => unmanaged(session).await,
        Some(found) => Err(unreadable(session, &found)),
    }
}

/// How many rows are known to be of migrations that are done: none while somebody keeps the history locked. Where they cannot be counted, a read
/// tells why.
pub(super) async fn count_finished(session: &mut MysqlSession) -> Option<usize> {
    let query = format!(
        "SELECT COUNT(*) FROM {} WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
        session.history_table()
    );
    let answers = session.answers(&query).await;
    match answers.failure {
        None => answers.sets.into_iter().flatten().flatten().flatten().next()?.parse().ok(),
        Some(found) => matches!(error::number(&found), Some(error::NO_SUCH_TABLE | error::LOCK_WAIT_TIMEOUT))
            .then_some(0),
    }
}

/// A `DATETIME` that holds UTC, in microseconds since 1970: whatever the session's time zone is.
fn microseconds(column: &str) -> String {
    format!("TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', {column})")
}

fn read_facts(row: &Values) -> Facts {
    let text = |n: usize| row.get(n).cloned().flatten().unwrap_or_default();
    let number = |n: usize| text(n).parse().ok();
    let own = OwnLimits { tables: number(3), rows: number(4) };
    Facts { version: text(0), sql_mode: text(1), longest_message: text(2).parse().ok(), own }
}

fn history_row(row: &Values) -> Row {
    let value = |n: usize| row.get(n).and_then(Option::as_deref);
    let text = |n: usize| value(n).unwrap_or_default().to_owned();
    let instant = |n: usize| value(n).and_then(|text| text.parse().ok()).map(Instant);
    Row {
        id: text(0),
        migration_name: text(1),
        checksum: text(2),
        started_at: instant(3).unwrap_or(Instant(0)),
        finished_at: instant(4),
        rolled_back_at: instant(5),
        applied_steps_count: text(6).parse().unwrap_or(0),
        logs: value(7).map(str::to_owned),
    }
}

/// The tables that stand in the way of a first migration: ordinary ones, as in Prisma, without those that the project says
/// belong to somebody else. Nothing if there is a history among them.
async fn unmanaged(session: &mut MysqlSession) -> Result<Option<Snapshot>> {
    let rows = session
        .rows(&format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES \
             WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA = {} ORDER BY TABLE_NAME",
            sql::text(&session.database)
        ))
        .await?;
    let mut tables: Vec<String> = rows.into_iter().flatten().flatten().collect();
    if tables.iter().any(|table| table == "_prisma_migrations") {
        return Ok(None);
    }
    let (external, database) = (&session.external_tables, &session.database);
    tables.retain(|table| !external.contains(table) && !external.contains(&format!("{database}.{table}")));
    Ok(Some(Snapshot::Unmanaged { tables }))
}

fn unreadable(session: &MysqlSession, found: &mysql_async::Error) -> Error {
    let error = session.error(found);
    let said =
        |code, message: &str| Diagnostic { code, message: message.to_owned(), ..*error.diagnostic.clone() };
    if error::number(found) == Some(error::NO_SUCH_COLUMN) {
        return Error::never(said(
            Code::HistoryUnreadable,
            "`_prisma_migrations` does not have the columns of a migration history",
        ));
    }
    match error.kind {
        Kind::Again => {
            Error::new(Kind::Busy, said(Code::LockTimeout, "somebody keeps `_prisma_migrations` locked"))
        }
        _ => error,
    }
}

/// Creates the history table as Prisma does. A backup that keeps definitions out is not waited for here, whatever limit anybody
/// has set.
pub(super) async fn create(session: &mut MysqlSession) -> Result<()> {
    lock::check(session).await?;
    session.execute(SHORT_WAITS).await?;
    let created = create_now(session).await;
    let limits = lock_timeouts(session.limits_set, session.facts.own);
    let as_before = session.execute(&limits).await.map(drop);
    created.and(as_before)
}

async fn create_now(session: &mut MysqlSession) -> Result<()> {
    let statement = format!(
        "CREATE TABLE {} (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             DATETIME(3),
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          DATETIME(3),
    started_at              DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    applied_steps_count     INTEGER UNSIGNED NOT NULL DEFAULT 0
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        session.history_table()
    );
    match session.send(&statement).await {
        // Somebody who takes no lock was faster.
        Err(found) if error::number(&found) == Some(error::TABLE_EXISTS) => Err(Error::overtaken()),
        created => created.map(drop).map_err(|found| session.error(&found)),
    }
}

/// Records an attempt that was rolled back, as a row that does not count.
///
/// A later attempt with the same script replaces our own record of the earlier one; rows of Prisma are left alone.
pub(super) async fn record_failure(
    session: &mut MysqlSession,
    migration: &Migration,
    failure: &Diagnostic,
) -> Result<()> {
    neutrally(session, async |session| rolled_back(session, migration, failure).await).await
}

async fn rolled_back(session: &mut MysqlSession, migration: &Migration, failure: &Diagnostic) -> Result<()> {
    let Ok(script) = migration.script() else { return Ok(()) };
    let table = session.history_table();
    // Of an attempt that the next start carries on the row says how far it got: it has not been rolled back.
    let unfinished = format!(
        "SELECT id FROM {table} WHERE {} AND finished_at IS NULL AND rolled_back_at IS NULL",
        is_named(migration)
    );
    if !session.rows(&unfinished).await?.is_empty() {
        return Ok(());
    }
    let logs = sql::text(&sql::logs(&failure_log(migration.name(), &session.safe(failure), &session.runner)));
    let statement = match earlier_failure(session, migration, script).await? {
        Some(id) => format!(
            "UPDATE {table} SET logs = {logs}, started_at = UTC_TIMESTAMP(3), rolled_back_at = UTC_TIMESTAMP(3) \
             WHERE id = {} AND {}",
            sql::text(&id),
            lock::HELD
        ),
        None => format!(
            "INSERT INTO {table} (id, checksum, migration_name, logs, started_at, rolled_back_at) \
             SELECT {}, {}, {}, {logs}, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) FROM DUAL WHERE {}",
            sql::text(&new_id()),
            sql::text(&script.checksum().to_string()),
            sql::text(migration.name()),
            lock::HELD
        ),
    };
    session.execute(&statement).await.map(drop)
}

/// The id of the row with which an earlier attempt of ours at the same script was recorded; rows of Prisma are left alone.
async fn earlier_failure(
    session: &mut MysqlSession,
    migration: &Migration,
    script: &Script,
) -> Result<Option<String>> {
    let query = format!(
        "SELECT id FROM {} WHERE {} AND {} LIMIT 1",
        session.history_table(),
        is_named(migration),
        is_failed(script)
    );
    Ok(session.rows(&query).await?.into_iter().flatten().flatten().next())
}

/// The condition that a row is of an attempt of ours at this script that failed and left nothing.
pub(super) fn is_failed(script: &Script) -> String {
    format!(
        "checksum = {} AND rolled_back_at IS NOT NULL AND finished_at IS NULL AND COALESCE(LOCATE({}, logs), 0) > 0",
        sql::text(&script.checksum().to_string()),
        sql::text(FAILURE_MARK)
    )
}

/// The condition that a row is of this migration: to the byte, where the column's own comparison takes `É` for `e`.
pub(super) fn is_named(migration: &Migration) -> String {
    format!(
        "CAST(CONVERT(migration_name USING utf8mb4) AS BINARY) = CAST({} AS BINARY)",
        sql::text(migration.name())
    )
}

/// `resolve --applied`: gives up the failed attempts, and records the migration as Prisma does.
pub(super) async fn mark_applied(session: &mut MysqlSession, migration: &Migration) -> Result<()> {
    let Ok(script) = migration.script() else { return Ok(()) };
    let table = session.history_table();
    let given_up = format!(
        "UPDATE {table} SET rolled_back_at = UTC_TIMESTAMP(3) \
         WHERE {} AND finished_at IS NULL AND rolled_back_at IS NULL AND {}",
        is_named(migration),
        lock::HELD
    );
    let applied = format!(
        "INSERT INTO {table} (id, checksum, migration_name, logs, started_at, finished_at) \
         SELECT {}, {}, {}, '', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) FROM DUAL WHERE {}",
        sql::text(&new_id()),
        sql::text(&script.checksum().to_string()),
        sql::text(migration.name()),
        lock::HELD
    );
    session.execute(&format!("START TRANSACTION;{given_up}")).await?;
    match session.execute(&applied).await {
        Ok(1) => session.execute(sql::COMMIT).await.map(drop),
        Ok(_) => Err(error::lock_lost()),
        // What is not committed is rolled back with the session, which ends now.
        Err(error) => Err(error),
    }
}

/// `resolve --rolled-back`: gives up failed attempts.
pub(super) async fn mark_rolled_back(session: &mut MysqlSession, rows: &[&Row]) -> Result<()> {
    let ids = rows.iter().map(|row| sql::text(&row.id)).collect::<Vec<_>>().join(", ");
    let statement = format!(
        "UPDATE {} SET rolled_back_at = UTC_TIMESTAMP(3) WHERE id IN ({ids}) AND finished_at IS NULL AND {}",
        session.history_table(),
        lock::HELD
    );
    match session.execute(&statement).await? {
        0 => lock::check(session).await,
        _ => Ok(()),
    }
}

/// `resolve --resume`: has an unfinished attempt carried on by the next run.
pub(super) async fn mark_resumable(
    session: &mut MysqlSession,
    row: &Row,
    migration: &Migration,
    progress: &Progress,
) -> Result<()> {
    let Ok(script) = migration.script() else { return Ok(()) };
    // `started_at` changes in any case: a row that says the same already would not be counted as changed.
    let statement = format!(
        "UPDATE {} SET logs = {}, checksum = {}, started_at = UTC_TIMESTAMP(3) \
         WHERE id = {} AND finished_at IS NULL AND rolled_back_at IS NULL AND {}",
        session.history_table(),
        sql::text(&sql::logs(&progress.running_log())),
        sql::text(&script.checksum().to_string()),
        sql::text(&row.id),
        lock::HELD
    );
    match session.execute(&statement).await? {
        0 => lock::check(session).await.and(Err(Error::overtaken())),
        _ => Ok(()),
    }
}

/// A new id, in the form that Prisma writes.
fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
