//! Scripts that cannot share a transaction with their history row: a started row first, then the script, then the row is
//! finished.
//!
//! A single statement that is outside any transaction is taken up by the next runner if this one dies. Whether it took
//! effect is asked of the catalog where that is certain (indexes), and otherwise it is one that may run twice.

use std::time::Duration;

use plimsoll_core::history::{Row, failure_log, failure_text, running_log};
use plimsoll_core::plan::Step;
use plimsoll_core::script::ConcurrentIndex;
use plimsoll_core::{Code, Diagnostic, Migration, Script};
use tokio_postgres::error::SqlState;

use super::failure::script_failed;
use super::history::new_id;
use super::{PostgresSession, quote_text};
use crate::backoff::Backoff;
use crate::error::{Error, Kind, Result};

/// Applies a script of one statement that refuses a transaction.
pub(super) async fn alone(
    session: &PostgresSession,
    step: &Step<'_>,
    script: &Script,
    index: Option<&ConcurrentIndex>,
    notes: &mut Vec<String>,
) -> Result<()> {
    let before = match index {
        Some(index) => index_state(session, index).await?,
        None => IndexState::Unknown,
    };
    let id = match step.resume {
        Some(row) => row.id.clone(),
        None => start(session, step.migration, script, before).await?,
    };
    if step.resume.is_some_and(|row| took_effect(row, index, before)) {
        notes.push(format!(
            "`{}` had taken effect when its runner died: it is recorded",
            step.migration.name()
        ));
        return finish(session, &id).await;
    }
    match run(session, step.migration, script, index, notes).await {
        Ok(()) => finish(session, &id).await,
        Err(error) if error.kind == Kind::Script => {
            give_up(session, &id, step.migration, &error.diagnostic).await?;
            Err(Error { kind: Kind::Never, ..error })
        }
        Err(error) => Err(error),
    }
}

/// Sends the statement, again and again while it fails for reasons that pass.
async fn run(
    session: &PostgresSession,
    migration: &Migration,
    script: &Script,
    index: Option<&ConcurrentIndex>,
    notes: &mut Vec<String>,
) -> Result<()> {
    const TRIES: u32 = 5;
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
    for attempt in 1.. {
        drop_invalid_index(session, index, notes).await?;
        let Err(failure) = session.client.batch_execute(script.text()).await else { break };
        let error = match failure.as_db_error() {
            Some(found) => script_failed(session, migration, script.text(), &failure, found, 0),
            None => session.error(&failure),
        };
        match error.kind {
            Kind::Again if attempt < TRIES => {
                notes.push(format!(
                    "`{}` is tried again: {}",
                    migration.name(),
                    failure.as_db_error().map_or("", |found| found.message())
                ));
                tokio::time::sleep(backoff.pause()).await;
            }
            Kind::Again | Kind::Script => {
                drop_invalid_index(session, index, notes).await?;
                return Err(Error { kind: Kind::Script, ..error });
            }
            _ => return Err(error),
        }
    }
    session.execute(&session.reset()).await
}

/// Sends a script that manages its transactions by itself.
///
/// History and script cannot be one here. If the runner dies, the row stays as it is, and a person has to look.
pub(super) async fn self_managed(
    session: &PostgresSession,
    migration: &Migration,
    script: &Script,
) -> Result<()> {
    let id = insert_started(
        session,
        migration,
        script,
        "The script manages its transactions by itself, so that Plimsoll cannot know how far it got.",
    )
    .await?;
    let sent = session.client.batch_execute(script.text()).await;
    let open = ends_open_transaction(session).await?;
    let failure = match sent {
        Err(failure) => match failure.as_db_error() {
            Some(found) => Some(script_failed(session, migration, script.text(), &failure, found, 0)),
            None => return Err(session.error(&failure)),
        },
        Ok(()) if open => Some(left_open(migration)),
        Ok(()) => None,
    };
    session.execute(&session.reset()).await?;
    let Some(error) = failure else { return finish(session, &id).await };
    let logs = quote_text(&failure_text(migration.name(), &error.diagnostic));
    session
        .execute(&format!("UPDATE {} SET logs = {logs} WHERE id = '{id}'", session.history_table()))
        .await?;
    let help = format!(
        "the script manages its transactions by itself: look at what of it is in the database, then `plimsoll resolve --rolled-back {0}` or `--applied {0}`",
        migration.name()
    );
    Err(Error::never(error.diagnostic.help(help)))
}

