//! SIGTERM, which Kubernetes sends, and SIGINT, which a terminal sends. As PID 1 too, where a signal without a handler is
//! ignored.

use std::time::Duration;

use plimsoll_engine::CancellationToken;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::orphans;

/// How long the work may take to stop before the process ends without it.
const PATIENCE: Duration = Duration::from_millis(1800);

/// How work ended.
pub(crate) enum Ended<T> {
    /// By itself.
    Finished(T),
    /// After this signal; what it returned if it stopped in time.
    Stopped(u8, Option<T>),
}

/// The signals that end the program. From `listen` on, none of them is lost.
pub(crate) struct Signals {
    /// Without handlers the kernel's own treatment of signals is left, and the database's of lost connections.
    heard: Option<[Signal; 2]>,
}

const KINDS: [SignalKind; 2] = [SignalKind::terminate(), SignalKind::interrupt()];

impl Signals {
    /// Begins to listen.
    pub(crate) fn listen() -> Self {
        let [terminate, interrupt] = KINDS.map(signal);
        Self {
            heard: terminate.ok().zip(interrupt.ok()).map(|(terminate, interrupt)| [terminate, interrupt]),
        }
    }

    /// Does the work. On a signal, triggers `cancel` and gives the work a moment to stop.
    pub(crate) async fn watch<T>(
        &mut self,
        cancel: &CancellationToken,
        work: impl Future<Output = T>,
    ) -> Ended<T> {
        tokio::pin!(work);
        let number = tokio::select! {
            done = &mut work => return Ended::Finished(done),
            number = self.next() => number,
            never = orphans::reap() => match never {},
        };
        cancel.cancel();
        Ended::Stopped(number, tokio::time::timeout(PATIENCE, work).await.ok())
    }

    /// The signal that has arrived and that nobody has seen yet. Does not wait for one.
    pub(crate) async fn arrived(&mut self) -> Option<u8> {
        // What the handler noted comes to light when the runtime has looked at its files once more.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            number = self.next() => Some(number),
            () = std::future::ready(()) => None,
        }
    }

    async fn next(&mut self) -> u8 {
        let Some([terminate, interrupt]) = &mut self.heard else { return std::future::pending().await };
        let kind = tokio::select! {
            _ = terminate.recv() => KINDS[0],
            _ = interrupt.recv() => KINDS[1],
        };
        u8::try_from(kind.as_raw_value()).unwrap_or(u8::MAX)
    }
}
