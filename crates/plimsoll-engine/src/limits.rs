//! Time limits: of the statements of migrations, and of a run as a whole.

use std::time::{Duration, Instant};

use plimsoll_core::{Code, Diagnostic};
use tokio_util::sync::CancellationToken;

use crate::error::{CancelledBy, Error, Kind, Result};
use crate::stopping;

/// How long a statement of a migration may wait and take. What a script sets by itself wins over either.
///
/// Nothing of this is about reading and writing the history, which has limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may wait for a lock; zero is without end. Nothing is `by_default`, but where the database has
    /// a limit that somebody has set, and where a statement that has waited in vain could not be tried again.
    pub lock: Option<Duration>,
    /// How long it may take; zero is without end, whatever the database says. Nothing is what the database says.
    pub statement: Option<Duration>,
    /// How long it waits for a lock if nobody says anything: [`DEFAULT_LOCK_TIMEOUT`], and longer in a try that would cost more
    /// if it waited in vain.
    pub by_default: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lock: None, statement: None, by_default: DEFAULT_LOCK_TIMEOUT }
    }
}

/// How long a statement of a migration waits for a lock if nobody says anything. Whoever wants the same table waits behind it
/// for as long: every query of an application, if what it wants is the table for itself.
pub const DEFAULT_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest that it ever waits if nobody says anything.
const LONGEST_BY_DEFAULT: Duration = Duration::from_mins(1);

impl Limits {
    /// The limits of the next try behind one that took so long and did not get its locks: by default it waits for as long as
    /// the work takes that would be lost, up to a minute. What that one may have waited is no work.
    pub(crate) fn behind(self, took: Duration) -> Self {
        let work = took.saturating_sub(self.by_default);
        Self { by_default: work.clamp(self.by_default, LONGEST_BY_DEFAULT), ..self }
    }

    /// Names the flag in the error of a statement that was cancelled and has taken as long as it says, unless it was by somebody else.
    pub(crate) fn explain(&self, error: Error, by: CancelledBy, took: Duration) -> Error {
        let Some(limit) = self.statement.filter(|limit| !limit.is_zero() && took >= *limit) else {
            return error;
        };
        if error.kind != Kind::Cancelled || by == CancelledBy::Somebody {
            return error;
        }
        let longer = "a statement took longer than `--statement-timeout` allows";
        let or_else = match by {
            CancelledBy::Unknown => ", or somebody has cancelled it, which the database does not tell",
            _ => "",
        };
        let more = "give it more time, or `0` for as long as it takes";
        let help = format!("{longer} ({}){or_else}: {more}", shown(limit));
        Error { diagnostic: Box::new(error.diagnostic.help(help)), ..error }
    }

    /// What is said of a statement that has waited as long for a lock as it may. `own` is what limits it if no flag does.
    pub(crate) fn of_lock(&self, own: &str) -> String {
        let limit = match self.lock {
            Some(given) => format!("`--lock-timeout` ({})", shown(given)),
            None => own.to_owned(),
        };
        format!(
            "{limit} ended its wait for a lock: let it wait longer by `--lock-timeout`, or `0` for as long as it takes"
        )
    }
}

/// A limit as it is given.
pub(crate) fn shown(limit: Duration) -> String {
    match limit.subsec_millis() {
        0 => format!("{} s", limit.as_secs()),
        _ => format!("{} ms", limit.as_millis()),
    }
}

/// A limit in milliseconds, as a server takes it: 0 is none, and what is shorter than one is not.
pub(crate) fn milliseconds(limit: Duration) -> i32 {
    let whole = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    if limit.is_zero() { 0 } else { whole.max(1) }
}

/// When a run has to be over.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    length: Duration,
    at: Instant,
}

impl Deadline {
    /// This long from now on.
    pub fn after(length: Duration) -> Self {
        Self { length, at: Instant::now() + length }
    }

    /// What is left of it.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// When it is.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// The error of work that was stopped by it.
    fn over(&self, stopped: Error) -> Error {
        let Diagnostic { message, help, .. } = *stopped.diagnostic;
        let rest = message.strip_prefix("interrupted").unwrap_or(&message);
        Error::never(self.diagnostic(rest).helps(help))
    }

