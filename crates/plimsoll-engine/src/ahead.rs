//! Waiting while the database is ahead of the project: a pod of the old release, late or rolled back to, under
//! `--if-ahead=wait`.
//!
//! Between two looks there is neither a lock nor a connection: the pods of the newer release must not be held up by those
//! that wait for them to take over.

use std::time::{Duration, Instant};

use plimsoll_core::Report;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::cancel::sleep;
use crate::error::Result;
use crate::event::{Event, Observe};
use crate::lock::REMINDER;

/// How long a database that is ahead is waited for.
pub(crate) struct Ahead {
    length: Duration,
    since: Option<Instant>,
    said: Option<Instant>,
    backoff: Backoff,
}

impl Ahead {
    /// Waits for this long, from the first look that found it ahead.
    pub(crate) fn new(length: Duration) -> Self {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(3));
        Self { length, since: None, said: None, backoff }
    }

    /// Whether there is time for another look.
    pub(crate) fn has_time(&mut self) -> bool {
        self.since.get_or_insert_with(Instant::now).elapsed() < self.length
    }

    /// Sleeps until the next look, and says why.
    pub(crate) async fn pause(
        &mut self,
        report: &Report,
        observer: &mut dyn Observe,
        cancel: &CancellationToken,
    ) -> Result<()> {
        if self.said.is_none_or(|at| at.elapsed() >= REMINDER) {
            self.said = Some(Instant::now());
            let (names, unfinished) = (report.ahead.as_slice(), report.unfinished.as_slice());
            observer.see(Event::Ahead { names, unfinished, at_most: self.length });
        }
        let left = self.since.map_or(self.length, |since| self.length.saturating_sub(since.elapsed()));
        sleep(self.backoff.pause().min(left), cancel).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often it was said that a database that is ahead is waited for.
    struct Said(usize);

    impl Observe for Said {
        fn see(&mut self, event: Event<'_>) {
            self.0 += usize::from(matches!(event, Event::Ahead { .. }));
        }
    }

    /// Pauses three times, the first of them so long after the last word.
    async fn said_after(silence: Option<Duration>) -> usize {
        let said = silence.map(|silence| Instant::now().checked_sub(silence).expect("the machine is older"));
        let mut ahead = Ahead { said, ..Ahead::new(Duration::from_mins(10)) };
        let (mut said, cancel) = (Said(0), CancellationToken::new());
        // Whoever is interrupted does not sleep.
        cancel.cancel();
        for _ in 0..3 {
            let pause = ahead.pause(&Report::default(), &mut said, &cancel).await;
            assert_eq!(
                pause.expect_err("it was interrupted").diagnostic.code,
                plimsoll_core::Code::Interrupted
            );
        }
        said.0
    }

    #[tokio::test]
    async fn who_waits_says_so_at_first_and_again_after_thirty_seconds() {
        assert_eq!(said_after(None).await, 1);
        assert_eq!(said_after(Some(Duration::from_secs(25))).await, 0);
        assert_eq!(said_after(Some(Duration::from_secs(30))).await, 1);
    }
}
