//! A PostgreSQL database for one test.

mod dump;

use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::Rows;
use super::lifetime::{self, DROP_LIMIT, KEEP, block_on};
use crate::address::Address;
use crate::history::{self, HistoryRow};
use crate::server::{KEEPER, PostgresServer};

/// A database with a random name. Its helpers come in as a superuser through the socket, whatever is being tested.
pub struct Database<'server> {
    server: &'server PostgresServer,
    name: String,
}

impl<'server> Database<'server> {
    pub(crate) fn random_name() -> String {
        lifetime::random_name()
    }

    pub(crate) async fn create(server: &'server PostgresServer, name: &str) -> Self {
        let statement = format!("CREATE DATABASE {}", quoted(name));
        connect(server, "postgres").await.batch_execute(&statement).await.expect("the name is new");
        Self { server, name: name.to_owned() }
    }

    pub(crate) fn unborn(server: &'server PostgresServer, name: &str) -> Self {
        Self { server, name: name.to_owned() }
    }

    /// The name, which holds `plimsoll_` and 32 hexadecimal digits.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is on.
    pub fn server(&self) -> &'server PostgresServer {
        self.server
    }

    /// The URL for the superuser over TCP.
    pub fn url(&self) -> String {
        self.address().url()
    }

    /// The way to it, to be changed: another role, more parameters, through the socket.
    pub fn address(&self) -> Address {
        self.server.address(&self.name)
    }

    /// A connection of the testkit's own superuser.
    pub async fn connect(&self) -> Client {
        connect(self.server, &self.name).await
    }

    /// The same, for a database that may not be there yet, or on a server that may be down.
    pub async fn try_connect(&self) -> Result<Client, tokio_postgres::Error> {
        try_connect(self.server, &self.name).await
    }

    /// Runs statements, as one message.
    pub async fn execute(&self, statements: &str) {
        if let Err(error) = self.connect().await.batch_execute(statements).await {
            panic!("{statements}\n{error:?}");
        }
    }

    /// The rows of a query.
    pub async fn query(&self, query: &str) -> Rows {
        match self.connect().await.simple_query(query).await {
            Ok(messages) => messages.iter().filter_map(row).collect(),
            Err(error) => panic!("{query}\n{error:?}"),
        }
    }

    /// The first value of a query, which must not be NULL.
    pub async fn value(&self, query: &str) -> String {
        let value = self.query(query).await.into_iter().next().and_then(|row| row.into_iter().next());
        value.flatten().unwrap_or_else(|| panic!("{query}: no value"))
    }

    /// The history in schema `public`, in the order in which it came about, with markers for what differs from run to
    /// run. It is empty if there is no history table.
    pub async fn history(&self) -> Vec<HistoryRow> {
        self.history_of("public").await
    }

    /// The history in another schema.
    pub async fn history_of(&self, schema: &str) -> Vec<HistoryRow> {
        let table = format!("{}.\"_prisma_migrations\"", quoted(schema));
        let exists = format!("SELECT to_regclass({}) IS NOT NULL", literal(&table));
        if self.value(&exists).await == "f" {
            return Vec::new();
        }
        history::normalised(self.query(&history::query(&table, "migration_name")).await)
    }

    /// The schema of the whole database as `pg_dump` writes it, without what differs from run to run.
    ///
    /// Only for servers up to the version of the installed `pg_dump`, which is 15 on Debian 12.
    pub fn schema_dump(&self) -> String {
        dump::schema(self.server, &self.name)
    }

    fn drop_now(&self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(&self.name));
        let server = self.server;
        block_on(async move {
            // The server may have been stopped or paused by its test: then the database goes with its directory.
            let dropped = async { try_connect(server, "postgres").await?.batch_execute(&statement).await };
            let _ = tokio::time::timeout(DROP_LIMIT, dropped).await;
        });
    }

    fn keep(&self) {
        let (name, port, directory) =
            (&self.name, self.server.port(), self.server.socket_directory().display());
        let how = if std::env::var_os(KEEP).is_some() {
            self.server.keep();
            format!("psql -h {directory} -p {port} -U {KEEPER} {name}")
        } else {
            format!("with {KEEP}=1 the server of a failed test is left running")
        };
        lifetime::tell_kept(name, &how);
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() { self.keep() } else { self.drop_now() }
    }
}

async fn connect(server: &PostgresServer, database: &str) -> Client {
    try_connect(server, database).await.unwrap_or_else(|error| panic!("{database}: {error:?}"))
}

async fn try_connect(server: &PostgresServer, database: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = Config::new();
    config.host_path(server.socket_directory()).port(server.port()).user(KEEPER).dbname(database);
    let (client, connection) = config.connect(NoTls).await?;
    // It ends with the client, or with the runtime of the test.
    tokio::spawn(connection);
    Ok(client)
}

fn row(message: &SimpleQueryMessage) -> Option<Vec<Option<String>>> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