    /// The error of work that could not even be stopped.
    fn silent(&self) -> Error {
        let help = "what is not committed is rolled back as soon as the database notices that this process is gone; the next \
                    start looks, and carries on or says what to do";
        Error::never(self.diagnostic(", and the database does not answer").help(help))
    }

    fn diagnostic(&self, rest: &str) -> Diagnostic {
        let message = format!("the time of the run (`--timeout`, {}) is over{rest}", shown(self.length));
        Diagnostic::new(Code::TimedOut, message)
    }
}

/// Does the work until it is done or its time is over; then triggers `stop`, and gives the work a moment to end.
///
/// Work that ends well all the same has ended well, and what it says of a migration that failed is not taken from it.
pub(crate) async fn within<T>(
    deadline: Option<Deadline>,
    stop: &CancellationToken,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(deadline) = deadline else { return work.await };
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep_until(deadline.at.into()) => stop.cancel(),
    }
    match tokio::time::timeout(stopping::WORK, work).await {
        Ok(Err(error)) if error.diagnostic.code == Code::Interrupted => Err(deadline.over(error)),
        Ok(done) => done,
        Err(_) => Err(deadline.silent()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_named_only_if_it_may_be_what_cancelled() {
        let limits = Limits { statement: Some(Duration::from_secs(2)), ..Limits::default() };
        let help = |by, took| {
            let cancelled = Error::new(Kind::Cancelled, Diagnostic::new(Code::MigrationFailed, "it failed"));
            limits.explain(cancelled, by, Duration::from_secs(took)).diagnostic.help.concat()
        };
        assert!(help(CancelledBy::Limit, 2).contains("`--statement-timeout` allows (2 s): "));
        assert!(help(CancelledBy::Unknown, 3).contains("allows (2 s), or somebody has cancelled it"));
        assert_eq!(help(CancelledBy::Limit, 1), "", "a limit of the script's own");
        assert_eq!(help(CancelledBy::Somebody, 9), "");
    }

    #[test]
    fn what_ended_a_wait_for_a_lock_is_named() {
        let of = |lock| Limits { lock, ..Limits::default() }.of_lock("the server's own limit");
        assert!(of(Some(Duration::from_millis(300))).starts_with("`--lock-timeout` (300 ms) ended"));
        assert!(of(None).starts_with("the server's own limit ended"));
    }

    #[test]
    fn the_next_try_waits_for_as_long_as_the_last_one_worked() {
        let behind = |took| Limits::default().behind(Duration::from_secs(took)).by_default;
        assert_eq!(behind(5), DEFAULT_LOCK_TIMEOUT, "it has only waited");
        assert_eq!(behind(25), Duration::from_secs(20));
        assert_eq!(behind(12 * 60), LONGEST_BY_DEFAULT);
        let longer = Limits::default().behind(Duration::from_secs(25));
        assert_eq!(longer.behind(Duration::from_secs(30)), longer, "never shorter than before");
    }

    #[test]
    fn a_limit_shorter_than_any_is_not_none() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_micros(1)), 1);
        assert_eq!(milliseconds(Duration::from_hours(24 * 365)), i32::MAX);
    }

    #[tokio::test]
    async fn work_that_hears_nothing_is_left_in_time() {
        let (stop, begun) = (CancellationToken::new(), Instant::now());
        let deadline = Deadline::after(Duration::from_millis(20));
        let error = within(Some(deadline), &stop, std::future::pending::<Result<()>>()).await.unwrap_err();
        // A machine that has much to do takes its time: the last resort is what must not be needed.
        assert!(stop.is_cancelled() && begun.elapsed() < Duration::from_millis(20) + stopping::LAST_RESORT);
        assert_eq!(error.diagnostic.code, Code::TimedOut);
        assert!(
            error
                .diagnostic
                .message
                .contains("(`--timeout`, 20 ms) is over, and the database does not answer")
        );
    }
}
