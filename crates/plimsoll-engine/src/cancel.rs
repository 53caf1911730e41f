//! Stopping: every wait ends when the run is cancelled, and a statement under way is cancelled at the database.

use std::time::Duration;

use plimsoll_core::{Code, Diagnostic};
use tokio_util::sync::CancellationToken;

use crate::backend::Cancel;
use crate::error::{Error, Result};

/// How long a cancelled statement may take to end: a pod has little time after SIGTERM.
const CANCEL_PATIENCE: Duration = Duration::from_millis(1200);

/// Does the work; when the run is cancelled, cancels it at the database and gives it a moment to end.
///
/// Work that succeeds all the same has succeeded: its commit was already under way.
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
        Ok(Err(_)) | Err(_) => Err(interrupted()),
    }
}

/// Sleeps, or fails when the run is cancelled.
pub(crate) async fn sleep(pause: Duration, cancel: &CancellationToken) -> Result<()> {
    tokio::select! {
        () = tokio::time::sleep(pause) => Ok(()),
        () = cancel.cancelled() => Err(interrupted()),
    }
}

/// The error of a run that was cancelled.
pub(crate) fn interrupted() -> Error {
    Error::never(
        Diagnostic::new(
            Code::Interrupted,
            "interrupted: the statement under way was cancelled and rolled back",
        )
        .help("what was applied before stays applied; the next start carries on"),
    )
}
