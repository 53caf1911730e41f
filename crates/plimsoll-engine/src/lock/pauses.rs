//! How long a waiter pauses between two looks.
//!
//! What many look at costs whoever works: a hundred waiters that ask every 25 ms keep a server busy. So a waiter looks ever less often the
//! longer it waits, and more often towards the end, which it foresees from how fast the history grows.

use std::time::Duration;

/// No pause is longer: nobody may be kept waiting for much longer than the work takes, or than somebody is dead.
const LONGEST: Duration = Duration::from_secs(1);

/// No nominal pause is shorter.
const SHORTEST: Duration = Duration::from_millis(25);

/// Nor is one shorter than this part of the wait so far: who has waited for long does not mind that much more.
const PART: u32 = 16;

/// The pauses of one waiter.
#[derive(Debug)]
pub(super) struct Pauses {
    goal: Option<usize>,
    /// How many migrations were done, and when; nothing if that is not known.
    last: Option<(Duration, usize)>,
    /// How long it takes until the goal, as far as the last two looks tell.
    until_goal: Option<Duration>,
}

impl Pauses {
    /// The pauses of one who waits for so many migrations to be done, or for the lock alone.
    pub(super) fn new(goal: Option<usize>) -> Self {
        Self { goal, last: None, until_goal: None }
    }

    /// So many migrations were done, at this time since the waiting began; nothing if that is not known.
    pub(super) fn seen(&mut self, at: Duration, finished: Option<usize>) {
        self.until_goal = self.last.zip(finished).and_then(|((begun, before), finished)| {
            let grown = finished.checked_sub(before)?;
            let each = at.saturating_sub(begun).checked_div(u32::try_from(grown).ok()?)?;
            // Where as many are done and the goal is not reached, some are no part of it: it cannot be said how many.
            let missing = self.goal?.checked_sub(finished).filter(|missing| *missing > 0)?;
            Some(each.saturating_mul(u32::try_from(missing).unwrap_or(u32::MAX)))
        });
        self.last = finished.map(|finished| (at, finished));
    }

    /// The next pause, after so much waiting: with jitter, so that many do not look at the same moments.
    pub(super) fn next(&self, waited: Duration) -> Duration {
        self.nominal(waited).mul_f64(fastrand::f64().mul_add(0.5, 0.5))
    }

    /// The next pause at its longest: until the end that is foreseen, and no longer than half of the wait so far.
    fn nominal(&self, waited: Duration) -> Duration {
        let shortest = (waited / PART).clamp(SHORTEST, LONGEST);
        self.until_goal.unwrap_or(LONGEST).min(waited / 2).clamp(shortest, LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(length: u64) -> Duration {
        Duration::from_millis(length)
    }

    #[test]
    fn pauses_grow_with_the_wait_to_the_most_and_no_further() {
        let mut pauses = Pauses::new(Some(1));
        let (mut waited, mut looks) = (Duration::ZERO, 0);
        while waited < ms(10_000) {
            let next = pauses.next(waited);
            assert!(next <= LONGEST.min((waited / 2).max(SHORTEST)), "{next:?} after {waited:?}");
            (waited, looks) = (waited + next, looks + 1);
            pauses.seen(waited, Some(0));
        }
        assert!(looks < 40, "{looks} looks in ten seconds");
    }

    #[test]
    fn however_long_the_wait_and_the_work_no_pause_is_longer_than_a_second() {
        let mut pauses = Pauses::new(Some(1_000_000));
        pauses.seen(ms(3_600_000), Some(1));
        pauses.seen(ms(7_200_000), Some(2));
        assert_eq!(pauses.nominal(ms(7_200_000)), ms(1000));
    }

    #[test]
    fn an_end_that_is_foreseen_is_not_slept_through() {
        let mut pauses = Pauses::new(Some(110));
        pauses.seen(ms(1000), Some(10));
        assert_eq!(pauses.nominal(ms(1000)), ms(500));
        // Ten in 100 ms: the last thirty take 300 ms.
        pauses.seen(ms(1100), Some(20));
        pauses.seen(ms(1700), Some(80));
        assert_eq!(pauses.nominal(ms(1700)), ms(300));
        pauses.seen(ms(1920), Some(109));
        assert_eq!(pauses.nominal(ms(1920)), ms(120), "it is not looked at every few milliseconds then");
        // As many are done, and some of them are no part of the goal.
        pauses.seen(ms(1980), Some(110));
        assert_eq!(pauses.nominal(ms(2000)), LONGEST);
        // Somebody works at a long one, or gave one up.
        pauses.seen(ms(1990), Some(109));
        pauses.seen(ms(2000), Some(109));
        assert_eq!(pauses.nominal(ms(3000)), LONGEST);
    }

    #[test]
    fn of_a_history_that_cannot_be_counted_no_end_is_foreseen() {
        let mut pauses = Pauses::new(Some(3));
        pauses.seen(ms(1900), Some(1));
        pauses.seen(ms(1950), None);
        pauses.seen(ms(2000), Some(2));
        assert_eq!(pauses.nominal(ms(2000)), LONGEST);
    }
}
