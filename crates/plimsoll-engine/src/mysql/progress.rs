//! The row of a script that is applied statement by statement, while it is under way.
//!
//! Every write is made only if this connection holds the migration lock at that moment, and looks whether it was made:
//! both in one message. Times are the server's, in UTC as Prisma stores them, whatever time zone a script has set.

use plimsoll_core::history::{Progress, failure_log};
use plimsoll_core::{Diagnostic, Migration};

use super::apply::Work;
use super::lock::HELD;
use super::send::Row;
use super::settings::{neutrally, set_clock_right};
use super::{MysqlSession, error, history, sql};
use crate::error::{Error, Kind, Result};
use crate::failure::changed_by_others;

/// A row that is under way.
const OPEN: &str = "finished_at IS NULL AND rolled_back_at IS NULL";

/// What to set in the row of an attempt.
fn update(session: &MysqlSession, id: &str, set: &str) -> String {
    let table = session.history_table();
    format!("UPDATE {table} SET {set} WHERE id = {} AND {OPEN} AND {HELD}", sql::text(id))
}

/// Asks who holds the lock, for the rows of this migration that count: how many of them are ours and in this state, and how many
/// are somebody's who takes no lock. A locking read: it sees what others have committed since the transaction began, and
/// nobody adds a row before it ends.
fn look(session: &MysqlSession, migration: &Migration, id: &str, state: &str) -> String {
    let (table, is, named) = (session.history_table(), sql::text(id), history::is_named(migration));
    format!(
        "SELECT COALESCE({HELD}, 0), COALESCE(SUM(id = {is} AND {state}), 0), COALESCE(SUM(id <> {is}), 0) \
         FROM {table} WHERE {named} AND rolled_back_at IS NULL FOR UPDATE"
    )
}

/// Writes a row with one statement that ends in a condition, and is made only if nobody without the lock has begun the same
/// migration: whether it was. It commits by itself, so that nothing may be open.
///
/// A script that does more than to change the catalog may have locked tables, under which none can be named twice: there nothing
/// is written. The count keeps the servers from reading the table while it is written, and waits for whoever has a row there locked:
/// by itself a read does so at no lower level of isolation than `REPEATABLE READ`.
async fn wrote_at_once(
    session: &mut MysqlSession,
    migration: &Migration,
    id: &str,
    write: &str,
) -> Result<bool> {
    if session.own.is_none() {
        return Ok(false);
    }
    let (table, is, named) = (session.history_table(), sql::text(id), history::is_named(migration));
    let alone = format!(
        "(SELECT n FROM (SELECT COUNT(*) AS n FROM {table} \
         WHERE {named} AND rolled_back_at IS NULL AND id <> {is} LOCK IN SHARE MODE) AS others) = 0"
    );
    Ok(session.execute(&format!("{write} AND {alone}")).await? == 1)
}

/// The rows of one migration that count.
struct Counted {
    ours: String,
    others: String,
}

impl Counted {
    /// What a look has found, if this connection holds the lock.
    fn of(rows: &[Row]) -> Result<Self> {
        held(rows)?;
        let value = |n: usize| rows.last().and_then(|row| row.get(n)?.clone()).unwrap_or_default();
        Ok(Self { ours: value(1), others: value(2) })
    }

    /// Nobody without the lock has begun the same migration meanwhile.
    fn are_ours_alone(&self) -> Result<()> {
        if self.others == "0" { Ok(()) } else { Err(Error::overtaken()) }
    }
}

/// Writes how far the attempt has got. Inside a transaction it is committed with what it speaks of, or not at all.
pub(super) async fn write(
    session: &mut MysqlSession,
    migration: &Migration,
    id: &str,
    progress: &Progress,
) -> Result<()> {
    let set = format!(
        "applied_steps_count = {}, logs = {}",
        progress.done.count,
        sql::text(&sql::logs(&progress.running_log()))
    );
    let update = update(session, id, &set);
    if wrote_at_once(session, migration, id, &update).await? {
        return Ok(());
    }
    let look = look(session, migration, id, "finished_at IS NULL");
    are_ours_alone(&in_neutral(session, &format!("{update};{look}")).await?)
}

/// Whether the row that was written says so, if this connection holds the lock, and nobody without it has begun the same migration.
fn are_ours_alone(rows: &[Row]) -> Result<()> {
    let counted = Counted::of(rows)?;
    counted.are_ours_alone()?;
    if counted.ours == "1" { Ok(()) } else { Err(Error::overtaken()) }
}

/// Whether somebody who takes no lock has begun the same migration.
pub(super) async fn has_others(session: &mut MysqlSession, migration: &Migration, id: &str) -> Result<bool> {
    let look = look(session, migration, id, "finished_at IS NULL");
    let rows = in_neutral(session, &look).await?;
    Ok(Counted::of(&rows)?.are_ours_alone().is_err())
}

