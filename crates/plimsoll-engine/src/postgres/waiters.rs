//! Those who wait for the migration lock inside a statement, as Prisma does.
//!
//! Such a waiter holds a snapshot. A concurrent index build waits for all snapshots, the waiter waits for our lock: a
//! deadlock, whose victim is the build each time: a process looks for deadlocks once, a second after its wait began. Prisma gives up after 10
//! seconds, but its connection does not: a server that waits for a lock does not notice that its client is gone. It has to
//! be given the lock to find out.

use super::history::LOCK_ROW;
use super::{LOCK_KEY, PostgresSession};
use crate::backend::{Tell, Told};
use crate::error::Result;

/// Longer than any Prisma waits. Whoever has waited for as long is either not there any more, or means it.
const LONGER_THAN_PRISMA: &str = "11 seconds";

/// Gives the lock to those who have waited for longer than Prisma does. It has to be taken again before anything else is
/// done; the guards in every message see to that.
pub(super) async fn let_go(session: &PostgresSession, tell: &mut Tell<'_>) {
    if let Ok(true) = is_waited_for(session).await {
        tell(Told::Note(
            "a waiter that holds up this statement gets the migration lock for a moment, so that it can end",
        ));
        // The lock may be held more than once, by a script that took it too.
        let _lost = session.execute(&format!("SELECT pg_catalog.pg_advisory_unlock({LOCK_KEY})")).await;
    }
}

/// Whether somebody has waited for long. Servers before version 14 do not say since when a lock has been waited for, and
/// show the age of a statement only to its role.
async fn is_waited_for(session: &PostgresSession) -> Result<bool> {
    let rows = session
        .rows(&format!(
            "SELECT count(*) > 0 FROM pg_catalog.pg_locks l \
             LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE {LOCK_ROW} AND NOT l.granted \
             AND COALESCE((pg_catalog.to_jsonb(l)->>'waitstart')::pg_catalog.timestamptz, a.query_start) \
             < pg_catalog.clock_timestamp() - interval '{LONGER_THAN_PRISMA}'"
        ))
        .await?;
    Ok(rows.first().and_then(|row| row.get(0)) == Some("t"))
}

/// Whether this connection holds the lock.
pub(super) async fn is_ours(session: &PostgresSession) -> Result<bool> {
    let rows = session
        .rows(&format!(
            "SELECT count(*) > 0 FROM pg_catalog.pg_locks l WHERE {LOCK_ROW} AND l.granted \
             AND l.pid = pg_catalog.pg_backend_pid()"
        ))
        .await?;
    Ok(rows.first().and_then(|row| row.get(0)) == Some("t"))
}
