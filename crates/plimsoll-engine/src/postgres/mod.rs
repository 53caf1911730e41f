//! PostgreSQL.
//!
//! Everything goes through the simple query protocol: one message can hold a whole script with its transaction and its
//! history row, and the server parses all of it before it executes anything.

mod apply;
mod connect;
mod error;
mod failure;
mod history;
mod kept;
mod leftovers;
mod likeness;
mod look;
mod outside;
mod paused;
mod segments;
mod self_managed;
mod started;
mod target;
mod tls;
mod waiters;

use std::borrow::Cow;

use plimsoll_core::diagnostic::Diagnostic;
use plimsoll_core::history::{Progress, Row, Snapshot};
use plimsoll_core::plan::Step;
use plimsoll_core::script::{How, Shape, postgres as script};
use plimsoll_core::url::PostgresUrl;
use plimsoll_core::{Code, Migration, Script};
use tokio::task::JoinHandle;
use tokio_postgres::{CancelToken, Client, SimpleQueryMessage, SimpleQueryRow};

use crate::backend::{Backend, Cancel, Lock, Session, Tell};
use crate::error::{Error, Result};
use paused::Paused;
use target::{Target, Targets};
use tls::Tls;

pub use target::UrlSource;

/// Prisma's key, so that Prisma and Plimsoll exclude each other.
const LOCK_KEY: i64 = 72_707_369;

/// A PostgreSQL database.
pub struct Postgres {
    targets: Targets,
    runner: String,
    scope: Scope,
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
        Ok(Self { targets: Targets::fixed(Target::new(url)?), runner, scope })
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

    async fn connect(&self) -> Result<PostgresSession> {
        connect::session(self).await
    }

    async fn create_database(&self) -> Result<()> {
        connect::create_database(self).await
    }
}

/// A connection to a PostgreSQL database.
pub struct PostgresSession {
    client: Client,
    connection: JoinHandle<std::result::Result<(), tokio_postgres::Error>>,
    tls: Tls,
    /// Host and port, for messages.
    endpoint: String,
    runner: String,
    scope: Scope,
    /// `SET` statements that make the session what the URL asks for; said again after each script.
    settings: String,
    /// The schema that the URL asks for.
    schema: Option<String>,
    /// What the first read found out.
    facts: history::Facts,
    /// The script that this session has stopped in the middle of, and may go on with.
    paused: Option<Paused>,
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

    fn error(&self, error: &tokio_postgres::Error) -> Error {
        error::of_session(error, &self.endpoint)
    }

    /// Statements that undo what a script may have changed of the session, so that it does not leak into the next one, nor
    /// keep us from writing the history. `RESET ALL` leaves roles alone, and `DISCARD ALL` would free the lock.
    fn reset(&self) -> String {
        format!(
            "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;CLOSE ALL;UNLISTEN *;DEALLOCATE ALL;DISCARD TEMP;{}",
            self.settings
        )
    }

    /// Whether the server ends the strings of a script where we do: that differs only over backslashes.
    fn reads_strings_as_we_do(&self, script: &Script) -> bool {
        self.facts.standard_strings || !script.text().contains('\\')
    }

    /// The history table with its schema, quoted: a script may have changed the search path.
    fn history_table(&self) -> String {
        let schema = self.facts.history_schema.as_deref().unwrap_or("public");
        format!("{}.\"_prisma_migrations\"", quote_name(schema))
    }
}

impl Session for PostgresSession {
    type Canceller = PostgresCanceller;

    async fn read(&mut self) -> Result<Snapshot> {
        history::read(self).await
    }

    async fn try_lock(&mut self) -> Result<Lock> {
        history::try_lock(self).await
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
            _ => Ok(()),
        }
    }

    async fn apply(&mut self, step: &Step<'_>, id: &str, tell: &mut Tell<'_>) -> Result<()> {
        apply::apply(self, step, id, tell).await
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

    fn canceller(&self) -> PostgresCanceller {
        PostgresCanceller { token: self.client.cancel_token(), tls: self.tls.clone() }
    }

    async fn close(self) {
        let Self { client, connection, .. } = self;
        // The connection ends when its client is gone, and says good-bye first. A server that does not answer any more
        // is not waited for.
        drop(client);
        let abort = connection.abort_handle();
        if tokio::time::timeout(std::time::Duration::from_millis(500), connection).await.is_err() {
            abort.abort();
        }
    }
}

/// Cancels what a PostgreSQL session is doing, over a connection of its own.
pub struct PostgresCanceller {
    token: CancelToken,
    tls: Tls,
}

impl Cancel for PostgresCanceller {
    async fn cancel(&self) {
        // If this fails the server is out of reach, and ends the statement when it notices that we are gone.
        let _unreachable = self.tls.cancel(&self.token).await;
    }
}

/// A script that would have to be cut where a backslash may hide the end of a string.
fn other_strings(migration: &Migration) -> Diagnostic {
    let message = format!(
        "migration `{}` cannot be one transaction, and cannot be cut for sure: it has backslashes, and          `standard_conforming_strings` is off",
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
