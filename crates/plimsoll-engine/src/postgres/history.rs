//! Reading and writing `_prisma_migrations`, and the lock that guards it.

use std::time::Duration;

use plimsoll_core::history::{Exact, FAILURE_MARK, History, Instant, Progress, Row, Snapshot, failure_log};
use plimsoll_core::{Code, Diagnostic, Migration, Script};
use tokio_postgres::SimpleQueryRow;
use tokio_postgres::error::SqlState;

use super::error::LOCK_BUSY;
use super::pooler::Hold;
use super::{LOCK_KEY, PostgresSession, exact, only_rows, quote_name, quote_text};
use crate::backend::{Holder, Lock};
use crate::error::{Error, Kind, Result};

/// What the first message to a server found out.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// The schema of the history table, or where it is to be created.
    pub(super) history_schema: Option<String>,
    /// The schema in which the server creates what is created without one: it is there.
    current_schema: Option<String>,
    /// Whether `'\'` is a whole string, as it has been by default since PostgreSQL 9.1.
    pub(super) standard_strings: bool,
    /// Whether a session has a `lock_timeout` by itself: of the role, the database, the server or the URL.
    pub(super) has_lock_timeout: bool,
    /// Whether the server is a standby, or still replays its log.
    pub(super) in_recovery: bool,
    /// The number of its process that answered.
    pub(super) process: Option<i32>,
}

/// Neither is the history waited for while somebody keeps it locked, nor may policies hide some of its rows from us.
pub(super) const LIMITS: &str = "SET LOCAL lock_timeout = '2s'; SET LOCAL row_security = off;";

/// Reads the history, or what tables there are if there is none. Of one that is as expected the rows are not read.
pub(super) async fn read(session: &mut PostgresSession, expected: Option<&Exact>) -> Result<Snapshot> {
    if let Some(snapshot) = read_once(session, expected).await? {
        return Ok(snapshot);
    }
    // Another runner has created the table between two looks, or this role does not see it, or this server cannot say whether the
    // history is as expected: the next look tells.
    read_once(session, None).await?.ok_or_else(unseen)
}

/// Both messages are on the way before the first answer is read: one round trip.
///
/// The second fails where there is no history table, which is one of the answers. Nothing is returned where there is one
/// among the tables that the first did not see, or what is expected cannot be asked for.
async fn read_once(session: &mut PostgresSession, expected: Option<&Exact>) -> Result<Option<Snapshot>> {
    // What looks like a failed attempt may be another runner at work, unless the lock is held while it is read. A waiter looks
    // without it, whether the work is done.
    let guard = if session.taken { session.guard() } else { String::new() };
    let query = expected.map_or_else(exact::every_row, exact::query);
    let history = format!("{}{guard}{LIMITS}{query}", session.local_settings);
    let facts = facts(session, SCHEMA);
    let (facts, rows) =
        tokio::join!(session.client.simple_query(&facts), session.client.simple_query(&history));
    let facts = match facts {
        Err(error) if !is_gone(&session.error(&error)) => {
            session.rows(&self::facts(session, SCHEMA_BY_JOIN)).await?
        }
        facts => only_rows(facts.map_err(|error| session.error(&error))?),
    };
    let table = take_facts(session, &facts)?;
    if let Err(busy) = &rows
        && let error = session.error(busy)
        && error.kind == Kind::Busy
    {
        return Err(error);
    }
    if !table {
        let tables = tables(session).await?;
        let unseen = tables.iter().any(|table| table.rsplit('.').next() == Some("_prisma_migrations"));
        return Ok((!unseen).then_some(Snapshot::Unmanaged { tables }));
    }
    let rows = match rows {
        Err(error) if expected.is_some() && !is_gone(&session.error(&error)) => return Ok(None),
        rows => only_rows(rows.map_err(|error| unreadable(&error, session))?),
    };
    if rows.iter().any(exact::is_mark) {
        return Ok(Some(Snapshot::Exact));
    }
    // The guard answers with a row of its own.
    let rows = rows.iter().filter(|row| row.len() > 1);
    let mut rows: Vec<Row> = rows.map(history_row).collect();
    rows.sort_by_key(|row| row.started_at);
    Ok(Some(Snapshot::Managed(History::new(rows))))
}

