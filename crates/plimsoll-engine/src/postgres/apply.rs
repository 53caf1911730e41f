//! Applying one migration.

use plimsoll_core::history::failure_text;
use plimsoll_core::plan::{Step, WayOn};
use plimsoll_core::script::{Atomic, Segmented, Shape, postgres as script};
use plimsoll_core::{Code, Diagnostic, Migration, Script};
use tokio_postgres::error::{DbError, SqlState};

use super::error::{self, ENDED, LOCK_BUSY, LOCK_LOST, OTHER_STRINGS, OVERTAKEN};
use super::failure::{Sent, script_failed};
use super::history::LOCK_ROW;
use super::limits::{Again, Until};
use super::pooler::{self, Hold};
use super::segments::segments;
use super::self_managed::self_managed;
use super::started::{as_ourselves, insert_started};
use super::{PostgresSession, quote_text};
use crate::backend::{Tell, Told};
use crate::error::{Error, Kind, Result};
use crate::failure::UNTOUCHED;

/// Applies one migration as its script demands.
pub(super) async fn apply(
    session: &mut PostgresSession,
    step: &Step<'_>,
    id: &str,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let migration = step.migration;
    let Ok(script) = migration.script() else { return Err(Error::overtaken()) };
    if let Some(note) = pooler::note(session) {
        tell(Told::Note(note));
    }
    let work = Work { migration, script, id };
    if step.resume.is_some() {
        pooler::check_parts(session, migration, "another runner has begun it in parts")?;
    }
    match script::shape(script.text()) {
        // Only an attempt that had to be cut leaves a row to take up.
        Shape::Atomic(_) if step.resume.is_some() || session.paused.is_some() => {
            segments(session, &work, script::apart(script.text()), step.resume, tell).await
        }
        Shape::Atomic(atomic) => match apply_atomic(session, &work, &atomic).await {
            Err(Outcome::NeedsOtherWay(found)) => {
                pooler::check_parts(session, migration, found.message())?;
                let Some(parts) = parts(&work, &atomic) else {
                    return Err(cannot_be_atomic(migration, &found));
                };
                tell(Told::Note(&format!(
                    "`{}` cannot be one transaction ({}): it is run in parts, each of which is recorded",
                    migration.name(),
                    found.message()
                )));
                segments(session, &work, parts, None, tell).await
            }
            Err(Outcome::Failed(error)) => Err(error),
            Ok(()) => Ok(()),
        },
        Shape::Segmented(parts) => segments(session, &work, parts, step.resume, tell).await,
        Shape::SelfManaged { .. } => self_managed(session, &work).await,
        Shape::Refused(refusal) => Err(Error::never(refusal.diagnostic(migration))),
    }
}

/// How a script is run that the server did not take as one transaction; nothing if the script itself says that it is one.
fn parts<'a>(work: &'a Work<'_>, atomic: &Atomic<'_>) -> Option<Segmented<'a>> {
    let text = work.script.text();
    if atomic.statements == 1 {
        return Some(Segmented { segments: vec![script::outside(text, 0)], because: Vec::new() });
    }
    let parts = script::apart(text);
    (parts.segments.len() > 1 && atomic.unterminated.is_none()).then_some(parts)
}

/// One migration to apply.
pub(super) struct Work<'a> {
    pub(super) migration: &'a Migration,
    pub(super) script: &'a Script,
    /// The id of its history row.
    pub(super) id: &'a str,
}

/// Why a script is not applied as one transaction. It has been rolled back.
pub(super) enum Outcome {
    /// The server says that it refuses a transaction, or refuses to be one.
    NeedsOtherWay(Box<DbError>),
    /// Anything else.
    Failed(Error),
}

