//! SQLite.
//!
//! The library blocks, so that each call runs on a thread made for that and can be interrupted from outside. A
//! run holds a lock of its own beside the file; each migration is one `BEGIN IMMEDIATE` all the same, inside of which the history
//! is read again, so that what Prisma writes meanwhile is noticed and the plan made anew.

mod apply;
mod error;
mod errors;
mod history;
mod limits;
mod lock;
mod seen;
mod temporary;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll_core::history::{Progress, Row, Snapshot};
use plimsoll_core::plan::{Plan, Step};
use plimsoll_core::script::How;
use plimsoll_core::script::{Shape, sqlite as script};
use plimsoll_core::url::SqliteUrl;
use plimsoll_core::{Code, DatabaseMessage, Diagnostic, Migration, Migrations, Script};
use rusqlite::{Connection, InterruptHandle, OpenFlags};

use self::lock::{RunLock, Tried};
use self::seen::Seen;
use crate::backend::{Backend, Cancel, Holder, Lock, Session, Silence, Tell};
use crate::blockers::{Blocker, Witness};
use crate::error::{CancelledBy, Error, Kind, Result};
use crate::limits::Limits;

pub use errors::ERRORS;

/// A SQLite database.
pub struct Sqlite {
    path: PathBuf,
    shown: String,
    runner: String,
    external_tables: Vec<String>,
    access: Access,
}

/// What a connection is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl Sqlite {
    /// A database in the file of this URL. `runner` names this process in the history's logs; `external_tables` belong
    /// to somebody else and do not make a database count as not empty.
    pub fn new(url: SqliteUrl, runner: &str, external_tables: Vec<String>) -> Self {
        let shown = url.path.display().to_string();
        Self { path: url.path, shown, runner: runner.to_owned(), external_tables, access: Access::Write }
    }

    /// The same database for commands that only read: the file is opened so that it cannot be written.
    #[must_use]
    pub fn only_reading(self) -> Self {
        Self { access: Access::Read, ..self }
    }
}

impl Backend for Sqlite {
    type Session = SqliteSession;

    async fn connect(&self, _: Option<&Migrations>) -> Result<SqliteSession> {
        match std::fs::metadata(&self.path) {
            Ok(found) if found.is_dir() => return Err(error::unusable(&self.shown, "it is a directory")),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(error::missing(&self.shown));
            }
            Err(error) => return Err(error::unusable(&self.shown, &error.to_string())),
        }
        let connection = open(&self.path, self.access).map_err(|found| error::of(&found, &self.shown))?;
        let canceller = SqliteCanceller {
            handle: Arc::new(Mutex::new(connection.get_interrupt_handle())),
            cancelled: Arc::new(AtomicBool::new(false)),
        };
        let worker = Worker {
            connection,
            path: self.path.clone(),
            access: self.access,
            shown: self.shown.clone(),
            runner: self.runner.clone(),
            external_tables: self.external_tables.clone(),
            seen: Seen::default(),
            limits: Limits::default(),
            canceller: canceller.clone(),
            lock: None,
        };
        Ok(SqliteSession { worker: Some(worker), canceller })
    }

    async fn create_database(&self) -> Result<()> {
        let parent = self.path.parent().unwrap_or(Path::new("."));
        let created = std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::File::options().create(true).append(true).open(&self.path));
        created.map(drop).map_err(|error| error::unusable(&self.shown, &error.to_string()))
    }
}

/// Opens the file; a read-only connection falls back to a writing one where SQLite needs that to read at all (a journal
/// that was left by a crash, a write-ahead log without its index).
fn open(path: &Path, access: Access) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let writing = flags | OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = match access {
        Access::Write => {
            let connection = Connection::open_with_flags(path, writing)?;
            temporary::make_room(&connection, path);
            connection
        }
        Access::Read => {
            let reading = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let readable = reading.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
            if readable.is_ok() { reading } else { Connection::open_with_flags(path, writing)? }
        }
    };
    // Long enough for another connection to finish a small transaction, short enough to be interrupted between tries.
    connection.busy_timeout(Duration::from_millis(200))?;
    Ok(connection)
}

/// A connection to a SQLite database.
pub struct SqliteSession {
    /// Away while a call is under way; a call that was given up never brings it back.
    worker: Option<Worker>,
    canceller: SqliteCanceller,
}

/// What a call needs on the blocking thread.
struct Worker {
    connection: Connection,
    path: PathBuf,
    access: Access,
    shown: String,
    runner: String,
    external_tables: Vec<String>,
    seen: Seen,
    /// What the statements of migrations have to keep to.
    limits: Limits,
    canceller: SqliteCanceller,
    /// The run's lock. It goes where the connection goes: a call that was given up keeps both until it ends.
    lock: Option<RunLock>,
}

impl Worker {
    fn error(&self, error: &rusqlite::Error) -> Error {
        error::of(error, &self.shown)
    }