/// The schema of the history table. 1259 is the number of `pg_class` in every PostgreSQL.
///
/// Nothing has to be planned for it but a call: a server has read no catalog yet for a connection that is new, and to join two of them
/// takes it longer than everything else that this message asks for.
const SCHEMA: &str =
    "(pg_catalog.pg_identify_object_as_address(1259, to_regclass('_prisma_migrations'), 0)).object_names[1]";

/// The same where there is no such function, as in CockroachDB, or it may not be called.
const SCHEMA_BY_JOIN: &str = "(SELECT n.nspname FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('_prisma_migrations'))";

/// The message that asks a server about itself.
fn facts(session: &PostgresSession, schema: &str) -> String {
    format!(
        "{}SELECT current_schema(), {schema}, current_setting('standard_conforming_strings'), version(), \
         pg_is_in_recovery(), pg_backend_pid(), current_setting('lock_timeout')",
        session.local_settings
    )
}

/// Whether it is the server that is the trouble, and not what it was asked.
fn is_gone(error: &Error) -> bool {
    matches!(error.kind, Kind::Lost | Kind::NotYet)
}

/// Takes what the server told about itself: true if there is a history table.
fn take_facts(session: &mut PostgresSession, rows: &[SimpleQueryRow]) -> Result<bool> {
    let row = rows.first();
    let text = |n: usize| row.and_then(|row| row.get(n)).map(str::to_owned);
    if text(3).is_some_and(|version| version.contains("CockroachDB")) {
        return Err(Error::never(Diagnostic::new(
            Code::WrongServer,
            "You are trying to connect to a CockroachDB database, but the provider in your Prisma schema is `postgresql`. CockroachDB is not supported by this version of Plimsoll",
        )));
    }
    let table_schema = text(1);
    let found = table_schema.is_some();
    let schema = table_schema.or_else(|| session.schema.clone()).or_else(|| text(0));
    session.facts = Facts {
        current_schema: text(0),
        history_schema: schema,
        // Behind a pooler that shares its connections one of them may have been left with another setting: a guard finds it.
        standard_strings: text(2).as_deref() == Some("on")
            || (session.hold == Some(Hold::Transaction) && session.facts.standard_strings),
        // Once the lock is ours, so may the limit be: a script in parts sets it for its session.
        has_lock_timeout: if session.taken {
            session.facts.has_lock_timeout
        } else {
            text(6).is_some_and(|limit| limit != "0")
        },
        in_recovery: text(4).as_deref() == Some("t"),
        process: text(5).and_then(|text| text.parse().ok()),
    };
    Ok(found)
}

fn unreadable(error: &tokio_postgres::Error, session: &PostgresSession) -> Error {
    let wrong_table = [SqlState::UNDEFINED_COLUMN, SqlState::UNDEFINED_FUNCTION, SqlState::WRONG_OBJECT_TYPE];
    let error_of_session = session.error(error);
    match error.code() {
        Some(code) if wrong_table.contains(code) => Error::never(Diagnostic {
            code: Code::HistoryUnreadable,
            message: "`_prisma_migrations` does not have the columns of a migration history".to_owned(),
            ..*error_of_session.diagnostic
        }),
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => Error::new(
            Kind::Busy,
            Diagnostic {
                code: Code::LockTimeout,
                message: "somebody keeps `_prisma_migrations` locked".to_owned(),
                ..*error_of_session.diagnostic
            },
        ),
        _ => error_of_session,
    }
}

fn history_row(row: &SimpleQueryRow) -> Row {
    let text = |n: usize| row.get(n).unwrap_or_default().to_owned();
    let instant = |n: usize| row.get(n).and_then(|text| text.parse().ok()).map(Instant);
    Row {
        id: text(0),
        migration_name: text(1),
        checksum: text(2),
        started_at: instant(3).unwrap_or(Instant(0)),
        finished_at: instant(4),
        rolled_back_at: instant(5),
        applied_steps_count: text(6).parse().unwrap_or(0),
        logs: row.get(7).map(str::to_owned),
    }
}

