//! Scripts that manage their transactions by themselves: a started row first, then the script as it is, then the row is
//! finished.

use plimsoll_core::history::failure_text;
use plimsoll_core::plan::WayOn;
use plimsoll_core::{Diagnostic, Migration};
use tokio_postgres::error::SqlState;

use super::PostgresSession;
use super::apply::Work;
use super::failure::{Sent, script_failed};
use super::limits::{Again, Until};
use super::started::{finish, insert_started, store_failure};
use crate::error::{Error, Result};
use crate::failure::left_open;

/// Sends a script that manages its transactions by itself: once.
///
/// History and script cannot be one here. If the runner dies, the row stays as it is, and a person has to look.
pub(super) async fn self_managed(session: &PostgresSession, work: &Work<'_>) -> Result<()> {
    const LOGS: &str =
        "The script was sent as it is, outside of a transaction of Plimsoll's: how far it got is not known.";
    let limits = session.limits(Until::Reset, Again::No);
    let id = insert_started(session, work, LOGS, &limits).await?;
    let sent = session.client.batch_execute(work.script.text()).await;
    let failure = match &sent {
        Err(failure) => match failure.as_db_error() {
            Some(found) => {
                let whole =
                    Sent { text: work.script.text(), starts_at: 0, characters_before: 0, statement: None };
                Some(script_failed(session, work.migration, &whole, failure, found))
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
    let stored =
        store_failure(session, id, &failure_text(migration.name(), &session.safe(&error.diagnostic))).await;
    let diagnostic = error.diagnostic.helps(WayOn::ByHand.on(migration.name()));
    Error::never(stored.err().into_iter().fold(diagnostic, Diagnostic::help))
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
