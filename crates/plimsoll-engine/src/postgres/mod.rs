//! PostgreSQL.
//!
//! Everything goes through the simple query protocol: one message can hold a whole script with its transaction and its
//! history row, and the server parses all of it before it executes anything.

mod apply;
mod blockers;
mod cancelling;
mod connect;
mod error;
mod errors;
mod exact;
mod failure;
mod history;
mod kept;
mod key;
mod leftovers;
mod likeness;
mod limits;
mod link;
mod look;
mod outside;
mod paused;
mod pipeline;
mod pooler;
mod quiet;
mod repeated;
mod segments;
mod self_managed;
mod started;
mod target;
mod tls;
mod waiters;

use std::borrow::Cow;
use std::net::IpAddr;

use plimsoll_core::diagnostic::Diagnostic;
use plimsoll_core::history::{Progress, Row, Snapshot};
use plimsoll_core::plan::{Plan, Step};
use plimsoll_core::script::{How, Shape, postgres as script};
use plimsoll_core::url::PostgresUrl;
use plimsoll_core::url::postgres::Pooler;
use plimsoll_core::{Code, DatabaseMessage, Migration, Migrations, Script};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use tokio_util::sync::CancellationToken;

use crate::backend::{Backend, Holder, Lock, Next, Session, Tell, Told};
use crate::error::{CancelledBy, Error, Kind, Result};
use crate::limits::Limits;
use crate::stopping;
use crate::task::Early;
use blockers::PostgresWitness;
use paused::Paused;
use pooler::{Hold, Needs};
use target::{Target, Targets};

pub use cancelling::PostgresCanceller;
pub use errors::ERRORS;
pub use target::UrlSource;

/// Prisma's key, so that Prisma and Plimsoll exclude each other.
const LOCK_KEY: i64 = 72_707_369;

/// A PostgreSQL database.
pub struct Postgres {
    targets: Targets,
    runner: String,
    scope: Scope,
    early: Early<connect::Tried>,
}

/// What of a database belongs to the project; it decides whether a database counts as not empty.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Schemas that the project uses beside the one of the connection (`schemas` of the datasource).
    pub schemas: Vec<String>,
    /// Tables that belong to somebody else, as `name` or `schema.name` (`tables.external` of the Prisma config).
    pub external_tables: Vec<String>,
}

impl Postgres {
    /// A database that can be reached by this URL.
    ///
    /// `runner` names this process in `pg_stat_activity` and in the history's logs, unless the URL has an
    /// `application_name`.
    ///
    /// Fails if a certificate file of the URL cannot be used.
    pub fn new(url: PostgresUrl, runner: &str, scope: Scope) -> std::result::Result<Self, Diagnostic> {
        let runner = url.application_name.clone().unwrap_or_else(|| runner.to_owned());
        Ok(Self { targets: Targets::fixed(Target::new(url)?), runner, scope, early: Early::new() })
    }

    /// The same database, whose URL is read anew before each attempt to connect, also after a lost connection.
    ///
    /// Credentials that the server refuses are then waited for like a server that is not up: tried again as soon as
    /// the URL changes, and every 5 seconds otherwise.
    ///
    /// Once a connection has been made, only the credentials and TLS may change: a URL of another database ends the work
    /// ([`Code::UrlMoved`]), since what was read of the first one says nothing about the second.
    #[must_use]
    pub fn reading_its_url(self, source: UrlSource) -> Self {
        Self { targets: self.targets.read_from(source), ..self }
    }
}

impl Backend for Postgres {
    type Session = PostgresSession;

    async fn connect(&self, expected: Option<&Migrations>) -> Result<PostgresSession> {
        let expected = exact::expected(expected);
        let mut session = connect::session(self).await?;
        // A pooler takes connections also while it has no server: only an answer tells that there is one.
        match history::read(&mut session, expected.as_ref()).await {
            Err(error) if error.kind == Kind::Lost => Err(Error { kind: Kind::NotYet, ..error }),
            first => {
                session.first = Some(first);
                Ok(session)
            }
        }
    }

    fn begin_to_connect(&self) -> bool {
        connect::begin(self);
        true
    }

    async fn create_database(&self) -> Result<()> {
        connect::create_database(self).await
    }
}