/// The tables that stand in the way of a first migration: ordinary ones, as in Prisma, without those of `PostGIS` and
/// those that the project says belong to somebody else.
async fn tables(session: &PostgresSession) -> Result<Vec<String>> {
    let schema = session.facts.history_schema.as_deref().unwrap_or("public");
    let schemas = std::iter::once(schema).chain(session.scope.schemas.iter().map(String::as_str));
    let schemas = schemas.map(quote_text).collect::<Vec<_>>().join(", ");
    let rows = session
        .rows(&format!(
            "SELECT c.relname, n.nspname || '.' || c.relname FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind = 'r' AND n.nspname IN ({schemas}) AND pg_catalog.lower(c.relname::pg_catalog.text) NOT IN \
             ('spatial_ref_sys', 'geometry_columns', 'geography_columns', 'raster_columns', 'raster_overviews') ORDER BY 1, 2"
        ))
        .await?;
    let names = rows.iter().filter_map(|row| Some((row.get(0)?, row.get(1)?)));
    let external = |name: &str, full: &str| {
        session.scope.external_tables.iter().any(|table| table == name || table == full)
    };
    let names: Vec<_> = names.filter(|(name, full)| !external(name, full)).collect();
    let shown = |(name, full): &(&str, &str)| {
        if full.starts_with(&format!("{schema}.")) { *name } else { *full }.to_owned()
    };
    Ok(names.iter().map(shown).collect())
}

/// There is a history, but not for this role: to take the database for one without a history would be a lie.
fn unseen() -> Error {
    Error::never(
        Diagnostic::new(
            Code::AccessDenied,
            "there is a migration history, `_prisma_migrations`, but this role does not see it",
        )
        .help("grant the role USAGE on its schema, or put the schema into the URL (`?schema=…`)"),
    )
}

/// Fails on a server that is a standby: its lock protects nothing.
pub(super) fn accepts_writes(session: &PostgresSession) -> Result<()> {
    if session.facts.in_recovery {
        return Err(Error::new(
            Kind::NotYet,
            Diagnostic::new(
                Code::Unreachable,
                "the server is a standby, or still in recovery: it accepts no writes",
            )
            .help("give the address of the primary server, or wait for its promotion"),
        ));
    }
    Ok(())
}

/// Takes Prisma's advisory lock if it is free.
///
/// A session that holds it gets these settings with it. Where it can only be held for a transaction it is let go at once: each transaction takes it again.
pub(super) async fn try_lock(session: &PostgresSession, settings: &str) -> Result<Lock> {
    let take = match session.hold {
        Some(Hold::Session) => {
            format!("{settings}SELECT pg_catalog.pg_try_advisory_lock({LOCK_KEY})")
        }
        Some(Hold::Transaction) | None => format!("SELECT pg_catalog.pg_try_advisory_xact_lock({LOCK_KEY})"),
    };
    let rows = session.rows(&take).await?;
    let is_ours = rows.first().and_then(|row| row.get(0)) == Some("t");
    Ok(if is_ours { Lock::Taken } else { Lock::Held })
}

/// Who holds it, whether it is for a session or for one transaction.
pub(super) async fn lock_holder(session: &PostgresSession) -> Result<Option<Holder>> {
    let rows = session
        .rows(&format!(
            "SELECT l.pid, a.application_name, host(a.client_addr), \
             extract(epoch FROM clock_timestamp() - a.backend_start)::bigint, \
             (extract(epoch FROM a.backend_start) * 1000000)::bigint \
             FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
             WHERE {LOCK_ROW} AND l.granted"
        ))
        .await?;
    Ok(rows.first().map(holder))
}

