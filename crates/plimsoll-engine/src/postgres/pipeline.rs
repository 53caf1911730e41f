//! Migrations that are on the way together.
//!
//! Each is one message and one transaction, as alone. It is only sent sooner: up to [`ON_THE_WAY`] of them are, before the first has
//! been answered. The server takes them one after the other, and whatever becomes of one, none behind it is applied without it:
//!
//! * An error in a transaction leaves it open and failed, and all that follows is refused, up to our `ROLLBACK`, which is sent when
//!   every answer is there.
//! * Where no transaction is left open (a message that cannot even be read, a commit that fails) the guard of the next one does not find
//!   the setting `plimsoll.recorded`. It is set in the transaction of the one before, and goes with it.
//! * The same guard fails if the session is another one, as behind a pooler that nobody knew of, if somebody else holds the lock, or
//!   if the migration is recorded already.
//!
//! A runner that is killed leaves up to so many behind: the server carries them out until it notices that nobody hears its answers. Then
//! the session ends, and with it the lock.
//!
//! A script that goes alone looks for its transaction in `pg_locks`; here the same setting tells, for less: it is set for the transaction
//! before the script, and is what it was before if that transaction has ended. Only where it is another one is looked there as well: code
//! can reset it. Why the rest of a message is what it is stands in [`apply`].

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use plimsoll_core::plan::Step;
use plimsoll_core::script::{Atomic, postgres as script};
use plimsoll_core::{Code, Diagnostic, Migration};
use tokio::sync::watch;
use tokio_postgres::Client;

use super::apply::{self, Outcome, TAKE_MARK, Work, lock_guard, record_guard};
use super::limits::{Again, Until};
use super::pooler::Hold;
use super::repeated::{self, FORGET, Prepared, RECORDED};
use super::{PostgresSession, pooler, quiet};
use crate::backend::{Next, Tell, Told};
use crate::error::{Error, Kind, Result};

/// How many messages may be unanswered: so many migrations share a round trip.
const ON_THE_WAY: usize = 8;

/// How many bytes may be unanswered, unless it is one message. A server that works reads nothing meanwhile, and what its system does not
/// take in for it counts as lost after 30 seconds (`tcp_user_timeout`).
const MOST: usize = 32 * 1024;

/// How many go together: before the first is sent, all of them are read, and the history is searched for all of them. The fewer there are, the
/// sooner is it searched for many again where somebody else has written.
const TOGETHER: usize = 256;

/// The longest script that goes with others, in bytes.
const LONGEST: usize = MOST / 4;

/// How many of these can go together, from the first on; at least one.
pub(super) fn together(session: &PostgresSession, steps: &[Step<'_>]) -> usize {
    let can_any = session.hold == Some(Hold::Session)
        && !pooler::is_there(session)
        && session.facts.standard_strings
        && session.paused.is_none();
    if !can_any {
        return 1;
    }
    let can = |step: &&Step<'_>| step.resume.is_none() && plain(step.migration).is_some();
    steps.iter().take(TOGETHER).take_while(can).count().max(1)
}

/// The script of a migration that needs nothing but its transaction, and leaves nothing in its session.
fn plain(migration: &Migration) -> Option<Atomic<'_>> {
    let text = migration.script().ok()?.text();
    if text.len() <= LONGEST { script::plain(text) } else { None }
}