/// A connection to a PostgreSQL database.
pub struct PostgresSession {
    client: Client,
    connection: JoinHandle<std::result::Result<(), tokio_postgres::Error>>,
    /// The channels on which it has been notified.
    heard: UnboundedReceiver<String>,
    /// Where it leads to.
    target: Target,
    /// The address at which that was; none for a socket's file.
    at: Option<IpAddr>,
    /// The number of the server's process that was given out for cancelling.
    key: Option<i32>,
    /// Host and port, for messages.
    endpoint: String,
    runner: String,
    scope: Scope,
    /// `SET` statements that make the session what the URL asks for; said again after each script.
    settings: String,
    /// The same for one transaction.
    local_settings: String,
    /// The schema that the URL asks for.
    schema: Option<String>,
    /// What the URL says of a pooler.
    pooler: Pooler,
    /// For how long the lock is held, once it has been tried, and what it was tried for.
    hold: Option<Hold>,
    needs: Needs,
    /// Whether the lock could be had when it was last tried.
    taken: bool,
    /// Whether the lock may be this session's: it has been had, or no answer to a try has been heard.
    may_be_ours: bool,
    /// Whether the pooler has been spoken of.
    told: bool,
    /// What the first read found out.
    facts: history::Facts,
    /// What the first read brought, until it is asked for: a connection is one once something has answered on it.
    first: Option<Result<Snapshot>>,
    /// What the statements of migrations have to keep to.
    limits: Limits,
    /// The script that this session has stopped in the middle of, and may go on with.
    paused: Option<Paused>,
    /// Whether several migrations are on the way.
    several: watch::Sender<bool>,
    /// Whether it has been asked to stop: what is on the way is answered, and no more is sent.
    stop: CancellationToken,
}

impl PostgresSession {
    /// Sends one message and drops its rows.
    async fn execute(&self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).await.map_err(|error| self.error(&error))
    }

    /// Sends one message and returns the rows of all its statements.
    async fn rows(&self, sql: &str) -> Result<Vec<SimpleQueryRow>> {
        let messages = self.client.simple_query(sql).await.map_err(|error| self.error(&error))?;
        Ok(only_rows(messages))
    }

    /// What a transaction that reads or writes the history begins with: the lock, where it is held for one at a time.
    ///
    /// What it protects has to be seen as it is once the lock is there, whatever the role's own level is.
    fn guard(&self) -> String {
        if self.hold == Some(Hold::Transaction) {
            format!("SET TRANSACTION ISOLATION LEVEL READ COMMITTED;{}", pooler::take_for_transaction())
        } else {
            String::new()
        }
    }

    /// The same without the password of the connection, for the history: a server was told it, and may say it back.
    fn safe(&self, failure: &Diagnostic) -> Diagnostic {
        match &self.target.url.password {
            Some(password) => failure.clone().hiding(password),
            None => failure.clone(),
        }
    }

    fn error(&self, error: &tokio_postgres::Error) -> Error {
        error::of_session(error, &self.endpoint)
    }

    /// Statements that undo what a script may have changed of the session, so that it does not leak into the next one, nor
    /// keep us from writing the history. `RESET ALL` leaves roles alone, and `DISCARD ALL` would free the lock.
    ///
    /// A connection that others get after us keeps what is theirs: prepared statements, and the channels that they listen on.
    fn reset(&self) -> String {
        if self.hold == Some(Hold::Transaction) {
            return format!(
                "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;CLOSE ALL;DISCARD TEMP;{}",
                self.local_settings
            );
        }
        format!("{}{}", self.reset_but_prepared(), repeated::FORGET)
    }

    /// The same, but for prepared statements.
    fn reset_but_prepared(&self) -> String {
        format!(
            "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;CLOSE ALL;UNLISTEN *;DISCARD TEMP;{}",
            self.settings
        )
    }

    /// Whether the server ends the strings of a script where we do: that differs only over backslashes in plain ones.
    fn reads_strings_as_we_do(&self, script: &Script) -> bool {
        self.facts.standard_strings || script::backslash_in_string(script.text()).is_none()
    }

    /// The history table with its schema, quoted: a script may have changed the search path.
    fn history_table(&self) -> String {
        let schema = self.facts.history_schema.as_deref().unwrap_or("public");
        format!("{}.\"_prisma_migrations\"", quote_name(schema))
    }
}

impl Session for PostgresSession {
    type Canceller = PostgresCanceller;
    type Witness = PostgresWitness;

    async fn read(&mut self) -> Result<Snapshot> {
        match self.first.take() {
            Some(first) => first,
            None => history::read(self, None).await,
        }
    }

    async fn try_lock(&mut self, plan: Option<&Plan<'_>>) -> Result<Lock> {
        history::accepts_writes(self)?;
        // From one try to the next the plan is the same, and to look through its scripts is not for nothing.
        if self.hold.is_none() || self.taken {
            pooler::decide(self, plan).await?;
        }
        // Until the answer says that it is not.
        let was_ours = std::mem::replace(&mut self.may_be_ours, true);
        let lock = history::try_lock(self, &self.settings).await?;
        self.taken = lock == Lock::Taken;
        self.may_be_ours = was_ours || self.taken;
        Ok(lock)
    }

    async fn holder(&mut self) -> Result<Option<Holder>> {
        history::lock_holder(self).await
    }

    async fn count_finished(&mut self) -> Result<Option<usize>> {
        Ok(history::count_finished(self).await)
    }

    fn serves(&self, plan: &Plan<'_>) -> bool {
        pooler::serves(self, plan)
    }

