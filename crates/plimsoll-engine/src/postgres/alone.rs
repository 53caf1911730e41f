//! Scripts that cannot share a transaction with their history row: a started row first, then the script, then the row is
//! finished.
//!
//! A single statement that may run twice is taken up by the next runner if this one dies. Whether it took effect is asked of
//! the catalog where that is needed (indexes). Whatever must not run twice is sent as it is, once, by `self_managed`.

use plimsoll_core::history::{Attempt, Progress, Row, UnderWay, failure_log, failure_text};
use plimsoll_core::script::ConcurrentIndex;
use plimsoll_core::{Code, Diagnostic, Migration};
use tokio_postgres::error::SqlState;

use super::apply::{Work, lock_guard, record_guard};
use super::failure::script_failed;
use super::history::earlier_failure;
use super::{PostgresSession, quote_text};
use crate::backend::{Tell, Told};
use crate::error::{Error, Kind, Result};
use crate::failure::{left_open, look};

/// Applies a script of one statement that refuses a transaction and may run twice.
pub(super) async fn alone(
    session: &PostgresSession,
    work: &Work<'_>,
    resume: Option<&Row>,
    index: Option<&ConcurrentIndex>,
    tell: &mut Tell<'_>,
) -> Result<()> {
    session.execute(&lock_guard()).await?;
    drop_invalid_index(session, index, tell).await?;
    let now = match index {
        Some(index) => index_state(session, index).await?,
        None => IndexState::Unknown,
    };
    if let Some(row) = resume.filter(|row| took_effect(row, index, now)) {
        tell(Told::Note(&format!(
            "`{}` had taken effect when its runner died: it is recorded",
            work.migration.name()
        )));
        return finish(session, &row.id, work.migration).await;
    }
    let id = match resume {
        Some(row) => begin_again(session, &row.id, now).await?,
        None => insert_started(session, work, &running(session, now)).await?,
    };
    let Err(failure) = session.client.batch_execute(work.script.text()).await else {
        session.execute(&session.reset()).await?;
        return finish(session, &id, work.migration).await;
    };
    let Some(found) = failure.as_db_error() else { return Err(session.error(&failure)) };
    let error = script_failed(session, work.migration, work.script.text(), &failure, found, 0);
    if !matches!(error.kind, Kind::Again | Kind::Script) {
        return Err(error);
    }
    // Nothing is left of it: the attempt does not count, whether it is tried again by this run or by the next start.
    drop_invalid_index(session, index, tell).await?;
    give_up(session, &id, work.migration, &error.diagnostic).await?;
    Err(if error.kind == Kind::Script { Error { kind: Kind::Never, ..error } } else { error })
}

/// Sends a script that manages its transactions by itself, or must not run twice: once.
///
/// History and script cannot be one here. If the runner dies, the row stays as it is, and a person has to look.
pub(super) async fn self_managed(session: &PostgresSession, work: &Work<'_>) -> Result<()> {
    const LOGS: &str =
        "The script was sent as it is, outside of a transaction of Plimsoll's: how far it got is not known.";
    let id = insert_started(session, work, LOGS).await?;
    let sent = session.client.batch_execute(work.script.text()).await;
    let failure = match &sent {
        Err(failure) => match failure.as_db_error() {
            Some(found) => {
                Some(script_failed(session, work.migration, work.script.text(), failure, found, 0))
            }
            None => return Err(session.error(failure)),
        },
        Ok(()) => None,
    };
    let open = ends_open_transaction(session).await?;
    session.execute(&session.reset()).await?;
    match failure.or_else(|| open.then(|| left_open(work.migration))) {
        None => finish(session, &id, work.migration).await,
        Some(error) => Err(fail(session, &id, work.migration, error).await),
    }
}

