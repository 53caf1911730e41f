//! Stopping: every wait ends when the run is cancelled, and a statement under way is cancelled at the database.

use std::time::Duration;

use plimsoll_core::{Code, Diagnostic};
use tokio_util::sync::CancellationToken;

use crate::backend::Cancel;
use crate::error::{Error, Kind, Result};

/// How long a cancelled statement may take to end: a pod has little time after SIGTERM.
const CANCEL_PATIENCE: Duration = Duration::from_millis(1200);

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
    let ending = async {
        let (result, ()) = tokio::join!(work, canceller.cancel());
        result
    };
    match tokio::time::timeout(CANCEL_PATIENCE, ending).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) if error.kind == Kind::Cancelled => Err(cancelled(*error.diagnostic)),
        // It failed all the same, and its row says so.
        Ok(Err(error)) if error.kind == Kind::Never && is_settled(error.diagnostic.code) => Err(error),
        Ok(Err(error)) => Err(unclear(&error.diagnostic.to_string())),
        Err(_) => Err(unclear("it did not stop in time")),
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

/// Whether an error says what has become of a script, for a person to go on with.
fn is_settled(code: Code) -> bool {
    matches!(code, Code::MigrationFailed | Code::StepUnclear)
}

/// What a cancelled statement has left is among the steps that its error ends with; most leave nothing.
fn cancelled(said: Diagnostic) -> Error {
    if said.help.is_empty() {
        return error("interrupted: the statement under way was cancelled and rolled back");
    }
    let error = error("interrupted: the statement under way was cancelled");
    Error { diagnostic: Box::new(error.diagnostic.helps(said.help)), ..error }
}

fn unclear(why: &str) -> Error {
    let error = error(
        "interrupted: the migration under way may be committed or not; the next start looks, and carries on",
    );
    Error { diagnostic: Box::new(error.diagnostic.help(why)), ..error }
}

fn error(message: &str) -> Error {
    let diagnostic = Diagnostic::new(Code::Interrupted, message);
    Error::never(diagnostic.help("what was applied before stays applied; the next start carries on"))
}
