//! Waiting for a condition, which is the only way to wait in a test.

use std::time::{Duration, Instant};

use crate::database::Database;

/// How long any condition may take to come true. Long, because a slow machine is no failure.
const LIMIT: Duration = Duration::from_secs(20);

/// How often a condition is looked at.
const TICK: Duration = Duration::from_millis(5);

/// Returns as soon as the condition holds; the test fails if it does not within 20 seconds.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(TICK);
    }
}

/// The same, for a condition that has to be asked for.
pub async fn until_async(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        tokio::time::sleep(TICK).await;
    }
}

/// Returns as soon as the query answers `t`.
pub async fn until_true(database: &Database<'_>, query: &str) {
    until_async(query, async || database.value(query).await == "t").await;
}

/// Lets a moment pass that is itself what a test is about: when to kill something, or how long to hold something.
pub async fn moment(length: Duration) {
    tokio::time::sleep(length).await;
}

/// Runs work to its end on this thread. A run is waited for on the thread that has started it, so that each of several needs its own.
/// Panics inside of another runtime.
pub fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime needs nothing that could be missing").block_on(work)
}