/// Applies some that can go together, in their order. Behind the first that fails, none is applied; one that cannot be a transaction is
/// applied by itself, and those behind it are left.
pub(super) async fn apply_together(
    session: &mut PostgresSession,
    next: &[Next<'_>],
    tell: &mut Tell<'_>,
) -> Result<()> {
    let several = Several::begin(&session.several);
    let names: Vec<_> = next.iter().map(|next| next.step.migration.name()).collect();
    let quiet = quiet::next_transaction(session, &names).await?;
    let sent = send(session, next, quiet, tell).await;
    drop(several);
    let Err(Failed { next, frame, error }) = sent else { return Ok(()) };
    // The transaction may still be open, and failed. If the connection is gone, so is the transaction.
    let _gone = session.client.batch_execute(&format!("ROLLBACK;{FORGET}")).await;
    match outcome(session, next, &frame, &error).await {
        Outcome::Failed(error) => Err(error),
        // It was rolled back.
        Outcome::NeedsOtherWay(_) if session.stop.is_cancelled() => Err(Error::new(
            Kind::Cancelled,
            Diagnostic::new(Code::Interrupted, "it was to be run in another way"),
        )),
        Outcome::NeedsOtherWay(found) => {
            if repeated::is_about_prepared(&found) {
                let (name, why) = (next.step.migration.name(), found.message());
                tell(Told::Note(&format!("`{name}` was rolled back ({why}): it goes alone")));
            }
            apply::apply(session, next.step, &next.id, tell).await?;
            tell(Told::Applied);
            Ok(())
        }
    }
}

/// Says that several are on the way, for as long as it is there.
struct Several(watch::Sender<bool>);

impl Several {
    fn begin(told: &watch::Sender<bool>) -> Self {
        told.send_replace(true);
        Self(told.clone())
    }
}

impl Drop for Several {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

/// The first that failed.
struct Failed<'a> {
    next: &'a Next<'a>,
    frame: Frame<'a>,
    error: tokio_postgres::Error,
}

/// Sends them until one fails, or somebody asks to stop, and returns when all that was sent has been answered.
///
/// `quiet` is the number of the next transaction that writes, if none of these was recorded then.
async fn send<'a>(
    session: &PostgresSession,
    next: &'a [Next<'a>],
    quiet: Option<u64>,
    tell: &mut Tell<'_>,
) -> std::result::Result<(), Failed<'a>> {
    let prepared = Prepared::of(session);
    let frame = |(number, one): (usize, &'a Next<'a>)| {
        let guards = match number.checked_sub(1).map(|before| &next[before]) {
            None => first_guards(session, one),
            Some(before) => guards_behind(before, one, quiet_at(quiet, number).as_deref()),
        };
        let end = if number + 1 == next.len() { FORGET } else { "" };
        Some((one, Frame::of(session, one, &Around { guards, least: prepared.longest(), end })?))
    };
    let mut frames = next.iter().enumerate().map_while(frame).peekable();
    let (mut way, mut failed) = (Way::new(&session.client), None);
    for message in prepared.messages() {
        way.send(None, message.clone()).await;
    }
    loop {
        while failed.is_none()
            && !session.stop.is_cancelled()
            && let Some((_, frame)) = frames.peek()
            && way.has_room(frame.message.len())
            && let Some((next, mut frame)) = frames.next()
        {
            let message = std::mem::take(&mut frame.message);
            way.send(Some((next, frame)), message).await;
        }
        let Some((sent, answer)) = way.answer().await else { break };
        // What has not been prepared is missed by whoever needs it.
        let Some((next, frame)) = sent else { continue };
        match (answer, &failed) {
            (Ok(()), None) => tell(Told::Applied),
            (Err(error), None) => failed = Some(Failed { next, frame, error }),
            // The server has refused it, since the one before it is not recorded.
            (Err(_), Some(_)) => {}
            (Ok(()), Some(_)) => unreachable!("the guard of `{}` has failed", next.step.migration.name()),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// What the server says at the `n`th if nobody else has written. The first is searched for in any case: behind it the number has to have
/// moved.
fn quiet_at(quiet: Option<u64>, n: usize) -> Option<String> {
    let committed = u64::try_from(n).ok().filter(|n| *n > 0)?;
    Some(quiet::expected_snapshot(quiet?, committed))
}

/// What became of the first that failed.
async fn outcome(
    session: &PostgresSession,
    next: &Next<'_>,
    frame: &Frame<'_>,
    error: &tokio_postgres::Error,
) -> Outcome {
    let Ok(script) = next.step.migration.script() else { return Outcome::Failed(session.error(error)) };
    if let Some(found) = error.as_db_error().filter(|found| repeated::is_about_prepared(found)) {
        return Outcome::NeedsOtherWay(Box::new(found.clone()));
    }
    let work = Work { migration: next.step.migration, script, id: &next.id };
    apply::sort(session, &work, &frame.atomic.body, error, frame.before).await
}

/// The answer to a message that has been sent.
enum Answer<'a> {
    /// It is there already: an error.
    Here(Answered),
    Awaited(Pin<Box<dyn Future<Output = Answered> + 'a>>),
}

type Answered = std::result::Result<(), tokio_postgres::Error>;

/// Messages that have been sent and not answered, in their order, with what they are.
struct Way<'a, T> {
    client: &'a Client,
    sent: VecDeque<(T, usize, Answer<'a>)>,
}

impl<'a, T> Way<'a, T> {
    fn new(client: &'a Client) -> Self {
        Self { client, sent: VecDeque::with_capacity(ON_THE_WAY) }
    }

    /// Whether a message of so many bytes may be sent behind those that are on the way.
    fn has_room(&self, bytes: usize) -> bool {
        let sent: usize = self.sent.iter().map(|(_, bytes, _)| bytes).sum();
        self.sent.is_empty() || (self.sent.len() < ON_THE_WAY && sent + bytes <= MOST)
    }

    /// Sends one more. The driver does so when its answer is first asked for.
    async fn send(&mut self, what: T, message: String) {
        let (client, bytes) = (self.client, message.len());
        let mut answer: Pin<Box<dyn Future<Output = Answered> + 'a>> =
            Box::pin(async move { client.batch_execute(&message).await });
        let answer = match poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await {
            Poll::Ready(answered) => Answer::Here(answered),
            Poll::Pending => Answer::Awaited(answer),
        };
        self.sent.push_back((what, bytes, answer));
    }

    /// Waits for the answer to the first; nothing if none is on the way.
    async fn answer(&mut self) -> Option<(T, Answered)> {
        let (what, _, answer) = self.sent.pop_front()?;
        let answered = match answer {
            Answer::Here(answered) => answered,
            Answer::Awaited(answer) => answer.await,
        };
        Some((what, answered))
    }
}

/// One migration as it is sent.
struct Frame<'a> {
    atomic: Atomic<'a>,
    /// How many characters stand before the script.
    before: usize,
    message: String,
}

impl<'a> Frame<'a> {
    fn of(session: &PostgresSession, next: &'a Next<'a>, around: &Around) -> Option<Self> {
        let Around { guards, least, end } = around;
        let migration = next.step.migration;
        let (script, atomic) = (migration.script().ok()?, plain(migration)?);
        let limits = session.limits(Until::Commit, Again::Yes);
        let opening = format!("BEGIN;{limits}{guards}SET LOCAL {RECORDED} = '{}';", next.id);
        let opening = format!("{opening:least$}\n");
        let message = format!(
            "{opening}{}\n;SET CONSTRAINTS ALL IMMEDIATE;{}{}{limits}{}{end}SET {RECORDED} = '{}';COMMIT",
            atomic.body,
            repeated::check_ours(&next.id),
            session.reset_but_prepared(),
            repeated::insert_row(&Work { migration, script, id: &next.id }),
            next.id,
        );
        Some(Self { before: opening.chars().count(), atomic, message })
    }
}

/// What of a frame is another one for each.
struct Around {
    guards: String,
    /// How many characters stand before the script at least.
    least: usize,
    end: &'static str,
}

/// The guards of the first of those that go together: the lock is there, and it is not recorded.
fn first_guards(session: &PostgresSession, next: &Next<'_>) -> String {
    format!("{}{}{TAKE_MARK}", lock_guard(), record_guard(session, next.step.migration))
}

/// Those of one behind another. `quiet` is what the server says of its transactions if nobody else has written.
///
/// Two statements: where each has a snapshot of its own, what the lock protects is looked for with one that is younger than it.
fn guards_behind(before: &Next<'_>, next: &Next<'_>, quiet: Option<&str>) -> String {
    format!("{}{}", repeated::check_turn(&before.id), repeated::check_new(next.step.migration.name(), quiet))
}

#[cfg(test)]
mod tests {
    use plimsoll_testkit::server::{Version, postgres};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio_postgres::{Config, NoTls};

    use super::super::error::ENDED;
    use super::super::link::Link;
    use super::*;

    /// "You are in", "say what you want".
    const GREETING: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    /// "Nothing to do", "say what you want".
    const ANSWER: &[u8] = b"I\0\0\0\x04Z\0\0\0\x05I";

    /// Reads one query.
    async fn query(server: &mut DuplexStream) -> String {
        assert_eq!(server.read_u8().await.unwrap(), b'Q');
        let length = usize::try_from(server.read_u32().await.unwrap()).unwrap() - 4;
        let mut text = vec![0; length];
        server.read_exact(&mut text).await.unwrap();
        String::from_utf8(text).unwrap().trim_end_matches('\0').to_owned()
    }

    /// A server that says nothing before it has read all that is there to be read.
    #[tokio::test]
    async fn eight_are_on_the_way_before_the_first_is_answered() {
        let (ours, mut server) = tokio::io::duplex(1 << 16);
        server.write_all(GREETING).await.unwrap();
        let mut config = Config::new();
        config.user("u");
        // It greets us before we have said who we are.
        let (client, connection) = config.connect_raw(ours, NoTls).await.unwrap();
        let link = Link::of(client, connection);
        let length = server.read_u32().await.unwrap() - 4;
        server.read_exact(&mut vec![0; usize::try_from(length).unwrap()]).await.unwrap();
        let mut way = Way::new(&link.client);
        let mut number = 0;
        while way.has_room(1) {
            number += 1;
            way.send(number, number.to_string()).await;
        }
        assert_eq!(number, 8);
        for sent in 1..=number {
            assert_eq!(query(&mut server).await, sent.to_string());
        }
        for sent in 1..=number {
            server.write_all(ANSWER).await.unwrap();
            let (what, answer) = way.answer().await.expect("it is on the way");
            assert!(what == sent && answer.is_ok() && way.has_room(1));
        }
        assert!(way.has_room(2 * MOST), "one that is alone may be as long as it likes");
        way.send(0, " ".repeat(MOST - 1)).await;
        assert!(way.has_room(1) && !way.has_room(2));
        query(&mut server).await;
        server.write_all(ANSWER).await.unwrap();
        way.answer().await.expect("it is on the way").1.unwrap();
        assert!(way.answer().await.is_none());
    }

    /// Whatever the script does behind it: an end that is met with another error would be told as the script's own.
    #[tokio::test]
    async fn the_end_of_a_transaction_is_seen_by_its_setting() {
        for version in Version::ALL {
            let database = postgres(version).database().await;
            let connection = database.connect().await;
            let framed = |script| {
                format!(
                    "BEGIN;SET LOCAL {RECORDED} = 'us';{script};{}SET {RECORDED} = 'us';COMMIT",
                    repeated::still_ours("'us'")
                )
            };
            for before in ["SELECT 1", "SET plimsoll.recorded = 'before us'"] {
                for ends in
                    ["COMMIT", "ROLLBACK", "COMMIT;SELECT 1", "COMMIT;BEGIN", "ROLLBACK;BEGIN;SELECT 1"]
                {
                    connection.batch_execute(&format!("RESET ALL;{before}")).await.unwrap();
                    let failure = connection.batch_execute(&framed(ends)).await.expect_err(ends);
                    let said = failure.as_db_error().expect("the server says so").message();
                    assert!(said.contains(ENDED), "{version:?}: {ends}: {said}");
                    connection.batch_execute("ROLLBACK").await.unwrap();
                }
                for stays in ["SELECT 1", "SAVEPOINT other;ROLLBACK TO other", "DO $$ BEGIN NULL; END $$"] {
                    connection.batch_execute(&framed(stays)).await.unwrap();
                }
            }
        }
    }
}
