//! SIGTERM, which Kubernetes sends, and SIGINT, which a terminal sends. As PID 1 too, where a signal without a handler is
//! ignored.

use std::time::Duration;

use plimsoll_engine::CancellationToken;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long the work may take to stop before the process ends without it.
const PATIENCE: Duration = Duration::from_millis(1800);

/// How work ended.
pub(crate) enum Ended<T> {
    /// By itself.
    Finished(T),
    /// After this signal; what it returned if it stopped in time.
    Stopped(u8, Option<T>),
}

/// Does the work. On a signal, triggers `cancel` and gives the work a moment to stop.
pub(crate) async fn watched<T>(cancel: &CancellationToken, work: impl Future<Output = T>) -> Ended<T> {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without handlers the kernel's own treatment of signals is left, and the database's of lost connections.
        return Ended::Finished(work.await);
    };
    tokio::pin!(work);
    let number = tokio::select! {
        done = &mut work => return Ended::Finished(done),
        number = arrival(&mut terminate, SignalKind::terminate()) => number,
        number = arrival(&mut interrupt, SignalKind::interrupt()) => number,
    };
    cancel.cancel();
    Ended::Stopped(number, tokio::time::timeout(PATIENCE, work).await.ok())
}

async fn arrival(signal: &mut Signal, kind: SignalKind) -> u8 {
    signal.recv().await;
    u8::try_from(kind.as_raw_value()).unwrap_or(u8::MAX)
}