/// Script and history row as one transaction, and one message.
async fn apply_atomic(
    session: &PostgresSession,
    work: &Work<'_>,
    atomic: &Atomic<'_>,
) -> std::result::Result<(), Outcome> {
    let (begin, lock) = opening(session);
    let limits = session.limits(Until::Commit, Again::Yes);
    let strings = pooler::strings_guard(session, work.script);
    let guard = format!("{strings}{lock}{}", record_guard(session, work.migration));
    // `SET TRANSACTION` has to come before any query: there the guard follows.
    let (before, after) = if atomic.sets_transaction {
        (format!("{begin}{limits}\n"), guard)
    } else {
        (format!("{begin}{limits}{guard}{TAKE_MARK}\n"), still_ours())
    };
    let (checksum, name) = (format!("'{}'", work.script.checksum()), quote_text(work.migration.name()));
    let record = record(session, [&format!("'{}'", work.id), &checksum, &name]);
    // After a line comment without a line end, and after a last statement without a semicolon. Deferred triggers run here and
    // not at the end, where the settings are not those of the script any more. The limits hold for what follows, too: the locks
    // of the script are held until the row is written.
    let after = format!(
        "\n;SET CONSTRAINTS ALL IMMEDIATE;{}{limits}{after}{record}COMMIT",
        ours_again(session, work.script)
    );

    // A script that has to be guarded comes behind the answer: a server that reads it otherwise may find no end to a string in it.
    let together = atomic.unterminated.is_none() && session.facts.standard_strings && strings.is_empty();
    let sent = if together {
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
    if failure.as_db_error().is_some_and(|found| found.message().contains(LOCK_BUSY)) {
        return Err(Outcome::Failed(pooler::busy()));
    }
    Err(sort(session, work, &atomic.body, &failure, offset).await)
}

/// How the transaction begins, and what sees to it that the lock is held in it.
///
/// A lock that is taken inside of it protects only what is read afterwards: each statement has to see what is committed by then.
fn opening(session: &PostgresSession) -> (String, String) {
    match session.hold {
        Some(Hold::Transaction) => {
            let settings = &session.local_settings;
            (format!("BEGIN ISOLATION LEVEL READ COMMITTED;{settings}"), pooler::take_for_transaction())
        }
        _ => ("BEGIN;".to_owned(), lock_guard()),
    }
}

/// What makes the session fit for writing the history, and leaves nothing of the script in it.
///
/// On a connection that others get after us a reset takes away what the pooler has set there, too: it is sent only where the
/// script may have left something.
fn ours_again(session: &PostgresSession, script: &Script) -> String {
    let text = script.text();
    let is_others = session.hold == Some(Hold::Transaction) && session.reads_strings_as_we_do(script);
    if is_others && !script::may_change_session(text) {
        format!("{}{}", as_ourselves(text), session.local_settings)
    } else {
        session.reset()
    }
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

/// A statement that fails if this connection does not hold the lock: behind a pooler it may be another's.
///
/// All guards fail by casting a text to a number: that needs no procedural language and no right.
pub(super) fn lock_guard() -> String {
    format!(
        "SELECT CASE count(*) WHEN 1 THEN 0 ELSE ('{LOCK_LOST} ' || count(*))::pg_catalog.int4 END \
         FROM pg_catalog.pg_locks l WHERE {LOCK_ROW} AND l.granted AND l.pid = pg_catalog.pg_backend_pid();"
    )
}

/// A statement that fails if the migration is recorded already, by a runner that takes no lock.
pub(super) fn record_guard(session: &PostgresSession, migration: &Migration) -> String {
    guard_that(&unrecorded(session, &quote_text(migration.name())))
}

/// A condition that is true if the migration with this name, which is SQL, is not recorded yet.
pub(super) fn unrecorded(session: &PostgresSession, name: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM {} WHERE \"migration_name\" = {name} AND \"rolled_back_at\" IS NULL)",
        session.history_table()
    )
}

/// A statement that fails, as somebody else having been faster, unless the condition is true.
pub(super) fn guard_that(condition: &str) -> String {
    format!(
        "SELECT CASE WHEN {condition} THEN 0 \
         ELSE ('{OVERTAKEN} ' || pg_catalog.pg_backend_pid())::pg_catalog.int4 END;"
    )
}

/// The key of [`TAKE_MARK`], for texts that are put together by the compiler.
macro_rules! mark {
    () => {
        "72707370"
    };
}

/// The key of a lock that our transaction holds and that ends with it; shared, so that nobody ever waits for it.
pub(super) const MARK: &str = mark!();

/// A statement that takes it.
pub(super) const TAKE_MARK: &str = concat!("SELECT pg_catalog.pg_advisory_xact_lock_shared(", mark!(), ");");

/// A condition that is true in the transaction that took it.
pub(super) const IS_MARKED: &str = concat!(
    "EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.objid = ",
    mark!(),
    " AND l.pid = pg_catalog.pg_backend_pid())"
);

/// A statement that fails if the script has ended the transaction that it was put into.
pub(super) fn still_ours() -> String {
    still_ours_if(IS_MARKED)
}

/// The same, which tells it by this condition.
pub(super) fn still_ours_if(condition: &str) -> String {
    format!(
        "SELECT CASE WHEN {condition} THEN 0 ELSE ('{ENDED} ' || pg_catalog.pg_backend_pid())::pg_catalog.int4 END;"
    )
}

/// The finished history row, with the server's clock: all runners share that one. Id, checksum and name are SQL.
pub(super) fn record(session: &PostgresSession, [id, checksum, name]: [&str; 3]) -> String {
    format!(
        "INSERT INTO {} (\"id\", \"checksum\", \"started_at\", \"finished_at\", \"migration_name\", \"applied_steps_count\") \
         VALUES ({id}, {checksum}, now(), clock_timestamp(), {name}, 1);",
        session.history_table()
    )
}

/// Sorts the failure of a transaction that has been rolled back.
pub(super) async fn sort(
    session: &PostgresSession,
    work: &Work<'_>,
    body: &str,
    failure: &tokio_postgres::Error,
    offset: usize,
) -> Outcome {
    let Some(found) = failure.as_db_error() else { return Outcome::Failed(session.error(failure)) };
    if found.message().contains(OTHER_STRINGS) {
        return Outcome::Failed(pooler::other_strings(work.migration));
    }
    if found.message().contains(ENDED) {
        return Outcome::Failed(ended_by_script(session, work).await);
    }
    if needs_other_way(found) {
        return Outcome::NeedsOtherWay(Box::new(found.clone()));
    }
    let sent = Sent { text: body, starts_at: 0, characters_before: offset, statement: None };
    let mut error = script_failed(session, work.migration, &sent, failure, found);
    if error.kind == Kind::Script {
        error.diagnostic = Box::new(error.diagnostic.help(UNTOUCHED));
    }
    Outcome::Failed(error)
}

/// Part of the script may be committed, without its history row: that has to be found by whoever comes next.
pub(super) async fn ended_by_script(session: &PostgresSession, work: &Work<'_>) -> Error {
    let diagnostic = ended_words(work.migration).helps(WayOn::ByHand.on(work.migration.name()));
    let logs = failure_text(work.migration.name(), &diagnostic);
    match insert_started(session, work, &logs, "").await {
        Ok(_id) => Error::never(diagnostic),
        Err(error) => {
            Error::never(diagnostic.help(format!("it could not be recorded: {}", error.diagnostic)))
        }
    }
}

/// The error of a script that ended the transaction that it was put into.
pub(super) fn ended_words(migration: &Migration) -> Diagnostic {
    Diagnostic::new(
        Code::TransactionEnded,
        format!(
            "migration `{}` ended the transaction that was to hold it: part of it may be in the database",
            migration.name()
        ),
    )
}

/// Whether the server says that it refuses a transaction, or refuses to be one.
pub(super) fn needs_other_way(found: &DbError) -> bool {
    [
        SqlState::ACTIVE_SQL_TRANSACTION,
        SqlState::INVALID_TRANSACTION_TERMINATION,
        SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE,
    ]
    .contains(found.code())
}

/// The error of a transaction of the script's own that the server refuses.
pub(super) fn cannot_be_atomic(migration: &Migration, found: &DbError) -> Error {
    Error::new(
        Kind::Script,
        Diagnostic::new(
            Code::CannotBeAtomic,
            format!("migration `{}` asks for a transaction, and the server refuses to run it in one", migration.name()),
        )
        .said_by(error::message(found))
        .help("move the statement that the database names out of BEGIN and COMMIT: Plimsoll commits before and behind it"),
    )
}