/// The row as Prisma writes it, however it came about; not beside one of somebody else's.
pub(super) async fn finish(session: &mut MysqlSession, id: &str, migration: &Migration) -> Result<()> {
    let update = update(session, id, FINISH);
    match wrote_at_once(session, migration, id, &update).await {
        Ok(true) => return Ok(()),
        Ok(false) => {}
        Err(error) => return unless_committed(session, id, FINISHED, error).await,
    }
    session.execute("SET autocommit = 0").await?;
    match finish_alone(session, id, migration).await {
        Ok(()) => commit(session, id, FINISHED).await,
        Err(error) => {
            roll_back(session, &error).await?;
            Err(error)
        }
    }
}

/// What to set in the row of an attempt that is finished.
const FINISH: &str = "finished_at = UTC_TIMESTAMP(3), applied_steps_count = 1, logs = NULL";

/// A row that says that its migration is applied.
pub(super) const FINISHED: &str = "finished_at IS NOT NULL";

/// A row that says that so many statements are done.
pub(super) fn says_done(progress: &Progress) -> String {
    format!("applied_steps_count = {}", progress.done.count)
}

/// Commits what is open together with the row of an attempt, which says `state` then and did not before.
///
/// The servers cancel a statement at its very end as well, when it is done: a COMMIT that has failed may have committed, and the
/// row tells. Where it cannot be asked the connection counts as lost: whoever comes next reads the row.
pub(super) async fn commit(session: &mut MysqlSession, id: &str, state: &str) -> Result<()> {
    match session.execute(sql::COMMIT).await {
        Ok(_) => Ok(()),
        Err(error) => unless_committed(session, id, state, error).await,
    }
}

/// This error of what was to commit, unless the row tells that it did.
async fn unless_committed(session: &mut MysqlSession, id: &str, state: &str, error: Error) -> Result<()> {
    if error.kind == Kind::Lost {
        return Err(error);
    }
    let asked = match session.execute(sql::ROLLBACK).await {
        Ok(_) => is_so(session, id, state).await,
        Err(found) => Err(found),
    };
    match asked {
        Ok(true) => Ok(()),
        Ok(false) => Err(error),
        Err(_) => Err(Error { kind: Kind::Lost, ..error }),
    }
}

/// Gives up what is open, for this reason. If the connection is gone, so is the transaction.
pub(super) async fn roll_back(session: &mut MysqlSession, error: &Error) -> Result<()> {
    match error.kind {
        Kind::Lost => Ok(()),
        _ => session.execute(sql::ROLLBACK).await.map(drop),
    }
}

async fn is_so(session: &mut MysqlSession, id: &str, state: &str) -> Result<bool> {
    let table = session.history_table();
    let rows = in_neutral(
        session,
        &format!("SELECT COUNT(*) FROM {table} WHERE id = {} AND {state}", sql::text(id)),
    )
    .await?;
    Ok(rows.last().and_then(|row| row.first()?.as_deref()) == Some("1"))
}

async fn finish_alone(session: &mut MysqlSession, id: &str, migration: &Migration) -> Result<()> {
    let look = look(session, migration, id, "finished_at IS NOT NULL");
    let rows = in_neutral(session, &format!("{};{look}", update(session, id, FINISH))).await?;
    let counted = Counted::of(&rows)?;
    counted.are_ours_alone()?;
    if counted.ours == "1" { Ok(()) } else { Err(changed_by_others(migration)) }
}

/// How the row of an attempt begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// There is none yet.
    New,
    /// That of an earlier attempt which failed and left nothing is used again, so that a crash loop does not fill the history.
    Again,
}

/// A started row, before anything is sent; not beside one of somebody else's.
pub(super) async fn begin(
    session: &mut MysqlSession,
    work: &Work<'_>,
    (id, beginning): (&str, Beginning),
    progress: &Progress,
) -> Result<()> {
    let logs = sql::text(&sql::logs(&progress.running_log()));
    let write = match beginning {
        Beginning::Again => format!(
            "UPDATE {} SET logs = {logs}, started_at = UTC_TIMESTAMP(3), rolled_back_at = NULL, \
             applied_steps_count = 0 WHERE id = {} AND {HELD}",
            session.history_table(),
            sql::text(id)
        ),
        Beginning::New => insert(session, work, &format!("UTC_TIMESTAMP(3), NULL, 0, {logs}")),
    };
    if wrote_at_once(session, work.migration, id, &write).await? {
        return Ok(());
    }
    let look = look(session, work.migration, id, "finished_at IS NULL");
    if session.own.is_some() {
        // Nothing was written: where somebody else has begun it, no row of ours is to stand beside his.
        Counted::of(&in_neutral(session, &look).await?)?.are_ours_alone()?;
    }
    are_ours_alone(&in_neutral(session, &format!("{write};{look}")).await?)
}