/// Stores why a script that cannot be rolled back failed. Its row still counts: it is a failed migration.
async fn fail(session: &PostgresSession, id: &str, migration: &Migration, error: Error) -> Error {
    let logs = quote_text(&failure_text(migration.name(), &error.diagnostic));
    let table = session.history_table();
    let stored = session.execute(&format!("UPDATE {table} SET logs = {logs} WHERE id = '{id}'")).await;
    let unstored =
        stored.err().map(|error| format!("the reason could not be recorded: {}", error.diagnostic));
    let diagnostic = unstored.into_iter().fold(error.diagnostic.help(look(migration)), Diagnostic::help);
    Error::never(diagnostic)
}

/// Ends a transaction that a script left open: true if there was one.
///
/// `SAVEPOINT` fails outside a transaction, and does nothing inside one.
async fn ends_open_transaction(session: &PostgresSession) -> Result<bool> {
    let Err(probe) = session.client.batch_execute("SAVEPOINT plimsoll").await else {
        return session.execute("ROLLBACK").await.map(|()| true);
    };
    match probe.code() {
        Some(code) if *code == SqlState::NO_ACTIVE_SQL_TRANSACTION => Ok(false),
        Some(code) if *code == SqlState::IN_FAILED_SQL_TRANSACTION => {
            session.execute("ROLLBACK").await.map(|()| true)
        }
        _ => Err(session.error(&probe)),
    }
}

/// What is known of an index before its statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IndexState {
    Unknown,
    Absent,
    Invalid,
    Valid,
}

impl IndexState {
    /// How the running row remembers it: only a change since then proves that the statement took effect.
    fn fact(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::Absent => Some("absent"),
            Self::Invalid | Self::Valid => Some("present"),
        }
    }

    fn is_remembered_by(self, row: &Row) -> bool {
        let before = row.progress().and_then(|progress| progress.under_way);
        before.is_some_and(|under_way| under_way.before.get(INDEX).map(String::as_str) == self.fact())
    }
}

/// The name under which a running row remembers what was known of an index.
const INDEX: &str = "index";

/// The `logs` of a row whose statement is about to be sent.
fn running(session: &PostgresSession, now: IndexState) -> String {
    let before = now.fact().map(|fact| (INDEX.to_owned(), fact.to_owned())).into_iter().collect();
    let under_way = Some(UnderWay { before });
    Progress { under_way, ..Progress::new(Attempt::Running, &session.runner) }.running_log()
}

fn took_effect(row: &Row, index: Option<&ConcurrentIndex>, now: IndexState) -> bool {
    match index {
        Some(ConcurrentIndex::Created { .. }) => {
            now == IndexState::Valid && IndexState::Absent.is_remembered_by(row)
        }
        Some(ConcurrentIndex::Dropped { .. }) => {
            now == IndexState::Absent && IndexState::Valid.is_remembered_by(row)
        }
        None => false,
    }
}

/// An expression for the `pg_class` row of the index that a statement names.
///
/// The index that is built has no schema of its own: it is made in its table's. Names are cut to 63 bytes, as the server
/// does (`::name`).
fn index_condition(index: &ConcurrentIndex) -> String {
    match index {
        ConcurrentIndex::Created { name, table } => format!(
            "c.relname = ((parse_ident({}))[1])::name AND c.relnamespace = \
             (SELECT t.relnamespace FROM pg_catalog.pg_class t WHERE t.oid = to_regclass({}))",
            quote_text(name),
            quote_text(table)
        ),
        ConcurrentIndex::Dropped { name } => format!("c.oid = to_regclass({})", quote_text(name)),
    }
}

async fn index_state(session: &PostgresSession, index: &ConcurrentIndex) -> Result<IndexState> {
    let rows = session
        .rows(&format!(
            "SELECT i.indisvalid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid WHERE {}",
            index_condition(index)
        ))
        .await?;
    Ok(match rows.first().map(|row| row.get(0) == Some("t")) {
        None => IndexState::Absent,
        Some(false) => IndexState::Invalid,
        Some(true) => IndexState::Valid,
    })
}

