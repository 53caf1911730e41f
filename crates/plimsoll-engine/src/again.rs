//! A migration that could not get its locks is tried again: for how long.

use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::options::Options;

/// How often it is tried again, however long its work takes: a script that works for longer than a lock is waited for would
/// otherwise fail at the first lock that it meets, and so would it at every start.
const LEAST: u32 = 2;

/// The tries of one migration.
pub(crate) struct Tries {
    wait: Duration,
    /// How often it is tried again even if the time is over.
    least: u32,
    /// When that is: the waiting begins with the first lock that could not be had, not with the work before it.
    until: Option<Instant>,
    failed: u32,
    backoff: Backoff,
}

impl Tries {
    /// Until the run has to be over, if it has to; otherwise for as long as a lock is waited for.
    pub(crate) fn new(options: &Options) -> Self {
        let until = options.deadline.map(|end| end.at());
        let least = if until.is_some() || options.lock_wait.is_zero() { 0 } else { LEAST };
        let backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        Self { wait: options.lock_wait, least, until, failed: 0, backoff }
    }

    /// How long to pause before the next try; nothing if there is none.
    pub(crate) fn pause(&mut self) -> Option<Duration> {
        let until = *self.until.get_or_insert_with(|| Instant::now() + self.wait);
        let is_due = Instant::now() + self.backoff.next() < until || self.failed < self.least;
        self.failed += 1;
        is_due.then(|| self.backoff.pause())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Deadline;

    fn tries(lock_wait: Duration, deadline: Option<Deadline>) -> Tries {
        Tries::new(&Options { lock_wait, deadline, ..Options::default() })
    }

    #[test]
    fn the_work_before_the_first_lock_is_no_waiting() {
        let mut tries = tries(Duration::from_secs(10), None);
        assert!(tries.until.is_none());
        let met = Instant::now();
        assert!(tries.pause().is_some());
        assert!(tries.until.is_some_and(|until| until >= met + Duration::from_secs(10)));
    }

    #[test]
    fn a_migration_is_tried_again_twice_however_long_it_works() {
        let mut short = tries(Duration::from_nanos(1), None);
        let tried = std::iter::from_fn(|| short.pause()).count();
        assert_eq!(tried, 2);
        assert!(tries(Duration::ZERO, None).pause().is_none(), "nothing is waited for");
        let over = Deadline::after(Duration::ZERO);
        assert!(tries(Duration::from_secs(10), Some(over)).pause().is_none(), "the run is over");
    }
}