    async fn create_history(&mut self) -> Result<()> {
        history::create(self).await
    }

    fn check(&self, migration: &Migration, script: &Script) -> std::result::Result<(), Diagnostic> {
        if let Some(at) = script.text().find('\0') {
            let message = format!(
                "migration `{}` holds a NUL character, which PostgreSQL cannot take",
                migration.name()
            );
            let diagnostic = Diagnostic::new(Code::MigrationFailed, message).help("nothing was applied");
            return Err(match migration.place(at..at + 1) {
                Some(place) => diagnostic.at(place),
                None => diagnostic,
            });
        }
        match script::shape(script.text()) {
            Shape::Refused(refusal) => Err(refusal.diagnostic(migration)),
            Shape::Segmented(parts) if parts.segments.len() > 1 && !self.reads_strings_as_we_do(script) => {
                Err(other_strings(migration))
            }
            _ => pooler::check(self, migration, script),
        }
    }

    async fn apply(&mut self, step: &Step<'_>, id: &str, limits: Limits, tell: &mut Tell<'_>) -> Result<()> {
        self.limits = limits;
        apply::apply(self, step, id, tell).await
    }

    fn together(&self, steps: &[Step<'_>]) -> usize {
        pipeline::together(self, steps)
    }

    async fn apply_together(&mut self, next: &[Next<'_>], limits: Limits, tell: &mut Tell<'_>) -> Result<()> {
        if let [one] = next {
            self.apply(one.step, &one.id, limits, tell).await?;
            tell(Told::Applied);
            return Ok(());
        }
        self.limits = limits;
        pipeline::apply_together(self, next, tell).await
    }

    async fn record_failure(&mut self, migration: &Migration, failure: &Diagnostic) -> Result<()> {
        match self.paused.take() {
            Some(paused) => paused::give_up_paused(self, &paused, migration, failure).await,
            None => history::record_failure(self, migration, failure).await,
        }
    }

    async fn mark_applied(&mut self, migration: &Migration) -> Result<()> {
        history::mark_applied(self, migration).await
    }

    async fn mark_rolled_back(&mut self, rows: &[&Row]) -> Result<()> {
        history::mark_rolled_back(self, rows).await
    }

    fn how(&self, migration: &Migration, script: &Script) -> How {
        How::on_postgres(migration, script.text())
    }

    fn statements(&self, script: &Script) -> Vec<String> {
        script::texts(script.text()).into_iter().map(Cow::into_owned).collect()
    }

    async fn mark_resumable(&mut self, row: &Row, migration: &Migration, progress: &Progress) -> Result<()> {
        history::mark_resumable(self, row, migration, progress).await
    }

    fn witness(&self) -> PostgresWitness {
        PostgresWitness {
            target: self.target.clone(),
            runner: self.runner.clone(),
            // Behind a pooler it is another one for each transaction.
            session: self.facts.process.filter(|_| self.hold != Some(Hold::Transaction)),
            link: None,
        }
    }

    fn canceller(&self) -> PostgresCanceller {
        PostgresCanceller::of(self)
    }

    fn cancelled_by(said: &DatabaseMessage) -> CancelledBy {
        error::cancelled_by(said)
    }

    async fn close(self) {
        let Self { client, connection, hold, may_be_ours, .. } = self;
        let abort = connection.abort_handle();
        let ending = async {
            // The lock ends with the connection, unless there is a pooler that keeps it open for somebody else.
            if hold == Some(Hold::Session) && may_be_ours {
                let _gone = client.batch_execute(history::UNLOCK).await;
            }
            // The connection ends when its client is gone, and says good-bye first.
            drop(client);
            connection.await
        };
        // A server that does not answer any more is not waited for.
        if tokio::time::timeout(stopping::FAREWELL, ending).await.is_err() {
            abort.abort();
        }
    }
}

/// A script that would have to be cut where a backslash may hide the end of a string.
fn other_strings(migration: &Migration) -> Diagnostic {
    let message = format!(
        "migration `{}` cannot be one transaction, and cannot be cut for sure: a string of it has a backslash, and \
         `standard_conforming_strings` is off",
        migration.name()
    );
    Diagnostic::new(Code::CannotBeAtomic, message)
        .help("set `standard_conforming_strings` to on, or put each of its statements into a migration of its own")
        .help("nothing of it was executed")
}

/// The rows among the messages of an answer.
fn only_rows(messages: Vec<SimpleQueryMessage>) -> Vec<SimpleQueryRow> {
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

/// A name as it has to stand in a statement.
fn quote_name(name: &str) -> String {
    postgres_protocol::escape::escape_identifier(name)
}

/// A text as it has to stand in a statement, whatever `standard_conforming_strings` is.
fn quote_text(text: &str) -> String {
    postgres_protocol::escape::escape_literal(&text.replace('\0', "\u{fffd}"))
}
