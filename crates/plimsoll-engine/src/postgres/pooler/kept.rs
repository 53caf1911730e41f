//! Whether a pooler keeps the connection for us.
//!
//! On a quiet pool every transaction gets the same connection, so that asking again and again proves nothing. A notification does: the
//! server sends it to a session that is doing nothing, and it arrives here only if the connection is ours in that moment. A pooler
//! that had handed it on has nobody to pass it to.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::{Client, SimpleQueryRow};

use crate::error::Result;
use crate::postgres::{PostgresSession, connect, only_rows};

/// How long a second connection, and what is said through it, may take to come. Nothing is lost when it is too short: a connection
/// of which nothing is known is not relied on.
const PATIENCE: Duration = Duration::from_secs(2);

/// The number of the server's process that answers.
const PROCESS: &str = "SELECT pg_catalog.pg_backend_pid()";

/// Whether the connection stays ours from one transaction to the next. What cannot be found out in time counts as no.
pub(super) async fn is_kept(session: &mut PostgresSession) -> Result<bool> {
    let Some(ours) = process(session).await? else { return Ok(false) };
    let opening = connect::open(&session.target, &session.target.url.database, &session.runner);
    let Ok(Ok(other)) = timeout(PATIENCE, opening).await else { return Ok(false) };
    Ok(is_apart(session, &other.client, ours).await? && hears(session, &other.client, ours).await?)
}

/// Whether each has a connection of its own. In an open transaction the other one has: a pooler that had ours to spare gave it that.
async fn is_apart(session: &PostgresSession, other: &Client, ours: i32) -> Result<bool> {
    let begun = timeout(PATIENCE, other.simple_query(&format!("BEGIN;{PROCESS}"))).await;
    let theirs = match begun {
        Ok(Ok(messages)) => number(&only_rows(messages)),
        _ => None,
    };
    let still = process(session).await?;
    let ended = timeout(PATIENCE, other.batch_execute("COMMIT")).await;
    Ok(matches!(ended, Ok(Ok(()))) && theirs.is_some_and(|theirs| theirs != ours) && still == Some(ours))
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
