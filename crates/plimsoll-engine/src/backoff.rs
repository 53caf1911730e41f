//! Pauses that grow, with jitter, so that many runners do not ask at the same moments.

use std::time::Duration;

/// The pauses between tries.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    /// Pauses from about `first` on, each about twice as long as the one before, up to `most`.
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, most }
    }

    /// The next pause at its longest.
    pub(crate) fn next(&self) -> Duration {
        self.next
    }

    /// The next pause: between half and all of the nominal one.
    pub(crate) fn pause(&mut self) -> Duration {
        let nominal = self.next;
        self.next = (nominal * 2).min(self.most);
        nominal.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_most_and_no_further() {
        let mut backoff = Backoff::new(Duration::from_millis(25), Duration::from_secs(1));
        let pauses: Vec<Duration> = (0..20).map(|_| backoff.pause()).collect();
        assert!(pauses[0] <= Duration::from_millis(25));
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(1)));
        assert!(pauses[19] >= Duration::from_millis(500));
    }
}
