//! MySQL and MariaDB.
//!
//! Their statements that change a schema commit by themselves, so that a script is carried out statement by statement.
//! Everything goes through the text protocol, whose values are the texts that the server would show.

mod apply;
mod blockers;
mod connect;
mod definitions;
mod ending;
mod error;
mod errors;
mod failure;
mod fingerprint;
mod history;
mod limits;
mod lock;
mod progress;
mod resume;
mod retry;
mod role;
mod said;
mod send;
mod settings;
mod sql;
mod steps;
mod target;
mod tls;
mod transactional;
mod units;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mysql_async::{Conn, Opts};
use plimsoll_core::history::{Progress, Row, Snapshot};
use plimsoll_core::plan::{Plan, Step};
use plimsoll_core::script::How;
use plimsoll_core::script::mysql::{Server, split};
use plimsoll_core::url::MysqlUrl;
use plimsoll_core::{Code, DatabaseMessage, Diagnostic, Migration, Migrations, Script, Secret};

use crate::backend::{Backend, Cancel, Holder, Lock, Session, Tell};
use crate::error::{CancelledBy, Result};
use crate::limits::Limits;
use crate::target::Target;
use blockers::MysqlWitness;
use target::Targets;

pub use errors::ERRORS;
pub use target::UrlSource;

/// A database of MySQL or MariaDB.
pub struct Mysql {
    targets: Targets,
    runner: String,
    external_tables: Vec<String>,
}

impl Mysql {
    /// A database that can be reached by this URL.
    ///
    /// `runner` names this process in the server's connection attributes (`program_name`) and in the history's logs;
    /// `external_tables` belong to somebody else and do not make a database count as not empty.
    ///
    /// Fails if the URL names one of the server's own databases, or a certificate file that cannot be used.
    pub fn new(
        url: MysqlUrl,
        runner: &str,
        external_tables: Vec<String>,
    ) -> std::result::Result<Self, Diagnostic> {
        if url.is_system_database() {
            return Err(system_database(&url.database));
        }
        let targets = Targets::fixed(Target::new(url)?);
        Ok(Self { targets, runner: runner.to_owned(), external_tables })
    }

    /// The same database, whose URL is read anew before each attempt to connect, also after a lost connection.
    ///
    /// What may change, and what is waited for, is as in
    /// [`Postgres::reading_its_url`](crate::Postgres::reading_its_url).
    #[must_use]
    pub fn reading_its_url(self, source: UrlSource) -> Self {
        Self { targets: self.targets.read_from(source), ..self }
    }
}

fn system_database(name: &str) -> Diagnostic {
    let message = format!(
        "The `{name}` database is a system database, it should not be altered with prisma migrate. Please connect to another database."
    );
    Diagnostic::new(Code::SystemDatabase, message)
        .help("put the application's database behind the host: `mysql://user:password@host:3306/app`")
}

impl Backend for Mysql {
    type Session = MysqlSession;

    async fn connect(&self, _: Option<&Migrations>) -> Result<MysqlSession> {
        connect::session(self).await
    }

    async fn create_database(&self) -> Result<()> {
        connect::create_database(self).await
    }
}

/// A connection to a database of MySQL or MariaDB.
pub struct MysqlSession {
    conn: Conn,
    /// How to make another connection to the same server, which cancels what this one does.
    opts: Opts,
    /// Host and port, or the socket, for messages.
    endpoint: String,
    runner: String,
    external_tables: Vec<String>,
    /// How long a statement may take, if the URL says so (`socket_timeout`).
    limit: Option<limits::Limit>,
    /// What the statements of migrations have to keep to.
    limits: Limits,
    /// Those that the session has been given.
    limits_set: Limits,
    /// The database of the URL. Ours are qualified with it: a script may `USE` another one.
    database: String,
    /// What the first read found out.
    facts: Facts,
    /// Whether somebody has asked to stop.
    cancelled: Arc<AtomicBool>,
    /// What its own settings are, where nothing is sent that could change them.
    own: Option<settings::Own>,
    /// The settings that what is ours has to find.
    ours_in: settings::Standing,
    /// What of a script outlives a try that failed for a reason that passes.
    script: apply::ScriptState,
}

