//! Stopping: every wait ends when the run is cancelled, and a statement under way is cancelled at the database.

use std::time::Duration;

use plimsoll_core::history::Row;
use plimsoll_core::{Code, Diagnostic};
use tokio_util::sync::CancellationToken;

use crate::backend::{Cancel, Session};
use crate::error::{CancelledBy, Error, Kind, Result};
use crate::stopping;

/// Does the work; when the run is cancelled, cancels it at the database and gives it a moment to end.
///
/// Work that succeeds all the same has succeeded: its commit was already under way. Of work that does not end in time
/// nobody can say how it will end.
pub(crate) async fn interruptible<T>(
    cancel: &CancellationToken,
    canceller: &impl Cancel,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::pin!(work);
    tokio::select! {
        result = &mut work => return result,
        () = cancel.cancelled() => {}
    }
    match ended(work, canceller.cancel()).await {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) if error.kind == Kind::Cancelled => Err(cancelled(*error.diagnostic)),
        // It failed all the same, and its row says so.
        Some(Err(error)) if error.kind == Kind::Never && is_settled(error.diagnostic.code) => Err(error),
        Some(Err(error)) => Err(unclear(&error.diagnostic.to_string())),
        None => Err(unclear("it did not stop in time")),
    }
}

/// How the work has ended in the time that it has for that. What is known then counts, though the request to cancel it may still be
/// on its way: that is given the same time and no more, since one that comes late would meet what the session says next.
async fn ended<T>(work: impl Future<Output = T>, request: impl Future<Output = ()>) -> Option<T> {
    let mut ended = None;
    let working = async { ended = Some(work.await) };
    let _in_time = tokio::time::timeout(stopping::CANCEL, async { tokio::join!(working, request) }).await;
    ended
}

/// The same for work that no migration is part of: whatever becomes of it, the next start looks, and does what is left.
pub(crate) async fn repeatable<T>(
    cancel: &CancellationToken,
    canceller: &impl Cancel,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    match interruptible(cancel, canceller, work).await {
        Err(error) if error.diagnostic.code == Code::Interrupted => Err(interrupted()),
        done => done,
    }
}

/// Sleeps, or fails when the run is cancelled.
pub(crate) async fn sleep(pause: Duration, cancel: &CancellationToken) -> Result<()> {
    tokio::select! {
        () = tokio::time::sleep(pause) => Ok(()),
        () = cancel.cancelled() => Err(interrupted()),
    }
}

/// The error of a run that was cancelled while it applied nothing.
pub(crate) fn interrupted() -> Error {
    error("interrupted while nothing was being applied")
}

/// Who has cancelled a statement, as the database has said in this error of it.
pub(crate) fn canceller_of<S: Session>(error: &Error) -> CancelledBy {
    error.diagnostic.database.as_deref().map_or(CancelledBy::Unknown, S::cancelled_by)
}

/// The error of a statement that somebody has had cancelled, as it ends a run. Where its row is still that of an attempt under way,
/// the next start carries on, and nobody has to do anything; of a limit it would come to the same end.
///
/// A run that is stopped has no time to look: the next start has.
pub(crate) async fn by_others<S: Session>(
    session: &mut S,
    name: &str,
    error: Error,
    cancel: &CancellationToken,
) -> Error {
    let is_under_way = tokio::select! {
        biased;
        read = session.read() => match read {
            Ok(snapshot) => snapshot.history().rows_of(name).any(Row::is_resumable),
            Err(_unknown) => cancel.is_cancelled(),
        },
        () = cancel.cancelled() => true,
    };
    if !is_under_way {
        return error;
    }
    let diagnostic = Diagnostic { code: Code::StatementCancelled, ..*error.diagnostic };
    Error::never(diagnostic.help(
        "what is done stays done; the next start looks what became of the rest, and carries on or says what to do",
    ))
}

/// Whether an error says what has become of a script, for a person to go on with.
fn is_settled(code: Code) -> bool {
    matches!(
        code,
        Code::MigrationFailed
            | Code::StepUnclear
            | Code::CannotBeAtomic
            | Code::TransactionEnded
            | Code::TransactionLeftOpen
    )
}

/// The step after a run that the next one carries on.
const CARRIED_ON: &str = "what was applied before stays applied; the next start carries on";

/// What a cancelled statement has left is among the steps that its error ends with; most leave nothing.
fn cancelled(said: Diagnostic) -> Error {
    if said.help.is_empty() {
        return error("interrupted: the statement under way was cancelled and rolled back");
    }
    let diagnostic = Diagnostic::new(Code::Interrupted, "interrupted: the statement under way was cancelled");
    Error::never(diagnostic.help(CARRIED_ON).helps(said.help))
}

/// Whether the next start can carry on it finds out itself: its row may be one that a person has to look at.
fn unclear(why: &str) -> Error {
    let message = "interrupted: the migration under way may be committed or not";
    let diagnostic = Diagnostic::new(Code::Interrupted, message).help(why);
    Error::never(diagnostic.help(
        "what was applied before stays applied; the next start looks what became of it, and carries on or says what to do",
    ))
}

fn error(message: &str) -> Error {
    Error::never(Diagnostic::new(Code::Interrupted, message).help(CARRIED_ON))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says when it was asked.
    struct Asked(CancellationToken);

    impl Cancel for Asked {
        async fn cancel(&self) {
            self.0.cancel();
        }
    }

    /// What a run ends with whose statement failed so after it was asked to stop.
    async fn ended(failure: Error) -> Diagnostic {
        let (cancel, asked) = (CancellationToken::new(), Asked(CancellationToken::new()));
        cancel.cancel();
        let work = async {
            asked.0.cancelled().await;
            Err::<(), _>(failure)
        };
        *interruptible(&cancel, &asked, work).await.expect_err("it failed").diagnostic
    }

    /// A server, or a pooler, that takes no further connection while it serves ours.
    #[tokio::test]
    async fn what_has_ended_counts_though_the_request_to_cancel_it_has_not() {
        struct Unheard(CancellationToken);
        impl Cancel for Unheard {
            async fn cancel(&self) {
                self.0.cancel();
                std::future::pending::<()>().await;
            }
        }
        let (cancel, unheard) = (CancellationToken::new(), Unheard(CancellationToken::new()));
        cancel.cancel();
        let committed = async {
            unheard.0.cancelled().await;
            Ok("committed")
        };
        assert_eq!(interruptible(&cancel, &unheard, committed).await.expect("it says so"), "committed");
        let never = interruptible(&cancel, &unheard, std::future::pending::<Result<()>>()).await;
        assert!(never.expect_err("nobody knows").diagnostic.message.contains("may be committed or not"));
    }

    #[tokio::test]
    async fn only_what_the_next_start_can_carry_on_is_said_to_be_carried_on() {
        let said = |diagnostic: &Diagnostic| format!("{diagnostic}\n{}", diagnostic.help.join("\n"));
        for code in [Code::StepUnclear, Code::TransactionEnded, Code::CannotBeAtomic] {
            let failed = Diagnostic::new(code, "what became of it").help("look first");
            let ended = ended(Error::never(failed.clone())).await;
            assert_eq!(said(&ended), said(&failed));
        }
        let ended = ended(Error::never(Diagnostic::new(Code::Database, "gone"))).await;
        assert!(ended.code == Code::Interrupted && said(&ended).contains("says what to do"), "{ended:?}");
        assert!(!said(&ended).contains("the next start carries on"), "{ended:?}");
    }
}