/// What the history says of a migration that is to be begun or carried on; by itself nothing.
#[derive(Default)]
pub(super) struct Found {
    /// Those that count and are not finished: their ids and logs.
    pub(super) open: Vec<(String, String)>,
    /// Whether there is one that counts and is finished.
    pub(super) finished: bool,
    /// One of ours, of an attempt at the same script that failed and left nothing; rows of Prisma are left alone.
    pub(super) failed: Option<String>,
}

/// Reads its rows.
pub(super) async fn find(session: &mut MysqlSession, work: &Work<'_>) -> Result<Found> {
    let query = format!(
        "SELECT id, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, {failed}, CASE WHEN {OPEN} THEN logs END \
         FROM {table} WHERE {named} AND (rolled_back_at IS NULL OR {failed})",
        failed = history::is_failed(work.script),
        table = session.history_table(),
        named = history::is_named(work.migration),
    );
    let mut found = Found::default();
    for row in in_neutral(session, &query).await? {
        let is = |n: usize| row.get(n).and_then(Option::as_deref) == Some("1");
        let text = |n: usize| row.get(n).cloned().flatten().unwrap_or_default();
        match (is(1), is(2)) {
            (false, false) => found.open.push((text(0), text(4))),
            (true, false) => found.finished = true,
            _ => found.failed = Some(text(0)),
        }
    }
    Ok(found)
}

/// The finished row of a script that is one transaction with it; not beside one of somebody else's.
pub(super) async fn insert_finished(session: &mut MysqlSession, work: &Work<'_>) -> Result<()> {
    set_clock_right(session, session.script.touched).await;
    let insert = insert(session, work, "UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), 1, NULL");
    let look = look(session, work.migration, work.id, "finished_at IS NOT NULL");
    let rows = in_neutral(session, &format!("{insert};{look}")).await?;
    Counted::of(&rows)?.are_ours_alone()
}

/// A new row, if this connection holds the lock.
fn insert(session: &MysqlSession, work: &Work<'_>, values: &str) -> String {
    format!(
        "INSERT INTO {} (id, checksum, migration_name, started_at, finished_at, applied_steps_count, logs) \
         SELECT {}, {}, {}, {values} FROM DUAL WHERE {HELD}",
        session.history_table(),
        sql::text(work.id),
        sql::text(&work.script.checksum().to_string()),
        sql::text(work.migration.name()),
    )
}

/// Refuses to begin if the migration is recorded already, by a runner that takes no lock, or the lock is not ours.
pub(super) async fn unrecorded(session: &mut MysqlSession, migration: &Migration) -> Result<()> {
    let query = format!(
        "SELECT COALESCE({HELD}, 0), (SELECT COUNT(*) FROM {} WHERE {} AND rolled_back_at IS NULL)",
        session.history_table(),
        history::is_named(migration)
    );
    let rows = in_neutral(session, &query).await?;
    held(&rows)?;
    match rows.last().and_then(|row| row.get(1)?.as_deref()) {
        Some("0") => Ok(()),
        _ => Err(Error::overtaken()),
    }
}

/// Stores why an attempt failed of which something stays. Its row still counts: it is a failed migration.
pub(super) async fn fail(
    session: &mut MysqlSession,
    id: &str,
    progress: &Progress,
    words: &str,
) -> Result<()> {
    let logs = sql::text(&sql::logs(&progress.log(words)));
    let set = format!("applied_steps_count = {}, logs = {logs}", progress.done.count);
    let write = update(session, id, &set);
    held(&in_neutral(session, &format!("{write};SELECT COALESCE({HELD}, 0)")).await?)
}

/// The attempt failed and left nothing: its row does not count, and the next start tries again.
pub(super) async fn give_up(
    session: &mut MysqlSession,
    id: &str,
    migration: &Migration,
    failure: &Diagnostic,
) -> Result<()> {
    set_clock_right(session, session.script.touched).await;
    let logs = sql::text(&sql::logs(&failure_log(migration.name(), &session.safe(failure), &session.runner)));
    let set = format!("rolled_back_at = UTC_TIMESTAMP(3), applied_steps_count = 0, logs = {logs}");
    let write = update(session, id, &set);
    held(&in_neutral(session, &format!("{write};SELECT COALESCE({HELD}, 0)")).await?)
}

/// Asks something of our own in the middle of a script.
async fn in_neutral(session: &mut MysqlSession, query: &str) -> Result<Vec<Row>> {
    neutrally(session, async |session| session.rows(query).await).await
}

/// The first column of the last row says whether this connection holds the lock.
fn held(rows: &[Vec<Option<String>>]) -> Result<()> {
    match rows.last().and_then(|row| row.first()?.as_deref()) {
        Some("1") => Ok(()),
        _ => Err(error::lock_lost()),
    }
}
