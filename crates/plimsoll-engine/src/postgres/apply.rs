//! Applying one migration.

use plimsoll_core::plan::Step;
use plimsoll_core::script::{Atomic, Shape, postgres as script};
use plimsoll_core::{Code, Diagnostic, Migration, Script};
use tokio_postgres::error::{DbError, SqlState};

use super::failure::script_failed;
use super::history::{LOCK_ROW, new_id};
use super::{PostgresSession, alone, error, quote_text};
use crate::UNTOUCHED;
use crate::error::{Error, Kind, Result};

/// Applies one migration as its script demands.
pub(super) async fn apply(
    session: &mut PostgresSession,
    step: &Step<'_>,
    notes: &mut Vec<String>,
) -> Result<()> {
    let migration = step.migration;
    let Ok(script) = migration.script() else { return Err(Error::overtaken()) };
    match script::shape(script.text()) {
        // The server refused to have it in a transaction when it was begun, and would refuse again.
        Shape::Atomic(_) if step.resume.is_some() => alone::alone(session, step, script, None, notes).await,
        Shape::Atomic(atomic) => match apply_atomic(session, migration, script, &atomic).await {
            Err(Outcome::NeedsOtherWay(found)) if atomic.merged => {
                notes.push(format!(
                    "`{}` cannot be one transaction ({}): it is sent as it is, with the transactions that it has",
                    migration.name(),
                    found.message()
                ));
                alone::self_managed(session, migration, script).await
            }
            Err(Outcome::NeedsOtherWay(_)) if atomic.statements == 1 => {
                alone::alone(session, step, script, None, notes).await
            }
            Err(Outcome::NeedsOtherWay(found)) => Err(cannot_be_atomic(migration, &found)),
            Err(Outcome::Failed(error)) => Err(error),
            Ok(()) => Ok(()),
        },
        Shape::Alone(statement) => alone::alone(session, step, script, statement.index.as_ref(), notes).await,
        Shape::SelfManaged { .. } => alone::self_managed(session, migration, script).await,
        Shape::Refused(refusal) => Err(Error::never(refusal.diagnostic(migration))),
    }
}

/// Why a script is not applied as one transaction. It has been rolled back.
enum Outcome {
    /// The server says that it refuses a transaction, or refuses to be one.
    NeedsOtherWay(Box<DbError>),
    /// Anything else.
    Failed(Error),
}

/// Script and history row as one transaction, and one message.
async fn apply_atomic(
    session: &PostgresSession,
    migration: &Migration,
    script: &Script,
    atomic: &Atomic<'_>,
) -> std::result::Result<(), Outcome> {
    let guard = guard(session, migration);
    let (before, after) =
        if atomic.sets_transaction { (String::new(), guard) } else { (guard, String::new()) };
    let before = format!("BEGIN;{before}\n");
    let record = record(session, migration, script);
    // After a line comment without a line end, and after a last statement without a semicolon.
    let after = format!("\n;{after}{}{record}COMMIT", session.reset());

    let sent = if atomic.unterminated.is_none() && session.facts.standard_strings {
        session
            .client
            .batch_execute(&format!("{before}{}{after}", atomic.body))
            .await
            .map_err(|error| (error, before.chars().count()))
    } else {
        // A quote that does not end would swallow what follows: the script gets a message of its own.
        send_apart(session, &before, &atomic.body, &after).await.map_err(|error| (error, 0))
    };
    let Err((failure, offset)) = sent else { return Ok(()) };
    // The transaction is still open, and failed. If the connection is gone, so is the transaction.
    let _gone = session.client.batch_execute("ROLLBACK").await;
    Err(sort(session, migration, &atomic.body, &failure, offset))
}

async fn send_apart(
    session: &PostgresSession,
    before: &str,
    body: &str,
    after: &str,
) -> std::result::Result<(), tokio_postgres::Error> {
    session.client.batch_execute(before).await?;
    session.client.batch_execute(body).await?;
    session.client.batch_execute(after).await
}

/// Words that only a failed guard can bring into an error message, in whatever language.
const LOCK_LOST: &str = "plimsoll: lock lost";
const OVERTAKEN: &str = "plimsoll: already recorded";

/// Statements that fail if this connection does not hold the lock (behind a pooler it may be another's), or if the
/// migration is recorded already (by a runner that takes no lock).
///
/// They fail by casting a text to a number: that needs no procedural language and no right.
fn guard(session: &PostgresSession, migration: &Migration) -> String {
    format!(
        "SELECT CASE count(*) WHEN 1 THEN 0 ELSE ('{LOCK_LOST} ' || count(*))::pg_catalog.int4 END \
         FROM pg_catalog.pg_locks l WHERE {LOCK_ROW} AND l.granted AND l.pid = pg_catalog.pg_backend_pid();\
         SELECT CASE count(*) WHEN 0 THEN 0 ELSE ('{OVERTAKEN} ' || count(*))::pg_catalog.int4 END \
         FROM {} WHERE \"migration_name\" = {} AND \"rolled_back_at\" IS NULL;",
        session.history_table(),
        quote_text(migration.name())
    )
}

/// The finished history row, with the server's clock: all runners share that one.
fn record(session: &PostgresSession, migration: &Migration, script: &Script) -> String {
    format!(
        "INSERT INTO {} (\"id\", \"checksum\", \"started_at\", \"finished_at\", \"migration_name\", \"applied_steps_count\") \
         VALUES ('{}', '{}', now(), clock_timestamp(), {}, 1);",
        session.history_table(),
        new_id(),
        script.checksum(),
        quote_text(migration.name())
    )
}

/// Sorts the failure of a transaction that has been rolled back.
fn sort(
    session: &PostgresSession,
    migration: &Migration,
    body: &str,
    failure: &tokio_postgres::Error,
    offset: usize,
) -> Outcome {
    let Some(found) = failure.as_db_error() else { return Outcome::Failed(session.error(failure)) };
    if found.message().contains(LOCK_LOST) {
        return Outcome::Failed(lock_lost());
    }
    if found.message().contains(OVERTAKEN) {
        return Outcome::Failed(Error::overtaken());
    }
    let other_way = [
        SqlState::ACTIVE_SQL_TRANSACTION,
        SqlState::INVALID_TRANSACTION_TERMINATION,
        SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE,
    ];
    if other_way.contains(found.code()) {
        return Outcome::NeedsOtherWay(Box::new(found.clone()));
    }
    let mut error = script_failed(session, migration, body, failure, found, offset);
    if error.kind == Kind::Script {
        error.diagnostic = Box::new(error.diagnostic.help(UNTOUCHED));
    }
    Outcome::Failed(error)
}

fn lock_lost() -> Error {
    Error::never(
        Diagnostic::new(Code::LockLost, "this connection does not hold the migration lock that it took")
            .help("behind a pooler in transaction mode give the database's own address (`directUrl`, or `--url`)")
            .help("nothing of this migration was applied"),
    )
}

fn cannot_be_atomic(migration: &Migration, found: &DbError) -> Error {
    Error::new(
        Kind::Script,
        Diagnostic::new(
            Code::CannotBeAtomic,
            format!("migration `{}` has several statements and cannot be one transaction", migration.name()),
        )
        .said_by(error::message(found))
        .help("put the statement that the database names alone into a migration of its own"),
    )
}