    /// Runs statements that belong together, in a transaction that has the only right to write.
    fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.execute("BEGIN IMMEDIATE")?;
        let result = work(self).and_then(|value| self.commit().map(|()| value));
        if !self.connection.is_autocommit() {
            // The journal undoes what cannot be undone here.
            let _closed_by_the_error = self.connection.execute_batch("ROLLBACK");
        }
        result
    }

    /// Commits. A reader can keep that from happening for a moment, and the transaction stays open meanwhile; new readers
    /// wait, so that the moment ends: if that takes longer than a lock is waited for, it is given up and tried anew.
    fn commit(&self) -> Result<()> {
        let longest = limits::longest_commit(self.limits);
        let begun = std::time::Instant::now();
        loop {
            match self.execute("COMMIT") {
                Err(error) if error.kind == Kind::Busy && begun.elapsed() < longest => {
                    if self.canceller.is_cancelled() {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    fn execute(&self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(|found| self.error(&found))
    }
}

impl SqliteSession {
    /// Runs a call on a blocking thread.
    async fn call<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Worker) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Some(mut worker) = self.worker.take() else { return Err(gone("an earlier call was given up")) };
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&mut worker);
            (worker, result)
        })
        .await;
        match done {
            Ok((worker, result)) => {
                self.worker = Some(worker);
                result
            }
            Err(error) => Err(gone(&error.to_string())),
        }
    }
}

fn gone(why: &str) -> Error {
    Error::new(
        Kind::Lost,
        Diagnostic::new(Code::ConnectionLost, format!("the connection to the database file is gone: {why}")),
    )
}

impl Session for SqliteSession {
    type Canceller = SqliteCanceller;
    type Witness = Nobody;
    const SILENCE: Silence = Silence::OF_A_FILE;

    async fn read(&mut self) -> Result<Snapshot> {
        self.call(history::read).await
    }

    /// Other runners of ours respect it. Prisma does not know it, and is noticed by reading the history again inside each
    /// transaction.
    async fn try_lock(&mut self, _plan: Option<&Plan<'_>>) -> Result<Lock> {
        self.call(|worker| {
            match lock::try_take(&worker.path, &worker.runner) {
                Tried::Held => return Ok(Lock::Held),
                Tried::Taken(lock) => worker.lock = Some(lock),
                Tried::Impossible => {}
            }
            Ok(Lock::Taken)
        })
        .await
    }

    async fn holder(&mut self) -> Result<Option<Holder>> {
        self.call(|worker| Ok(lock::holder(&worker.path))).await
    }

    async fn count_finished(&mut self) -> Result<Option<usize>> {
        self.call(|worker| Ok(history::count_finished(worker))).await
    }

    async fn create_history(&mut self) -> Result<()> {
        self.call(history::create).await
    }

    fn check(&self, migration: &Migration, script: &Script) -> std::result::Result<(), Diagnostic> {
        match script::shape(script.text()).0 {
            Shape::Refused(refusal) => Err(refusal.diagnostic(migration)),
            _ => Ok(()),
        }
    }

    async fn apply(&mut self, step: &Step<'_>, id: &str, limits: Limits, _: &mut Tell<'_>) -> Result<()> {
        let (migration, id) = (step.migration.clone(), id.to_owned());
        let resume = step.resume.map(|row| row.id.clone());
        self.call(move |worker| {
            worker.limits = limits;
            apply::apply(worker, &migration, &id, resume)
        })
        .await
    }

    async fn record_failure(&mut self, migration: &Migration, failure: &Diagnostic) -> Result<()> {
        let (migration, failure) = (migration.clone(), failure.clone());
        self.call(move |worker| history::record_failure(worker, &migration, &failure)).await
    }

    async fn mark_applied(&mut self, migration: &Migration) -> Result<()> {
        let migration = migration.clone();
        self.call(move |worker| history::mark_applied(worker, &migration)).await
    }

    async fn mark_rolled_back(&mut self, rows: &[&Row]) -> Result<()> {
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        self.call(move |worker| history::mark_rolled_back(worker, &ids)).await
    }

    fn how(&self, migration: &Migration, script: &Script) -> How {
        How::on_sqlite(migration, script.text())
    }

    /// Every script is one transaction here.
    fn statements(&self, _: &Script) -> Vec<String> {
        Vec::new()
    }

    async fn mark_resumable(&mut self, row: &Row, migration: &Migration, progress: &Progress) -> Result<()> {
        let Ok(script) = migration.script() else { return Ok(()) };
        let (id, checksum, logs) = (row.id.clone(), script.checksum().to_string(), progress.running_log());
        self.call(move |worker| history::mark_resumable(worker, &id, &checksum, &logs)).await
    }

    fn witness(&self) -> Nobody {
        Nobody
    }

    fn canceller(&self) -> SqliteCanceller {
        self.canceller.clone()
    }

    /// No other process can interrupt a statement.
    fn cancelled_by(_: &DatabaseMessage) -> CancelledBy {
        CancelledBy::Limit
    }

    async fn close(self) {
        drop(self);
    }
}

/// A file does not know who has it open.
pub struct Nobody;

impl Witness for Nobody {
    async fn blockers(&mut self) -> Option<Vec<Blocker>> {
        None
    }
}

/// Interrupts the statement under way.
#[derive(Clone)]
pub struct SqliteCanceller {
    handle: Arc<Mutex<InterruptHandle>>,
    cancelled: Arc<AtomicBool>,
}

impl SqliteCanceller {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// A new connection has taken the place of the one before.
    fn now_cancels(&self, connection: &Connection) {
        if let Ok(mut handle) = self.handle.lock() {
            *handle = connection.get_interrupt_handle();
        }
    }
}

impl Cancel for SqliteCanceller {
    async fn cancel(&self) {
        // The flag is for the moments between two statements, in which there is nothing to interrupt.
        self.cancelled.store(true, Ordering::SeqCst);
        if let Ok(handle) = self.handle.lock() {
            handle.interrupt();
        }
    }
}
