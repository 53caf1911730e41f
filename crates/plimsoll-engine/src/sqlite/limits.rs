//! The time limits of migrations.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::limits::Limits;

/// How long a commit may wait for readers. Whoever wants to read waits as well, from the moment on that it does.
pub(super) fn longest_commit(limits: Limits) -> Duration {
    match limits.lock {
        None => limits.by_default,
        Some(Duration::ZERO) => Duration::MAX,
        Some(given) => given,
    }
}

/// How many steps of SQLite's machine there are between two looks at the clock: well below a millisecond.
const STEPS: i32 = 10_000;

/// When the statement under way began.
#[derive(Clone)]
pub(super) struct Clock(Arc<Mutex<Instant>>);

impl Clock {
    /// Watches the statements of this connection from now on: one whose time is over is interrupted.
    pub(super) fn watch(connection: &mut Connection, limits: Limits) -> rusqlite::Result<Self> {
        let clock = Self(Arc::new(Mutex::new(Instant::now())));
        if let Some(limit) = limits.statement.filter(|limit| !limit.is_zero()) {
            let clock = clock.clone();
            let is_over = move || clock.0.lock().is_ok_and(|begun| begun.elapsed() >= limit);
            connection.progress_handler(STEPS, Some(is_over))?;
        }
        Ok(clock)
    }

    /// The next statement begins.
    pub(super) fn start(&self) {
        if let Ok(mut begun) = self.0.lock() {
            *begun = Instant::now();
        }
    }
}

/// Nothing is interrupted any more.
pub(super) fn unwatch(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.progress_handler(STEPS, None::<fn() -> bool>)
}