/// How many rows are known to be of migrations that are done: none while somebody keeps the history locked, which is hardly waited for.
/// Where they cannot be counted, a read tells why.
///
/// Other settings than those of a read would count other rows than it sees. Behind a pooler the server may have become another one, which
/// is a standby: a read finds that out.
pub(super) async fn count_finished(session: &PostgresSession) -> Option<usize> {
    let counted = session
        .client
        .simple_query(&format!(
            "{}{LIMITS}SET LOCAL lock_timeout = '50ms';SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE (SELECT pg_catalog.count(*) \
             FROM \"_prisma_migrations\" WHERE \"finished_at\" IS NOT NULL AND \"rolled_back_at\" IS NULL) END",
            session.local_settings
        ))
        .await;
    match counted {
        Ok(messages) => only_rows(messages).first()?.get(0)?.parse().ok(),
        Err(error)
            if matches!(error.code(), Some(&SqlState::UNDEFINED_TABLE | &SqlState::LOCK_NOT_AVAILABLE)) =>
        {
            Some(0)
        }
        Err(_) => None,
    }
}

/// Frees the lock however often it has been taken in this session, by a script too: how often, no catalog tells.
pub(super) const UNLOCK: &str = "SELECT pg_catalog.pg_advisory_unlock_all()";

/// The row of `pg_locks` that is our lock: a key of 64 bits is shown in two halves.
pub(super) const LOCK_ROW: &str = "l.locktype = 'advisory' AND l.classid = 0 AND l.objid = 72707369 AND l.objsubid = 1 \
     AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())";

fn holder(row: &SimpleQueryRow) -> Holder {
    let text = |n: usize| row.get(n).map(str::to_owned);
    Holder {
        connection: text(0),
        application: text(1).unwrap_or_default(),
        address: text(2),
        since: text(4).and_then(|text| text.parse().ok()).map(Instant),
        connected_for: text(3).and_then(|text| text.parse().ok()).map(Duration::from_secs),
    }
}

/// Creates the history table as Prisma does, and the schema of the URL if it is missing: both or neither, since one
/// message is one transaction.
///
/// Somebody may have been faster, who takes no lock, or who had it since the history was looked for: then it is overtaken. One who
/// has not committed yet is not waited for here, whatever limit anybody has set.
pub(super) async fn create(session: &PostgresSession) -> Result<()> {
    let schema = session.facts.history_schema.as_deref().unwrap_or("public");
    // Not `IF NOT EXISTS` alone: that asks for the right to create schemas even where there is nothing to create.
    let find = format!("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {}", quote_text(schema));
    let is_current = session.facts.current_schema.as_deref() == Some(schema);
    let missing = !is_current && session.rows(&find).await?.is_empty();
    let create_schema =
        if missing { format!("CREATE SCHEMA IF NOT EXISTS {};", quote_name(schema)) } else { String::new() };
    let created = session
        .execute(&format!(
            "{}SET LOCAL lock_timeout = '2s';{create_schema}CREATE TABLE {}(
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)",
            session.guard(),
            session.history_table()
        ))
        .await;
    created
        .map_err(|error| if is_overtaken(&error) { Error { kind: Kind::Overtaken, ..error } } else { error })
}

/// Whether a table or a schema could not be created since somebody else has: seen at once, or at the end by an index of the
/// catalog. Or since the schema is not there any more, which the next look tells.
fn is_overtaken(error: &Error) -> bool {
    let there = [
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::UNIQUE_VIOLATION,
        SqlState::INVALID_SCHEMA_NAME,
    ];
    let said = error.diagnostic.database.as_ref().and_then(|said| said.code.as_deref());
    said.is_some_and(|code| there.iter().any(|state| state.code() == code))
}

/// Records an attempt that was rolled back, as a row that does not count.
///
/// A later attempt with the same script replaces our own record of the earlier one; rows of Prisma are left alone. Somebody who keeps
/// the history locked does not keep the failure from being said.
pub(super) async fn record_failure(
    session: &PostgresSession,
    migration: &Migration,
    failure: &Diagnostic,
) -> Result<()> {
    let Ok(script) = migration.script() else { return Ok(()) };
    let table = session.history_table();
    let (name, checksum) = (quote_text(migration.name()), quote_text(&script.checksum().to_string()));
    let logs = quote_text(&failure_log(migration.name(), &session.safe(failure), &session.runner));
    let earlier = earlier_failure(session, migration, script);
    session
        .execute(&format!(
            "SET LOCAL lock_timeout = '5s';\
             WITH updated AS (UPDATE {table} SET logs = {logs}, started_at = now(), rolled_back_at = clock_timestamp() \
             WHERE id = ({earlier}) RETURNING 1) \
             INSERT INTO {table} (id, checksum, migration_name, logs, started_at, rolled_back_at) \
             SELECT '{}', {checksum}, {name}, {logs}, now(), clock_timestamp() WHERE NOT EXISTS (SELECT FROM updated)",
            new_id()
        ))
        .await
}

