//! How a database comes and goes with its test.

use std::future::Future;
use std::time::Duration;

use uuid::Uuid;

use crate::wait::wait_for;

/// If this variable is set, the servers of failed tests are left running.
pub(super) const KEEP: &str = "PLIMSOLL_TEST_KEEP";

/// A server that has been stopped or paused by its test takes its databases with it.
pub(super) const DROP_LIMIT: Duration = Duration::from_secs(10);

/// A name that nobody else has.
pub(super) fn random_name() -> String {
    format!("plimsoll_{}", Uuid::new_v4().simple())
}

/// Runs to the end even inside a runtime, where blocking on another one is not allowed: on a thread of its own.
pub(super) fn block_on(work: impl Future<Output = ()> + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_for(work);
        });
    });
}

/// Tells the person who reads the failed test where its database is.
#[expect(clippy::print_stderr, reason = "the person who reads the failed test has to find the database")]
pub(super) fn tell_kept(database: &str, how: &str) {
    eprintln!("kept database {database}: {how}");
}