/// Ends a transaction that a script left open: true if there was one.
///
/// `SAVEPOINT` is the one statement that fails outside a transaction and does nothing inside.
async fn ends_open_transaction(session: &PostgresSession) -> Result<bool> {
    let probe = session.client.batch_execute("SAVEPOINT plimsoll").await;
    let outside = matches!(&probe, Err(error) if error.code() == Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION));
    if !outside {
        session.execute("ROLLBACK").await?;
    }
    Ok(!outside)
}

fn left_open(migration: &Migration) -> Error {
    Error::new(
        Kind::Script,
        Diagnostic::new(
            Code::TransactionLeftOpen,
            format!(
                "migration `{}` began a transaction and did not end it: it was rolled back",
                migration.name()
            ),
        )
        .help("add the missing COMMIT, or leave BEGIN out: Plimsoll makes a transaction of the script"),
    )
}

/// What is known of an index before its statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IndexState {
    Unknown,
    Absent,
    Invalid,
    Valid,
}

/// Said in the running row when the index that is to be built did not exist: only then does its existence prove anything.
const WAS_ABSENT: &str = ",\"index\":\"absent\"";

fn took_effect(row: &Row, index: Option<&ConcurrentIndex>, now: IndexState) -> bool {
    match index {
        Some(ConcurrentIndex::Created { .. }) => {
            now == IndexState::Valid && row.logs.as_deref().is_some_and(|logs| logs.contains(WAS_ABSENT))
        }
        Some(ConcurrentIndex::Dropped { .. }) => now == IndexState::Absent,
        None => false,
    }
}

/// An expression for the `pg_class` row of the index that a statement names.
///
/// The index that is built has no schema of its own: it is made in its table's.
fn index_condition(index: &ConcurrentIndex) -> String {
    match index {
        ConcurrentIndex::Created { name, table } => format!(
            "c.relname = (parse_ident({}))[1] AND c.relnamespace = \
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
/// invalid and nobody is building it at this moment. `IF NOT EXISTS` would otherwise take it for the index.
async fn drop_invalid_index(
    session: &PostgresSession,
    index: Option<&ConcurrentIndex>,
    notes: &mut Vec<String>,
) -> Result<()> {
    let Some(index @ ConcurrentIndex::Created { .. }) = index else { return Ok(()) };
    let rows = session
        .rows(&format!(
            "SELECT c.oid::regclass FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
             WHERE NOT i.indisvalid AND {} AND NOT EXISTS \
             (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid)",
            index_condition(index)
        ))
        .await?;
    let Some(name) = rows.first().and_then(|row| row.get(0)) else { return Ok(()) };
    session.execute(&format!("DROP INDEX CONCURRENTLY {name}")).await?;
    notes.push(format!("dropped the invalid index `{name}` that an earlier attempt had left"));
    Ok(())
}

async fn start(
    session: &PostgresSession,
    migration: &Migration,
    script: &Script,
    before: IndexState,
) -> Result<String> {
    let facts = if before == IndexState::Absent { WAS_ABSENT } else { "" };
    let logs = running_log(&session.runner, facts);
    insert_started(session, migration, script, &logs).await
}

async fn insert_started(
    session: &PostgresSession,
    migration: &Migration,
    script: &Script,
    logs: &str,
) -> Result<String> {
    let id = new_id();
    session
        .execute(&format!(
            "INSERT INTO {} (id, checksum, started_at, migration_name, logs) VALUES ('{id}', '{}', now(), {}, {})",
            session.history_table(),
            script.checksum(),
            quote_text(migration.name()),
            quote_text(logs)
        ))
        .await?;
    Ok(id)
}

/// A finished row looks as Prisma writes it, however it came about.
async fn finish(session: &PostgresSession, id: &str) -> Result<()> {
    session
        .execute(&format!(
            "UPDATE {} SET finished_at = clock_timestamp(), applied_steps_count = 1, logs = NULL WHERE id = '{id}'",
            session.history_table()
        ))
        .await
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
            "UPDATE {} SET rolled_back_at = clock_timestamp(), logs = {logs} WHERE id = {}",
            session.history_table(),
            quote_text(id)
        ))
        .await
}
