//! The seam between the run loop and the kinds of database.
//!
//! A backend knows how to talk to its database and how to put a script and its history row into one transaction. It
//! decides nothing: what to apply and in which order comes from the plan, when to wait and when to give up from the run
//! loop.

use std::time::Duration;

use plimsoll_core::history::{Instant, Progress, Row, Snapshot};
use plimsoll_core::plan::{Plan, Step};
use plimsoll_core::script::How;
use plimsoll_core::{DatabaseMessage, Diagnostic, Migration, Migrations, Script};

use crate::blockers::Witness;
use crate::error::{CancelledBy, Result};
use crate::limits::Limits;

/// One database that can be connected to.
#[expect(async_fn_in_trait, reason = "a run is one task on one thread: no future of it has to be `Send`")]
pub trait Backend {
    /// A connection to it.
    type Session: Session;

    /// Connects once, without waiting for a database that is not up.
    ///
    /// The first read may say [`Snapshot::Exact`] of these migrations, instead of bringing their rows.
    async fn connect(&self, expected: Option<&Migrations>) -> Result<Self::Session>;

    /// Begins to connect, in the background of the runtime, unless there is a reason not to; whether it does. The first
    /// [`connect`](Self::connect) then says what came of it.
    ///
    /// MySQL holds a login that is not gone through with against this host (`max_connect_errors`), and a file needs no time.
    fn begin_to_connect(&self) -> bool {
        false
    }

    /// Creates the database (and nothing in it). An existing one is a success.
    async fn create_database(&self) -> Result<()>;
}

/// Who hears what a session does while it applies a migration.
pub type Tell<'a> = dyn FnMut(Told<'_>) + 'a;

/// What a session does while it applies a migration.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// Something worth a line.
    Note(&'a str),
    /// A script that cannot be one transaction has got to this statement.
    Statement {
        /// The first is 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// The next one of those that are applied together is committed. Nothing for [`Session::apply`] to tell.
    Applied,
}

/// A migration that is to be applied.
#[derive(Clone, Debug)]
pub struct Next<'a> {
    /// What is to be done.
    pub step: &'a Step<'a>,
    /// The id of its history row, if a new one is written.
    pub id: String,
}

/// One connection to one database.
#[expect(async_fn_in_trait, reason = "a run is one task on one thread: no future of it has to be `Send`")]
pub trait Session {
    /// Cancels what the session is doing, from outside.
    type Canceller: Cancel;
    /// Sees from outside what the session waits for.
    type Witness: Witness;
    /// What a database of this kind is that does not answer.
    const SILENCE: Silence = Silence::OF_A_SERVER;

    /// Reads the history, or what tables there are if there is none. Writes nothing.
    async fn read(&mut self) -> Result<Snapshot>;

