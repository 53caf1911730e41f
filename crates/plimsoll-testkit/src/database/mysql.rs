//! A MySQL or MariaDB database for one test.

mod dump;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row, Value};

use super::Rows;
use super::lifetime::{self, DROP_LIMIT, KEEP, block_on};
use crate::address::Address;
use crate::history::{self, HistoryRow};
use crate::server::{Flavour, KEEPER, Lease, MysqlServer};

/// A database with a random name. Its helpers come in as a superuser through the socket, whatever is being tested.
pub struct MysqlDatabase<'server> {
    server: &'server MysqlServer,
    name: String,
    /// Given back when the database is gone.
    _lease: Option<Lease>,
}

impl MysqlDatabase<'static> {
    /// A new database on a server that no other test uses as long as the database is there.
    pub async fn alone(flavour: Flavour) -> Self {
        let (lease, name) = (Lease::of(flavour), Self::random_name());
        let server = lease.server();
        create(server, &name).await;
        Self { server, name, _lease: Some(lease) }
    }
}

impl<'server> MysqlDatabase<'server> {
    pub(crate) fn random_name() -> String {
        lifetime::random_name()
    }

    pub(crate) async fn create(server: &'server MysqlServer, name: &str) -> Self {
        create(server, name).await;
        Self::unborn(server, name)
    }

    pub(crate) fn unborn(server: &'server MysqlServer, name: &str) -> Self {
        Self { server, name: name.to_owned(), _lease: None }
    }

    /// The name, which holds `plimsoll_` and 32 hexadecimal digits.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is on.
    pub fn server(&self) -> &'server MysqlServer {
        self.server
    }

    /// The URL for the superuser over TCP.
    pub fn url(&self) -> String {
        self.address().url()
    }

    /// The way to it, to be changed: another user, more parameters, through the socket.
    pub fn address(&self) -> Address {
        self.server.address(&self.name)
    }

    /// A connection of the testkit's own superuser.
    pub async fn connect(&self) -> Conn {
        let connected = self.server.connect(Some(&self.name)).await;
        connected.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// A connection that holds a user-level lock of the server, which nobody else may hold at the moment.
    pub async fn hold(&self, lock: &str) -> HeldLock {
        let mut connection = self.connect().await;
        let taken: mysql_async::Result<Option<u8>> =
            connection.exec_first("SELECT GET_LOCK(?, 0)", (lock,)).await;
        let taken = taken.unwrap_or_else(|error| panic!("{lock}: {error}"));
        assert_eq!(taken, Some(1), "somebody else holds {lock}");
        HeldLock(connection)
    }

    /// A connection that is reading a table: until it is released, nobody can change what the table looks like.
    pub async fn reading(&self, table: &str) -> HeldLock {
        self.holding(&format!("START TRANSACTION; SELECT * FROM {} LIMIT 1", quoted(table))).await
    }

    /// A connection that keeps what these statements have locked until it is released.
    pub async fn holding(&self, statements: &str) -> HeldLock {
        let mut connection = self.connect().await;
        connection.query_drop(statements).await.unwrap_or_else(|error| panic!("{statements}: {error}"));
        HeldLock(connection)
    }

    /// Runs statements, as one message.
    pub async fn execute(&self, statements: &str) {
        let mut connection = self.connect().await;
        if let Err(error) = connection.query_drop(statements).await {
            panic!("{statements}\n{error}");
        }
        let _ = connection.disconnect().await;
    }

    /// The rows of a query.
    pub async fn query(&self, query: &str) -> Rows {
        let mut connection = self.connect().await;
        let rows: Vec<Row> = connection.query(query).await.unwrap_or_else(|error| panic!("{query}\n{error}"));
        let _ = connection.disconnect().await;
        rows.iter().map(values).collect()
    }

    /// The first value of a query, which must not be NULL.
    pub async fn value(&self, query: &str) -> String {
        let value = self.query(query).await.into_iter().next().and_then(|row| row.into_iter().next());
        value.flatten().unwrap_or_else(|| panic!("{query}: no value"))
    }

    /// The history in the order in which it came about, with markers for what differs from run to run. It is empty if there
    /// is no history table, or no database.
    pub async fn history(&self) -> Vec<HistoryRow> {
        const TABLE: &str = "_prisma_migrations";
        if !self.tables().await.iter().any(|table| table == TABLE) {
            return Vec::new();
        }
        history::normalised(self.query(&history::query(TABLE, "migration_name")).await)
    }

    /// The names of all tables and views, in order. There are none in a database that does not exist.
    pub async fn tables(&self) -> Vec<String> {
        let find = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY BINARY TABLE_NAME";
        let mut connection = self.server.connect(None).await.expect("the server runs");
        let tables = connection.exec(find, (&self.name,)).await;
        let _ = connection.disconnect().await;
        tables.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Whether somebody has created it.
    pub async fn exists(&self) -> bool {
        let find = "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";
        let mut connection = self.server.connect(None).await.expect("the server runs");
        let found: mysql_async::Result<Option<u8>> = connection.exec_first(find, (&self.name,)).await;
        let _ = connection.disconnect().await;
        found.unwrap_or_else(|error| panic!("{}: {error}", self.name)).is_some()
    }

    /// Tables, views, triggers, routines and events as the server's dump tool writes them, without what differs from run to
    /// run: the next number of a counter.
    pub fn schema_dump(&self) -> String {
        dump::schema(self.server, &self.name)
    }

    fn drop_now(&self) {
        let server = self.server;
        let name = &self.name;
        block_on(async move {
            let _ = tokio::time::timeout(DROP_LIMIT, drop_database(server, name)).await;
        });
    }

    fn keep(&self) {
        let (name, socket) = (&self.name, self.server.socket());
        let how = if std::env::var_os(KEEP).is_some() {
            self.server.keep();
            format!("mariadb --no-defaults -S {} -u {KEEPER} {name}", socket.display())
        } else {
            format!("with {KEEP}=1 the server of a failed test is left running")
        };
        lifetime::tell_kept(name, &how);
    }
}

impl Drop for MysqlDatabase<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() { self.keep() } else { self.drop_now() }
    }
}

/// A lock that a connection of the testkit holds until it is released.
pub struct HeldLock(Conn);

impl HeldLock {
    /// Frees the lock, and returns when the server has heard of it.
    pub async fn release(mut self) {
        self.0.query_drop("ROLLBACK; UNLOCK TABLES; DO RELEASE_ALL_LOCKS()").await.expect("the server runs");
        let _ = self.0.disconnect().await;
    }
}

/// As Prisma creates one: a database that was there before and one that was not have the same schema afterwards.
async fn create(server: &MysqlServer, name: &str) {
    let options = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
    server.execute(&format!("CREATE DATABASE {} {options}", quoted(name))).await;
}

/// A table that an open transaction uses cannot be dropped: whoever is connected to the database goes first.
async fn drop_database(server: &MysqlServer, name: &str) -> mysql_async::Result<()> {
    let mut connection = server.connect(None).await?;
    let others = "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = ?";
    let others: Vec<u64> = connection.exec(others, (name,)).await?;
    for other in others {
        // It may have gone by itself.
        let _ = connection.query_drop(format!("KILL {other}")).await;
    }
    connection.query_drop(format!("DROP DATABASE IF EXISTS {}", quoted(name))).await?;
    connection.disconnect().await
}

fn values(row: &Row) -> Vec<Option<String>> {
    (0..row.len()).map(|column| row.as_ref(column).and_then(text)).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        other => panic!("the text protocol has no {other:?}"),
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
