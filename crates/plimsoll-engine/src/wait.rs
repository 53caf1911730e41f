//! Waiting for a database that is not up yet.

use std::time::{Duration, Instant};

use plimsoll_core::{Code, Diagnostic, Migrations};
use tokio_util::sync::CancellationToken;

use crate::backend::Backend;
use crate::backoff::Backoff;
use crate::cancel::{interrupted, sleep};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Observe};

/// Connects, trying again for up to `wait` while the database is not up. A wrong password and the like fail at once.
///
/// What is expected is for the first read: see [`Backend::connect`].
///
/// One event when waiting starts and one when it ends, not one for each try.
pub(crate) async fn connect<B: Backend>(
    backend: &B,
    expected: Option<&Migrations>,
    wait: Duration,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> Result<B::Session> {
    let begun = Instant::now();
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    let mut waiting = false;
    let mut number = 0;
    loop {
        number += 1;
        observer.see(Event::Connecting { number });
        let longest = wait.saturating_sub(begun.elapsed()).max(SHORTEST_TRY);
        let tried = tokio::select! {
            tried = tokio::time::timeout(longest, backend.connect(expected)) => tried.unwrap_or_else(|_| Err(silent())),
            () = cancel.cancelled() => return Err(interrupted()),
        };
        match tried {
            Err(error) if error.kind == Kind::NotYet && begun.elapsed() < wait => {
                if !waiting {
                    observer.see(Event::Waiting { why: &error.diagnostic, at_most: wait });
                    waiting = true;
                }
                let left = wait.saturating_sub(begun.elapsed());
                let pause = backoff.pause().min(left);
                observer.see(Event::NotConnected { why: &error.diagnostic, pause });
                sleep(pause, cancel).await?;
            }
            Ok(session) => {
                if waiting {
                    observer.see(Event::Connected { after: begun.elapsed() });
                }
                observer.see(Event::Opened);
                return Ok(session);
            }
            Err(error) => return Err(error),
        }
    }
}

/// How long one try may always take: with `--wait=0` there is no other.
const SHORTEST_TRY: Duration = Duration::from_secs(10);

/// Something takes connections and says nothing: a proxy without a server behind it, or a server that hangs.
fn silent() -> Error {
    Error::new(
        Kind::NotYet,
        Diagnostic::new(Code::Unreachable, "the database server takes the connection and does not answer"),
    )
}