/// Drops what a failed `CREATE INDEX CONCURRENTLY` left, and only that: the index that this statement names, if it is
/// invalid, belongs to the statement's table, and nobody builds one on that table at this moment (of another role's
/// work only its existence can be seen). `IF NOT EXISTS` would otherwise take it for the index.
async fn drop_invalid_index(
    session: &PostgresSession,
    index: Option<&ConcurrentIndex>,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let Some(index @ ConcurrentIndex::Created { table, .. }) = index else { return Ok(()) };
    let rows = session
        .rows(&format!(
            "SELECT c.oid::regclass FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
             WHERE NOT i.indisvalid AND {} AND i.indrelid = to_regclass({}) AND NOT EXISTS \
             (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.datid = \
             (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) \
             AND (p.relid IS NULL OR p.relid = i.indrelid))",
            index_condition(index),
            quote_text(table)
        ))
        .await?;
    let Some(name) = rows.first().and_then(|row| row.get(0)) else { return Ok(()) };
    session.execute(&format!("DROP INDEX CONCURRENTLY {name}")).await?;
    tell(Told::Note(&format!("dropped the invalid index `{name}` that an earlier attempt had left")));
    Ok(())
}

/// Takes up an attempt, with what is known now.
async fn begin_again(session: &PostgresSession, id: &str, now: IndexState) -> Result<String> {
    let logs = quote_text(&running(session, now));
    let table = session.history_table();
    session
        .execute(&format!(
            "UPDATE {table} SET logs = {logs}, rolled_back_at = NULL WHERE id = {} AND finished_at IS NULL",
            quote_text(id)
        ))
        .await?;
    Ok(id.to_owned())
}

/// Writes a started row, if this connection holds the lock and the migration is not recorded yet; its id. The row of an
/// earlier attempt that failed is used again, so that a crash loop does not fill the history.
pub(super) async fn insert_started(session: &PostgresSession, work: &Work<'_>, logs: &str) -> Result<String> {
    let table = session.history_table();
    let logs = quote_text(logs);
    let rows = session
        .rows(&format!(
            "{}{}WITH reused AS (UPDATE {table} SET logs = {logs}, started_at = now(), rolled_back_at = NULL \
             WHERE id = ({}) RETURNING id), \
             added AS (INSERT INTO {table} (id, checksum, started_at, migration_name, logs) \
             SELECT '{}', '{}', now(), {}, {logs} WHERE NOT EXISTS (SELECT FROM reused) RETURNING id) \
             SELECT id FROM reused UNION ALL SELECT id FROM added",
            lock_guard(),
            record_guard(session, work.migration),
            earlier_failure(session, work.migration, work.script),
            work.id,
            work.script.checksum(),
            quote_text(work.migration.name())
        ))
        .await?;
    let id = rows.last().and_then(|row| row.get(0));
    Ok(id.unwrap_or(work.id).to_owned())
}

/// A finished row looks as Prisma writes it, however it came about.
async fn finish(session: &PostgresSession, id: &str, migration: &Migration) -> Result<()> {
    let rows = session
        .rows(&format!(
            "UPDATE {} SET finished_at = clock_timestamp(), applied_steps_count = 1, logs = NULL \
             WHERE id = {} AND finished_at IS NULL AND rolled_back_at IS NULL RETURNING id",
            session.history_table(),
            quote_text(id)
        ))
        .await?;
    if rows.is_empty() {
        let message = format!(
            "migration `{}` took effect, but somebody changed its history row meanwhile",
            migration.name()
        );
        return Err(Error::never(
            Diagnostic::new(Code::TransactionEnded, message).help("look at `_prisma_migrations`"),
        ));
    }
    Ok(())
}

/// The statement failed and left nothing: the attempt does not count, and the next start tries again.
async fn give_up(
    session: &PostgresSession,
    id: &str,
    migration: &Migration,
    failure: &Diagnostic,
) -> Result<()> {
    let logs = quote_text(&failure_log(migration.name(), failure, &session.runner));
    session
        .execute(&format!(
            "UPDATE {} SET rolled_back_at = clock_timestamp(), logs = {logs} WHERE id = {} AND finished_at IS NULL",
            session.history_table(),
            quote_text(id)
        ))
        .await
}
