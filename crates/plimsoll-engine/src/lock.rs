//! Waiting for another runner: the lock is tried, then slept on, then tried again.
//!
//! It is never waited for inside a statement. A statement that waits holds a snapshot, for which the holder's `CREATE
//! INDEX CONCURRENTLY` waits in turn: that is the deadlock of every tool that blocks on an advisory lock.

mod pauses;

use std::time::{Duration, Instant};

use plimsoll_core::history::Snapshot;
use plimsoll_core::plan::Plan;
use plimsoll_core::{Code, Diagnostic};
use tokio_util::sync::CancellationToken;

use crate::backend::{Holder, Lock, Session, Silence};
use crate::cancel::{interrupted, sleep};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Observe};
use crate::limits::shown;
use pauses::Pauses;

/// How often a waiting runner says for whom it is waiting.
pub(crate) const REMINDER: Duration = Duration::from_secs(30);

/// Waits for an answer that every database has at hand, and takes the connection for lost if there is none.
async fn answered<S: Session, T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(S::SILENCE.after, asked).await.unwrap_or_else(|_| Err(silent(S::SILENCE)))
}

fn silent(Silence { after, who, look }: Silence) -> Error {
    let message = format!("{who} has not answered for {}", shown(after));
    Error::new(Kind::Lost, Diagnostic::new(Code::ConnectionLost, message).help(look))
}

/// What has to be true of the history for a waiter to leave without the lock.
pub(crate) struct Goal<'a> {
    /// It is not while fewer of its rows than these are of migrations that are done: a waiter counts them, and does not read.
    pub(crate) least: usize,
    /// Whether it is.
    pub(crate) is_done: &'a dyn Fn(&Snapshot) -> bool,
}

/// Takes the lock, unless the work turns out to be done by then: as this history says.
///
/// Between two tries the migrations that are done are counted. The history is read only once they may be all: of many who wait, each
/// would read all of it again and again, on the server that one of them wants to have for its work.
pub(crate) async fn take<S: Session>(
    session: &mut S,
    plan: Option<&Plan<'_>>,
    wait: Duration,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
    goal: Option<Goal<'_>>,
) -> Result<Option<Snapshot>> {
    let (begun, mut waiting) = (Instant::now(), Waiting::default());
    let mut pauses = Pauses::new(goal.as_ref().map(|goal| goal.least));
    observer.see(Event::Locking);
    while answered::<S, _>(session.try_lock(plan)).await? == Lock::Held {
        let waited = begun.elapsed();
        let is_over = waited >= wait;
        if is_over || waiting.is_to_ask(waited) {
            waiting.ask(session, observer, waited).await?;
        }
        if is_over {
            return Err(timed_out(waiting.holder.as_ref()));
        }
        sleep(pauses.next(waited).min(wait.saturating_sub(waited)), cancel).await?;
        let Some(goal) = &goal else { continue };
        // It only reads: nobody has to wait for its end, nor to ask a server to end it, which might end what somebody else says by then.
        let looking = look(session, goal, |finished| pauses.seen(begun.elapsed(), finished));
        let seen = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(interrupted()),
            seen = looking => seen?,
        };
        if seen.is_some() {
            return Ok(seen);
        }
    }
    observer.see(Event::Locked);
    Ok(None)
}

