//! Waiting for another runner: the lock is tried, then slept on, then tried again.
//!
//! It is never waited for inside a statement. A statement that waits holds a snapshot, for which the holder's `CREATE
//! INDEX CONCURRENTLY` waits in turn: that is the deadlock of every tool that blocks on an advisory lock.

use std::time::{Duration, Instant};

use plimsoll_core::history::Snapshot;
use plimsoll_core::plan::Plan;
use plimsoll_core::{Code, Diagnostic};
use tokio_util::sync::CancellationToken;

use crate::backend::{Holder, Lock, Session, Silence};
use crate::backoff::Backoff;
use crate::cancel::sleep;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Observe};
use crate::limits::shown;

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

/// What tells one holder from another: its name and the number of its connection.
type Who = (String, Option<String>);

/// Takes the lock, unless the work turns out to be done by then: true if it was taken.
pub(crate) async fn take<S: Session>(
    session: &mut S,
    plan: Option<&Plan<'_>>,
    wait: Duration,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
    is_done: impl Fn(&Snapshot) -> bool,
) -> Result<bool> {
    let deadline = Instant::now() + wait;
    let mut backoff = Backoff::new(Duration::from_millis(25), Duration::from_secs(1));
    let mut said: Option<(Instant, Option<Who>)> = None;
    observer.see(Event::Locking);
    loop {
        let Lock::HeldBy(holder) = answered::<S, _>(session.try_lock(plan)).await? else {
            observer.see(Event::Locked);
            return Ok(true);
        };
        let who = holder.as_ref().map(|holder| (holder.application.clone(), holder.connection.clone()));
        if said.as_ref().is_none_or(|(at, whom)| at.elapsed() >= REMINDER || *whom != who) {
            observer.see(Event::WaitingForLock { holder: holder.as_ref() });
            said = Some((Instant::now(), who));
        }
        if Instant::now() >= deadline {
            return Err(timed_out(holder.as_ref()));
        }
        sleep(backoff.pause(), cancel).await?;
        match answered::<S, _>(session.read()).await {
            Ok(seen) if is_done(&seen) => return Ok(false),
            // Somebody has locked the history itself: the next look is soon enough.
            Err(error) if error.kind != Kind::Busy => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
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
}