    /// Tries to take the migration lock, which is held until the session is closed. Never waits inside a statement.
    ///
    /// What the connection is needed for may decide how: it is to carry out this plan, or else only to write rows of the history.
    async fn try_lock(&mut self, plan: Option<&Plan<'_>>) -> Result<Lock>;

    /// Who holds the lock. Asked only where somebody is to be told: it costs more than to try the lock.
    async fn holder(&mut self) -> Result<Option<Holder>>;

    /// How many rows of the history are of migrations that are done: a cheap look between two reads. `None` if only a read tells.
    async fn count_finished(&mut self) -> Result<Option<usize>> {
        Ok(None)
    }

    /// Whether the lock, as it was taken, is good for this plan too. Otherwise it is tried again, for this one.
    fn serves(&self, _plan: &Plan<'_>) -> bool {
        true
    }

    /// Creates the history table. If somebody else has, it is overtaken ([`Kind::Overtaken`](crate::Kind::Overtaken)). Whoever keeps it from
    /// being created is waited for a moment, and never longer.
    async fn create_history(&mut self) -> Result<()>;

    /// Refuses a script that could not be run, before anything is run. The history has been read by then.
    fn check(&self, migration: &Migration, script: &Script) -> std::result::Result<(), Diagnostic>;

    /// Applies one migration, so that its script and its history row are committed together where the database allows. Its
    /// statements keep to the limits.
    ///
    /// If the history is no longer what this session has last read or written, nothing is done
    /// ([`Kind::Overtaken`](crate::Kind::Overtaken)). What happens meanwhile goes to `tell`.
    ///
    /// `id` is the id of the history row, if a new one is written.
    async fn apply(&mut self, step: &Step<'_>, id: &str, limits: Limits, tell: &mut Tell<'_>) -> Result<()>;

    /// How many of these [`apply_together`](Self::apply_together) takes at once, from the first on: at least one.
    fn together(&self, _steps: &[Step<'_>]) -> usize {
        1
    }

    /// Applies the first of these at least, in their order, each as [`apply`](Self::apply) does, and tells [`Told::Applied`] of each when
    /// its row is committed. What is not told to be applied when it returns is left for another call.
    ///
    /// An error is that of the first which was not told to be applied. None behind that one is applied, unless the connection is lost:
    /// then those that were on the way may be, from that one on and without a gap.
    async fn apply_together(&mut self, next: &[Next<'_>], limits: Limits, tell: &mut Tell<'_>) -> Result<()> {
        for next in next {
            self.apply(next.step, &next.id, limits, tell).await?;
            tell(Told::Applied);
        }
        Ok(())
    }

    /// Records an attempt that was rolled back, as a row that does not count: one for each migration and checksum.
    async fn record_failure(&mut self, migration: &Migration, failure: &Diagnostic) -> Result<()>;

    /// Records a migration as applied without running it, and gives up its failed attempts (`resolve --applied`).
    async fn mark_applied(&mut self, migration: &Migration) -> Result<()>;

    /// Gives up failed attempts (`resolve --rolled-back`).
    async fn mark_rolled_back(&mut self, rows: &[&Row]) -> Result<()>;

    /// How a script would be run and why. The history has been read by then.
    fn how(&self, migration: &Migration, script: &Script) -> How;

    /// The texts by which the statements of a script are counted, in order ([`Done`](plimsoll_core::history::Done)). None of a
    /// script that is one transaction with its history row: there is nothing to carry on.
    fn statements(&self, script: &Script) -> Vec<String>;

    /// Has an unfinished attempt carried on by the next run (`resolve --resume`): its row gets this progress, and the checksum
    /// of the migration's script. A row that has been finished or given up meanwhile is left as it is, which is an error.
    async fn mark_resumable(&mut self, row: &Row, migration: &Migration, progress: &Progress) -> Result<()>;

    /// What sees who keeps the statement under way waiting. Nothing is done for it before it is asked.
    fn witness(&self) -> Self::Witness;

    /// What cancels the statement under way.
    fn canceller(&self) -> Self::Canceller;

    /// Who has cancelled a statement ([`Kind::Cancelled`](crate::Kind::Cancelled)) of which the database says this.
    fn cancelled_by(said: &DatabaseMessage) -> CancelledBy;

    /// Ends the session, which frees its lock.
    async fn close(self);
}

/// A database that owes an answer which it has at hand: what the history holds, whether the lock is free.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    /// After how long the connection is taken for lost.
    pub after: Duration,
    /// Who has not answered.
    pub who: &'static str,
    /// Where a person is to look.
    pub look: &'static str,
}

impl Silence {
    /// As long as the network takes to notice a peer that is gone; a proxy that is alive and has lost its server never lets it
    /// notice.
    pub const OF_A_SERVER: Self = Self {
        after: Duration::from_secs(30),
        who: "the database server",
        look: "look what stands between this and the server: a proxy, a firewall",
    };

    /// A library answers as soon as its file does.
    pub const OF_A_FILE: Self = Self {
        who: "the file of the database",
        look: "look at its disk, or the file system of its network; a large journal of a process that died is rolled back first",
        ..Self::OF_A_SERVER
    };
}

/// Cancels what a session is doing.
#[expect(async_fn_in_trait, reason = "a run is one task on one thread: no future of it has to be `Send`")]
pub trait Cancel {
    /// Asks the database to cancel the statement under way. That it succeeds is seen by the statement's own error.
    async fn cancel(&self);
}

/// What came of trying to take the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// It is ours.
    Taken,
    /// Somebody else has it ([`Session::holder`]).
    Held,
}

/// Who holds the lock, as far as the database tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The name that its connection carries.
    pub application: String,
    /// The database's number for its connection; nothing where the database gives none.
    pub connection: Option<String>,
    /// From where it is connected.
    pub address: Option<String>,
    /// Since when it has been connected, by the server's clock (on SQLite: since when it has held the lock).
    pub since: Option<Instant>,
    /// How long ago that was, by the same clock.
    pub connected_for: Option<Duration>,
}
