//! The signals that end the program: SIGTERM, which Kubernetes sends, or another one that an image names as its `STOPSIGNAL`;
//! SIGINT and SIGQUIT, which a terminal sends; SIGHUP, when a terminal goes away. As PID 1 too, where a signal without a
//! handler is ignored.
//!
//! Somebody listens at every moment. While there is something to be stopped that is [`Signals`]. Before it listens and after
//! it has listened a signal ends the process at once, inside its handler: there is nothing to be taken back then, and between
//! the last look and the command of `exec` nobody else could hear it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Once, OnceLock};
use std::time::{Duration, Instant};

use plimsoll_engine::{CancellationToken, stopping};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{last_resort, orphans};

const NUMBERS: [i32; 4] = [SIGTERM, SIGINT, SIGQUIT, SIGHUP];

/// Whether a signal ends the process at once.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

static LAST_RESORT: Once = Once::new();

/// When the first signal was heard that stopped some work.
static STOPPED: OnceLock<Instant> = OnceLock::new();

/// When the time of the run is over, if it has an end.
static DEADLINE: OnceLock<Instant> = OnceLock::new();

/// The time of the run is over at this moment, which stops it as a signal does.
pub(crate) fn is_over_at(end: Instant) {
    DEADLINE.get_or_init(|| end);
}

/// How long ago a signal, or the end of its time, has stopped what this process was doing, if one has.
pub(crate) fn since_stopped() -> Option<Duration> {
    let over = DEADLINE.get().and_then(|end| Instant::now().checked_duration_since(*end));
    STOPPED.get().map(Instant::elapsed).max(over)
}

/// Lets each signal end the process, with 128 + its number, until somebody listens. To be called first of all: what comes
/// before it is the kernel's to treat.
pub(crate) fn end_at_once() {
    for number in heard() {
        // Where it fails the kernel's own treatment is left, which ends all processes but the first.
        let _unheard =
            signal_hook::flag::register_conditional_shutdown(number, 128 + number, AT_ONCE.clone());
    }
}

/// A SIGHUP that `nohup` has turned off stays so, for the command of `exec` too.
fn heard() -> impl Iterator<Item = i32> {
    NUMBERS.into_iter().filter(|&number| number != SIGHUP || !is_ignored(number))
}

fn is_ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (number - 1) & 1 == 1)
}

/// How work ended.
pub(crate) enum Ended<T> {
    /// By itself.
    Finished(T),
    /// After this signal; what it returned if it stopped in time.
    Stopped(u8, Option<T>),
}

/// Whoever listens to the signals.
pub(crate) struct Signals {
    /// Without handlers the kernel's own treatment of signals is left, and the database's of lost connections.
    heard: Vec<(i32, Signal)>,
}

impl Signals {
    /// Begins to listen. From here to [`Signals::arrived`] no signal ends the process by itself.
    pub(crate) fn listen() -> Self {
        let listen = |number| Ok((number, signal(SignalKind::from_raw(number))?));
        let heard: io::Result<Vec<_>> = heard().map(listen).collect();
        // Nobody would hear them otherwise.
        AT_ONCE.store(heard.is_err(), Ordering::SeqCst);
        // Once: whoever listens next is heard by the same one. Where there can be no thread, only who reads nothing of what is said
        // can hold the process up.
        LAST_RESORT.call_once(|| {
            let _without = last_resort::stand_by(self::heard());
        });
        Self { heard: heard.unwrap_or_default() }
    }

    /// Does the work. On a signal, triggers `cancel` and gives the work a moment to stop.
    pub(crate) async fn watch<T>(
        &mut self,
        cancel: &CancellationToken,
        work: impl Future<Output = T>,
    ) -> Ended<T> {
        tokio::pin!(work);
        let number = tokio::select! {
            done = &mut work => return Ended::Finished(done),
            number = self.next() => number,
            never = orphans::reap() => match never {},
        };
        STOPPED.get_or_init(Instant::now);
        cancel.cancel();
        Ended::Stopped(number, tokio::time::timeout(stopping::WORK, work).await.ok())
    }

    /// The signal that has arrived and that nobody has seen yet. Does not wait for one: those that come later end the
    /// process at once.
    pub(crate) async fn arrived(mut self) -> Option<u8> {
        AT_ONCE.store(true, Ordering::SeqCst);
        // What the handler noted comes to light when the runtime has looked at its files once more.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            number = self.next() => Some(number),
            () = std::future::ready(()) => None,
        }
    }

    async fn next(&mut self) -> u8 {
        std::future::poll_fn(|context| {
            // All of them are asked, so that each one wakes this task.
            let arrived = self
                .heard
                .iter_mut()
                .filter_map(|(number, signal)| signal.poll_recv(context).is_ready().then_some(*number));
            match arrived.reduce(|first, _| first) {
                Some(number) => std::task::Poll::Ready(u8::try_from(number).unwrap_or(u8::MAX)),
                None => std::task::Poll::Pending,
            }
        })
        .await
    }
}
