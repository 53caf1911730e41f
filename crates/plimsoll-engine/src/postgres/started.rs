//! The history row of a migration that is not one transaction: started, moved on with each of its segments, finished.

use std::borrow::Cow;
use std::fmt::Display;

use plimsoll_core::history::{Attempt, Done, Progress, UnderWay, doubtful_text, failure_log, failure_text};
use plimsoll_core::plan::WayOn;
use plimsoll_core::{Diagnostic, Migration};

use super::apply::{Work, lock_guard, record_guard};
use super::error::OVERTAKEN;
use super::history::earlier_failure;
use super::pooler::{self, Hold};
use super::{PostgresSession, quote_text};
use crate::error::{Error, Kind, Result};
use crate::failure::changed_by_others;

/// The row of an attempt that is under way, and how far it has got.
pub(super) struct Started<'a> {
    pub(super) session: &'a PostgresSession,
    pub(super) work: &'a Work<'a>,
    /// The statements of the script, by which progress is counted.
    pub(super) statements: &'a [Cow<'a, str>],
    pub(super) id: String,
    /// How many statements are done.
    pub(super) done: usize,
    /// The statement behind those, if it may have been sent.
    pub(super) under_way: Option<UnderWay>,
}

impl Started<'_> {
    pub(super) fn migration(&self) -> &Migration {
        self.work.migration
    }

    /// A statement that moves the row on, and fails if somebody else has changed it meanwhile: with it in the same
    /// transaction, no segment is ever committed twice.
    pub(super) fn moves_to(&self, done: usize) -> String {
        if done == self.statements.len() {
            return self.changes(FINISHED);
        }
        let logs = self.progress(Attempt::Running, done, None).running_log();
        self.changes(&format!("applied_steps_count = {done}, logs = {}", quote_text(&logs)))
    }

    fn changes(&self, what: &str) -> String {
        format!(
            "WITH moved AS (UPDATE {} SET {what} WHERE id = {} AND finished_at IS NULL AND rolled_back_at IS NULL \
             AND applied_steps_count = {} RETURNING 1) SELECT CASE count(*) WHEN 1 THEN 0 \
             ELSE ('{OVERTAKEN} ' || count(*))::pg_catalog.int4 END FROM moved;",
            self.session.history_table(),
            quote_text(&self.id),
            self.done
        )
    }

    fn progress(&self, attempt: Attempt, done: usize, under_way: Option<UnderWay>) -> Progress {
        let runner = self.session.runner.clone();
        let done = Done::of(self.statements[..done].iter().map(AsRef::as_ref));
        Progress { attempt, runner, done, under_way }
    }

    /// Records that the next statement is about to be sent, and what the database looks like before it.
    pub(super) async fn begin(&mut self, before: UnderWay) -> Result<()> {
        let logs = self.progress(Attempt::Running, self.done, Some(before.clone())).running_log();
        let change = self.changes(&format!("logs = {}", quote_text(&logs)));
        self.write(&format!("{}{}", lock_guard(), change), "").await?;
        self.under_way = Some(before);
        Ok(())
    }

    /// Records that a statement outside of any transaction is done, and sets the session as `then` says.
    pub(super) async fn end(&mut self, done: usize, then: &str) -> Result<()> {
        let written = self.write(&self.moves_to(done), then).await;
        match written {
            Err(error) if error.kind == Kind::Overtaken => return Err(changed_by_others(self.migration())),
            written => written?,
        }
        (self.done, self.under_way) = (done, None);
        Ok(())
    }

    /// Writes to the history whatever role and settings the script has taken on, and leaves those to it. So it does with the
    /// limits: a statement that is done would otherwise be one that failed, because somebody has the history locked.
    async fn write(&self, statements: &str, then: &str) -> Result<()> {
        let message = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;SET LOCAL lock_timeout = 0;SET LOCAL statement_timeout = 0;\
             {}{statements}COMMIT;{then}",
            as_ourselves(self.work.script.text())
        );
        let Err(error) = self.session.execute(&message).await else { return Ok(()) };
        // The transaction is still open, and failed. If the connection is gone, so is the transaction.
        let _gone = self.session.client.batch_execute("ROLLBACK").await;
        Err(error)
    }

    /// The way on where the next statement left nothing.
    pub(super) fn resume(&self) -> WayOn {
        WayOn::Resume(self.done + 1)
    }

    /// Stores why the attempt failed. If nothing of the script is done, the attempt does not count, and the next start tries
    /// again; otherwise it is a failed migration, of which the row says how far it got, and what its next statement found if
    /// that may have left something.
    pub(super) async fn fail(&self, error: Error, way: WayOn) -> Error {
        let words = failure_text(self.migration().name(), &self.session.safe(&error.diagnostic));
        self.store(error, way, &words).await
    }

    /// The same of a statement that has failed and may have committed before it did.
    pub(super) async fn fail_in_part(&self, error: Error) -> Error {
        let statement = self.done + 1;
        let left = format!("part of statement {statement} may be committed");
        let words = doubtful_text(self.migration().name(), &self.session.safe(&error.diagnostic), &left);
        let message = format!("{}; {left}", error.diagnostic.message);
        let diagnostic = Box::new(Diagnostic { message, ..*error.diagnostic });
        self.store(Error { diagnostic, ..error }, WayOn::SendAgain(statement), &words).await
    }

    async fn store(&self, error: Error, way: WayOn, words: &str) -> Error {
        let (session, name) = (self.session, self.migration().name());
        let logs = self.progress(way.attempt(), self.done, self.under_way.clone()).log(words);
        let stored = async {
            let reset = session.execute(&session.reset()).await;
            reset.map_err(|error| unrecorded(error.diagnostic))?;
            store_failure(session, &self.id, &logs).await
        };
        let diagnostic = match self.done {
            0 => *error.diagnostic,
            done => {
                let of = self.statements.len();
                error.diagnostic.help(format!("{done} of its {of} statements are done and stay done"))
            }
        };
        let diagnostic = diagnostic.helps(way.on(name));
        Error::never(match stored.await {
            Ok(()) => diagnostic,
            Err(unrecorded) => diagnostic.help(unrecorded),
        })
    }
}