/// The history, if it says that the work is done. `count` gets to know how many migrations are.
async fn look<S: Session>(
    session: &mut S,
    goal: &Goal<'_>,
    count: impl FnOnce(Option<usize>),
) -> Result<Option<Snapshot>> {
    let finished = answered::<S, _>(session.count_finished()).await?;
    count(finished);
    if finished.is_some_and(|finished| finished < goal.least) {
        return Ok(None);
    }
    match answered::<S, _>(session.read()).await {
        Ok(seen) if (goal.is_done)(&seen) => Ok(Some(seen)),
        // Somebody has locked the history itself: the next look is soon enough.
        Err(error) if error.kind != Kind::Busy => Err(error),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// How long a wait may be of which nothing is said. To know the holder costs a server more than all else that a waiter asks, and
/// where many start at once most have waited by then.
const QUIET: Duration = Duration::from_secs(1);

/// How soon the holder may be asked for again: it may be another one by then.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// What a waiter knows of the holder, and when it has asked and spoken: as times since it began to wait.
#[derive(Default)]
struct Waiting {
    asked: Option<Duration>,
    said: Option<Duration>,
    holder: Option<Holder>,
}

impl Waiting {
    fn is_to_ask(&self, waited: Duration) -> bool {
        waited >= QUIET && self.asked.is_none_or(|at| waited >= at + ASK_AGAIN)
    }

    /// Whether this is to be said: at first, when the holder is another one, and now and then.
    fn is_news(&self, holder: Option<&Holder>, waited: Duration) -> bool {
        self.said.is_none_or(|at| waited >= at + REMINDER) || who(holder) != who(self.holder.as_ref())
    }

    async fn ask<S: Session>(
        &mut self,
        session: &mut S,
        observer: &mut dyn Observe,
        waited: Duration,
    ) -> Result<()> {
        let holder = answered::<S, _>(session.holder()).await?;
        self.asked = Some(waited);
        if self.is_news(holder.as_ref(), waited) {
            observer.see(Event::WaitingForLock { holder: holder.as_ref() });
            self.said = self.asked;
        }
        self.holder = holder;
        Ok(())
    }
}

/// What tells one holder from another: its name and the number of its connection.
fn who(holder: Option<&Holder>) -> Option<(&str, Option<&str>)> {
    holder.map(|holder| (holder.application.as_str(), holder.connection.as_deref()))
}

/// Reads the history, waiting while another process keeps the database, or the history, to itself.
pub(crate) async fn read<S: Session>(
    session: &mut S,
    patience: &mut Patience,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> Result<Snapshot> {
    loop {
        match answered::<S, _>(session.read()).await {
            Err(error) if error.kind == Kind::Busy => patience.pause(&error, observer, cancel).await?,
            read => return read,
        }
    }
}

/// How long somebody who keeps the database to himself is waited for.
pub(crate) struct Patience {
    length: Duration,
    since: Option<Instant>,
    said: Option<Instant>,
}

impl Patience {
    /// Waits for this long, from the first pause on.
    pub(crate) fn new(length: Duration) -> Self {
        Self { length, since: None, said: None }
    }

    /// The waiting began at this moment, if it had not begun before: inside of an attempt that has just been given up.
    pub(crate) fn began(&mut self, at: Instant) -> &mut Self {
        self.since.get_or_insert(at);
        self
    }

    /// Sleeps a little because of `busy`, which is the error once the time is over. Says so at first, and every 30 seconds.
    pub(crate) async fn pause(
        &mut self,
        busy: &Error,
        observer: &mut dyn Observe,
        cancel: &CancellationToken,
    ) -> Result<()> {
        if self.said.is_none_or(|at| at.elapsed() >= REMINDER) {
            self.said = Some(Instant::now());
            observer.see(Event::WaitingForLock { holder: None });
        }
        if self.since.get_or_insert_with(Instant::now).elapsed() >= self.length {
            return Err(busy.clone());
        }
        sleep(Duration::from_millis(fastrand::u64(20..200)), cancel).await
    }
}

fn timed_out(holder: Option<&Holder>) -> Error {
    let by = holder.map_or_else(String::new, |holder| format!(" by {}", describe(holder)));
    Error::never(
        Diagnostic::new(
            Code::LockTimeout,
            format!("Timed out trying to acquire the migration lock, which is held{by}"),
        )
        .help("let the holder finish, or end it if it is stuck: the lock is freed with its connection")
        .help("then start again, or wait longer with `--lock-wait`"),
    )
}

/// A holder in the words that people see.
pub fn describe(holder: &Holder) -> String {
    let name = if holder.application.is_empty() { "an unnamed client" } else { &holder.application };
    let from = holder.address.as_deref().map_or_else(String::new, |address| format!(" from {address}"));
    // Of another role's connection PostgreSQL shows the number and the name alone.
    let known = [
        holder.connection.as_deref().map(|number| format!("connection {number}{from}")),
        holder.since.map(|since| format!("since {}", since.to_the_second())),
        holder.connected_for.map(|length| format!("for {} s", length.as_secs())),
    ];
    let known = known.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if known.is_empty() { format!("`{name}`") } else { format!("`{name}` ({known})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_answer_is_not_called_a_server() {
        let said = |silence| {
            let diagnostic = silent(silence).diagnostic;
            format!("{diagnostic}: {}", diagnostic.help.join(""))
        };
        assert!(said(Silence::OF_A_SERVER).contains("the database server has not answered for 30 s"));
        let of_a_file = said(Silence::OF_A_FILE);
        assert!(of_a_file.contains("the file of the database has not answered for 30 s"), "{of_a_file}");
        assert!(!of_a_file.contains("server") && !of_a_file.contains("proxy"), "{of_a_file}");
    }

    const fn seconds(length: u64) -> Duration {
        Duration::from_secs(length)
    }

    fn holder(connection: &str) -> Holder {
        Holder {
            application: "plimsoll".into(),
            connection: Some(connection.into()),
            address: None,
            since: None,
            connected_for: None,
        }
    }

    #[test]
    fn the_holder_is_asked_for_after_a_second_and_every_five() {
        let mut waiting = Waiting::default();
        assert!(!waiting.is_to_ask(Duration::from_millis(999)) && waiting.is_to_ask(seconds(1)));
        waiting.asked = Some(seconds(1));
        assert!(!waiting.is_to_ask(Duration::from_millis(5999)) && waiting.is_to_ask(seconds(6)));
    }

    #[test]
    fn who_is_waited_for_is_said_at_first_for_another_holder_and_every_thirty_seconds() {
        let mut waiting = Waiting::default();
        assert!(waiting.is_news(None, seconds(1)));
        waiting.said = Some(seconds(1));
        waiting.holder = Some(holder("7"));
        assert!(
            !waiting.is_news(Some(&holder("7")), seconds(30))
                && waiting.is_news(Some(&holder("7")), seconds(31))
        );
        assert!(waiting.is_news(Some(&holder("8")), seconds(2)) && waiting.is_news(None, seconds(2)));
    }
}
