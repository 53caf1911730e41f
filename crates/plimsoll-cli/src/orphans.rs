//! What the first process of a container owes to the others: processes whose parent has died become its children, and one
//! that ends stays a zombie until it is asked for. A shell of `kubectl exec` leaves such orphans.

use std::convert::Infallible;

use rustix::process::{WaitOptions, wait};
use tokio::signal::unix::{SignalKind, signal};

/// Asks for each child that ends, for as long as it is awaited. Does nothing unless this is process 1: only then are
/// there children, since Plimsoll starts none.
pub(crate) async fn reap() -> Infallible {
    if std::process::id() == 1
        && let Ok(mut ended) = signal(SignalKind::child())
    {
        loop {
            take_all();
            if ended.recv().await.is_none() {
                break;
            }
        }
    }
    std::future::pending().await
}

/// One signal may stand for several children.
fn take_all() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}