/// Stores why an attempt failed, unless somebody has settled it meanwhile: then it is theirs to say. The error is a sentence.
pub(super) async fn store_failure(
    session: &PostgresSession,
    id: &str,
    logs: &str,
) -> std::result::Result<(), String> {
    let update = format!(
        "UPDATE {} SET logs = {} WHERE id = {} AND finished_at IS NULL AND rolled_back_at IS NULL RETURNING 'stored'",
        session.history_table(),
        quote_text(logs),
        quote_text(id)
    );
    let answer = session.rows(&format!("{}{update}", lock_guard())).await;
    let rows = answer.map_err(|error| unrecorded(error.diagnostic))?;
    let is_stored = rows.iter().any(|row| row.get(0) == Some("stored"));
    if is_stored { Ok(()) } else { Err(unrecorded("somebody changed the history row meanwhile")) }
}

fn unrecorded(why: impl Display) -> String {
    format!("the reason could not be recorded: {why}")
}

/// What a finished row looks like: as Prisma writes it, however it came about.
const FINISHED: &str = "finished_at = pg_catalog.clock_timestamp(), applied_steps_count = 1, logs = NULL";

/// Settings for the rest of a transaction, under which the history can be written: a script may have taken on another
/// role. Those of the script come back with the end of the transaction.
pub(super) fn as_ourselves(script: &str) -> String {
    let lower = script.to_ascii_lowercase();
    // Only where the script may have changed them: older servers restore the one over the other.
    let role = if lower.contains("role") { "SET LOCAL role TO DEFAULT;" } else { "" };
    let user =
        if lower.contains("authorization") { "SET LOCAL session_authorization TO DEFAULT;" } else { "" };
    format!("{user}{role}SET LOCAL search_path TO pg_catalog;")
}

/// Writes a started row under the lock, if the migration is not recorded yet; its id. The row of an earlier attempt that failed
/// is used again, so that a crash loop does not fill the history. Behind it the session is set as `then` says.
///
/// Where the lock is held for one transaction at a time, this is another one than that of the script.
pub(super) async fn insert_started(
    session: &PostgresSession,
    work: &Work<'_>,
    logs: &str,
    then: &str,
) -> Result<String> {
    let table = session.history_table();
    let logs = quote_text(logs);
    let lock = match session.hold {
        Some(Hold::Transaction) => pooler::wait_for_turn(),
        _ => lock_guard(),
    };
    let rows = session
        .rows(&format!(
            "{}{}WITH reused AS (UPDATE {table} SET logs = {logs}, started_at = now(), rolled_back_at = NULL, \
             applied_steps_count = 0 WHERE id = ({}) RETURNING id), \
             added AS (INSERT INTO {table} (id, checksum, started_at, migration_name, logs) \
             SELECT '{}', '{}', now(), {}, {logs} WHERE NOT EXISTS (SELECT FROM reused) RETURNING id) \
             SELECT id FROM reused UNION ALL SELECT id FROM added;{then}",
            lock,
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

/// Finishes the row of a script that was sent as a whole.
pub(super) async fn finish(session: &PostgresSession, id: &str, migration: &Migration) -> Result<()> {
    let rows = session
        .rows(&format!(
            "UPDATE {} SET {FINISHED} WHERE id = {} AND finished_at IS NULL AND rolled_back_at IS NULL RETURNING id",
            session.history_table(),
            quote_text(id)
        ))
        .await?;
    if rows.is_empty() { Err(changed_by_others(migration)) } else { Ok(()) }
}

/// Nothing of the script is done: the attempt does not count, and the next start tries again.
pub(super) async fn give_up(
    session: &PostgresSession,
    id: &str,
    migration: &Migration,
    failure: &Diagnostic,
) -> Result<()> {
    let logs = quote_text(&failure_log(migration.name(), &session.safe(failure), &session.runner));
    session
        .execute(&format!(
            "{}UPDATE {} SET rolled_back_at = clock_timestamp(), logs = {logs} \
             WHERE id = {} AND finished_at IS NULL AND rolled_back_at IS NULL AND applied_steps_count = 0",
            lock_guard(),
            session.history_table(),
            quote_text(id)
        ))
        .await
}