/// A query for the row with which an earlier attempt of ours at the same script was recorded; rows of Prisma are left
/// alone.
pub(super) fn earlier_failure(session: &PostgresSession, migration: &Migration, script: &Script) -> String {
    format!(
        "SELECT id FROM {} WHERE migration_name = {} AND checksum = '{}' AND rolled_back_at IS NOT NULL \
         AND finished_at IS NULL AND logs LIKE {} LIMIT 1",
        session.history_table(),
        quote_text(migration.name()),
        script.checksum(),
        quote_text(&format!("%{FAILURE_MARK}%"))
    )
}

/// `resolve --applied`: gives up the failed attempts, and records the migration as Prisma does.
pub(super) async fn mark_applied(session: &PostgresSession, migration: &Migration) -> Result<()> {
    let Ok(script) = migration.script() else { return Ok(()) };
    let table = session.history_table();
    let (name, checksum) = (quote_text(migration.name()), quote_text(&script.checksum().to_string()));
    session
        .execute(&format!(
            "{}{}UPDATE {table} SET rolled_back_at = now() \
             WHERE migration_name = {name} AND finished_at IS NULL AND rolled_back_at IS NULL;\
             INSERT INTO {table} (id, checksum, migration_name, logs, started_at, finished_at) \
             VALUES ('{}', {checksum}, {name}, '', now(), now())",
            session.guard(),
            applied_guard(session, migration),
            new_id()
        ))
        .await
}

/// A statement that fails if the migration has been applied since the history was read, where the lock was not held meanwhile.
fn applied_guard(session: &PostgresSession, migration: &Migration) -> String {
    if session.hold != Some(Hold::Transaction) {
        return String::new();
    }
    format!(
        "SELECT CASE count(*) WHEN 0 THEN 0 ELSE ('{LOCK_BUSY} ' || count(*))::pg_catalog.int4 END FROM {} \
         WHERE migration_name = {} AND finished_at IS NOT NULL AND rolled_back_at IS NULL;",
        session.history_table(),
        quote_text(migration.name())
    )
}

/// `resolve --rolled-back`: gives up failed attempts.
pub(super) async fn mark_rolled_back(session: &PostgresSession, rows: &[&Row]) -> Result<()> {
    let ids = rows.iter().map(|row| quote_text(&row.id)).collect::<Vec<_>>().join(", ");
    let table = session.history_table();
    session
        .execute(&format!(
            "{}UPDATE {table} SET rolled_back_at = now() WHERE id IN ({ids}) AND finished_at IS NULL",
            session.guard()
        ))
        .await
}

/// `resolve --resume`: has an unfinished attempt carried on with the script as it is now.
pub(super) async fn mark_resumable(
    session: &PostgresSession,
    row: &Row,
    migration: &Migration,
    progress: &Progress,
) -> Result<()> {
    let Ok(script) = migration.script() else { return Ok(()) };
    let rows = session
        .rows(&format!(
            "{}UPDATE {} SET logs = {}, checksum = '{}' WHERE id = {} AND finished_at IS NULL AND rolled_back_at IS NULL \
             RETURNING 'resumable'",
            session.guard(),
            session.history_table(),
            quote_text(&progress.running_log()),
            script.checksum(),
            quote_text(&row.id)
        ))
        .await?;
    let is_resumable = rows.iter().any(|row| row.get(0) == Some("resumable"));
    if is_resumable { Ok(()) } else { Err(Error::overtaken()) }
}

/// A new id, in the form that Prisma writes.
fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