/// What the first message to a server found out.
#[derive(Clone, Debug, Default)]
struct Facts {
    /// `VERSION()`, such as `8.0.15` or `10.11.19-MariaDB-0+deb12u1`.
    version: String,
    /// The `sql_mode` that a session begins with: it decides how scripts are read, and is left as it is.
    sql_mode: String,
    /// `max_allowed_packet`, in bytes: a longer message makes the server close the connection without a word.
    longest_message: Option<usize>,
    /// Its own limits for locks.
    own: limits::OwnLimits,
}

impl MysqlSession {
    /// Whether somebody has asked to stop: between two statements there is none that could be cancelled.
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// The same without the password of the connection, for the history: a server was told it, and may say it back.
    fn safe(&self, failure: &Diagnostic) -> Diagnostic {
        match self.opts.pass() {
            Some(password) => failure.clone().hiding(&Secret::new(password)),
            None => failure.clone(),
        }
    }

    /// The history table with its database, quoted: a script may have chosen another database.
    fn history_table(&self) -> String {
        format!("{}.`_prisma_migrations`", sql::name(&self.database))
    }
}

impl Session for MysqlSession {
    type Canceller = MysqlCanceller;
    type Witness = MysqlWitness;

    async fn read(&mut self) -> Result<Snapshot> {
        history::read(self).await
    }

    async fn try_lock(&mut self, _plan: Option<&Plan<'_>>) -> Result<Lock> {
        lock::try_take(self).await
    }

    async fn holder(&mut self) -> Result<Option<Holder>> {
        lock::holder(self).await
    }

    async fn count_finished(&mut self) -> Result<Option<usize>> {
        Ok(history::count_finished(self).await)
    }

    async fn create_history(&mut self) -> Result<()> {
        history::create(self).await
    }

    fn check(&self, migration: &Migration, script: &Script) -> std::result::Result<(), Diagnostic> {
        apply::check(self, migration, script)
    }

    async fn apply(&mut self, step: &Step<'_>, id: &str, limits: Limits, tell: &mut Tell<'_>) -> Result<()> {
        self.limits = limits;
        apply::apply(self, step, id, tell).await
    }

    async fn record_failure(&mut self, migration: &Migration, failure: &Diagnostic) -> Result<()> {
        history::record_failure(self, migration, failure).await
    }

    async fn mark_applied(&mut self, migration: &Migration) -> Result<()> {
        history::mark_applied(self, migration).await
    }

    async fn mark_rolled_back(&mut self, rows: &[&Row]) -> Result<()> {
        history::mark_rolled_back(self, rows).await
    }

    fn how(&self, migration: &Migration, script: &Script) -> How {
        let server = Server::parse(&self.facts.version, &self.facts.sql_mode);
        How::on_mysql(migration, script.text(), &server)
    }

    fn statements(&self, script: &Script) -> Vec<String> {
        let server = Server::parse(&self.facts.version, &self.facts.sql_mode);
        // A script that cannot be read has no statements, and so none that were done.
        let statements = split(script.text(), &server).unwrap_or_default();
        statements.into_iter().map(|statement| statement.text.to_owned()).collect()
    }

    async fn mark_resumable(&mut self, row: &Row, migration: &Migration, progress: &Progress) -> Result<()> {
        history::mark_resumable(self, row, migration, progress).await
    }

    fn witness(&self) -> MysqlWitness {
        MysqlWitness { opts: self.opts.clone(), session: self.conn.id(), server: self.server(), conn: None }
    }

    fn canceller(&self) -> MysqlCanceller {
        let cancelled = Arc::clone(&self.cancelled);
        MysqlCanceller { opts: self.opts.clone(), connection: self.conn.id(), cancelled }
    }

    fn cancelled_by(said: &DatabaseMessage) -> CancelledBy {
        error::cancelled_by(said)
    }

    async fn close(self) {
        connect::close(self.conn).await;
    }
}

/// Cancels what a session is doing, over a connection of its own.
pub struct MysqlCanceller {
    opts: Opts,
    connection: u32,
    cancelled: Arc<AtomicBool>,
}

impl MysqlCanceller {
    /// Cancels the statement that is being executed at this moment, and no later one.
    async fn cancel_statement(&self) {
        // If this fails the server is out of reach, and ends the statement when it notices that we are gone.
        let Ok(conn) = Conn::new(self.opts.clone()).await else { return };
        connect::kill_query(conn, self.connection).await;
    }
}

impl Cancel for MysqlCanceller {
    async fn cancel(&self) {
        // The flag is for the moments between two statements, in which there is nothing to cancel.
        self.cancelled.store(true, Ordering::SeqCst);
        self.cancel_statement().await;
    }
}
