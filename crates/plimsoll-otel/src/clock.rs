//! The time of a run: the wall's at its begin, and from there on one that never goes backwards.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells nanoseconds since 1970, as OTLP counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    wall: u64,
    begun: Instant,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { wall: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX), begun: Instant::now() }
    }

    /// When it began.
    pub(crate) fn begun(self) -> u64 {
        self.wall
    }

    /// Now.
    pub(crate) fn now(self) -> u64 {
        let since = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.wall.saturating_add(since)
    }
}
