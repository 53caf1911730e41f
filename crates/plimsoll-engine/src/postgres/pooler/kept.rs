//! Whether a pooler keeps the connection for us.
//!
//! On a quiet pool every transaction gets the same connection, so that asking again and again proves nothing. A notification does: the
//! server sends it to a session that is doing nothing, and it arrives here only if the connection is ours in that moment. A pooler
//! that had handed it on has nobody to pass it to.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::{Client, SimpleQueryRow};

use crate::error::{Kind, Result};
use crate::postgres::{PostgresSession, connect, only_rows};

/// How long a second connection, and what is said through it, may take to come.
const PATIENCE: Duration = Duration::from_secs(2);

/// The number of the server's process that answers.
const PROCESS: &str = "SELECT pg_catalog.pg_backend_pid()";

/// What has been seen of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It stays ours from one transaction to the next.
    Kept,
    /// It does not, or nothing shows that it does.
    Shared,
    /// No second connection is to be had: it cannot be found out now.
    Nothing,
}

/// Looks whether the connection stays ours from one transaction to the next.
pub(super) async fn look(session: &mut PostgresSession) -> Result<Seen> {
    let Some(ours) = process(session).await? else { return Ok(Seen::Shared) };
    let opening = connect::open(&session.target, &session.target.url.database, &session.runner);
    let other = match timeout(PATIENCE, opening).await {
        Ok(Ok(other)) => other,
        Ok(Err(error)) if error.kind != Kind::NotYet => return Ok(Seen::Shared),
        Ok(Err(_)) | Err(_) => return Ok(Seen::Nothing),
    };
    let seen = beside(session, &other.client, ours).await;
    other.close().await;
    seen
}

/// In session mode a pooler lets everybody in, and only the first statement waits for a connection.
async fn beside(session: &mut PostgresSession, other: &Client, ours: i32) -> Result<Seen> {
    let Ok(begun) = timeout(PATIENCE, other.simple_query(&format!("BEGIN;{PROCESS}"))).await else {
        return Ok(Seen::Nothing);
    };
    // Each has to have a connection of its own: a pooler that had ours to spare gave the other one that.
    let theirs = begun.ok().and_then(|messages| number(&only_rows(messages)));
    let is_kept = theirs.is_some_and(|theirs| theirs != ours)
        && has_ended(other).await
        && hears(session, other, ours).await?;
    Ok(if is_kept { Seen::Kept } else { Seen::Shared })
}

/// Ends the transaction of the other one: what it says is sent with a commit.
async fn has_ended(other: &Client) -> bool {
    matches!(timeout(PATIENCE, other.batch_execute("COMMIT")).await, Ok(Ok(())))
}

/// Listens, has the other say something, and waits for it without a word.
async fn hears(session: &mut PostgresSession, other: &Client, ours: i32) -> Result<bool> {
    let channel = format!("plimsoll_{}", uuid::Uuid::new_v4().simple());
    session.execute(&format!("LISTEN {channel}")).await?;
    // The server's own session has to be the one that listens, and not the pooler in its place.
    let listening = format!("{PROCESS} FROM pg_catalog.pg_listening_channels() c WHERE c = '{channel}'");
    let heard = number(&session.rows(&listening).await?) == Some(ours) && {
        let said = timeout(PATIENCE, other.batch_execute(&format!("NOTIFY {channel}"))).await;
        matches!(said, Ok(Ok(()))) && arrives(session, &channel).await
    };
    session.execute(&format!("UNLISTEN {channel}")).await?;
    Ok(heard && process(session).await? == Some(ours))
}

async fn arrives(session: &mut PostgresSession, channel: &str) -> bool {
    let until = Instant::now() + PATIENCE;
    while let Ok(Some(heard)) = timeout_at(until, session.heard.recv()).await {
        if heard == channel {
            return true;
        }
    }
    false
}

async fn process(session: &PostgresSession) -> Result<Option<i32>> {
    Ok(number(&session.rows(PROCESS).await?))
}

fn number(rows: &[SimpleQueryRow]) -> Option<i32> {
    rows.first()?.get(0)?.parse().ok()
}
