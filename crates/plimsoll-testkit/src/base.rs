//! A database of any kind, for tests that tell the same story about all of them.

mod everything;

use plimsoll_core::Provider;

use crate::database::{Database, MysqlDatabase, Rows, SqliteDatabase};
use crate::history::HistoryRow;
use crate::proxy::Protocol;
use crate::server::{self, Flavour, Version};

/// The kinds of database. A new one is a variant here and in [`Base`]; the compiler names the places that need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL of one version.
    Postgres(Version),
    /// MySQL or MariaDB.
    Mysql(Flavour),
    /// A SQLite file.
    Sqlite,
}

/// A database of one of the kinds, for one test.
pub enum Base {
    /// On a server that the whole test process shares.
    Postgres(Database<'static>),
    /// The same, or on one that it has to itself.
    Mysql(MysqlDatabase<'static>),
    /// In a directory of its own.
    Sqlite(SqliteDatabase),
}

impl Kind {
    /// What a project on such a database says.
    pub fn provider(self) -> Provider {
        match self {
            Self::Postgres(_) => Provider::Postgresql,
            Self::Mysql(_) => Provider::Mysql,
            Self::Sqlite => Provider::Sqlite,
        }
    }

    /// A place for a database that does not exist.
    pub fn missing(self) -> Base {
        match self {
            Self::Postgres(version) => Base::Postgres(server::postgres(version).missing_database()),
            Self::Mysql(flavour) => Base::Mysql(server::mysql(flavour).missing_database()),
            Self::Sqlite => Base::Sqlite(SqliteDatabase::new()),
        }
    }

    /// The same, for the worker with this number of a test that applies very much.
    pub fn missing_for(self, worker: usize) -> Base {
        match self {
            Self::Mysql(flavour) => Base::Mysql(server::mysql_for(flavour, worker).missing_database()),
            Self::Postgres(_) | Self::Sqlite => self.missing(),
        }
    }

    /// An empty database on a server where no other test takes a lock, waits for one or looks for one as long as it is there. What
    /// PostgreSQL and SQLite lock belongs to one database anyway.
    pub async fn alone(self) -> Base {
        match self {
            Self::Mysql(flavour) => Base::Mysql(MysqlDatabase::alone(flavour).await),
            Self::Postgres(_) | Self::Sqlite => self.empty().await,
        }
    }

    /// An empty database. To SQLite an empty file is one.
    pub async fn empty(self) -> Base {
        match self {
            Self::Postgres(version) => Base::Postgres(server::postgres(version).database().await),
            Self::Mysql(flavour) => Base::Mysql(server::mysql(flavour).database().await),
            Self::Sqlite => {
                let database = SqliteDatabase::new();
                std::fs::write(database.path(), "").expect("the directory is ours");
                Base::Sqlite(database)
            }
        }
    }
}

impl Base {
    /// The URL for somebody who may do everything.
    pub fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.url(),
            Self::Mysql(database) => database.url(),
            Self::Sqlite(database) => database.url(),
        }
    }

    /// What is spoken with the server, and the port of it on this machine. A file has none.
    pub fn served(&self) -> Option<(Protocol, u16)> {
        match self {
            Self::Postgres(database) => Some((Protocol::Postgres, database.server().port())),
            Self::Mysql(database) => Some((Protocol::Mysql, database.server().port())),
            Self::Sqlite(_) => None,
        }
    }

    /// The same URL through another port of this machine, which a file has not.
    pub fn url_through(&self, port: u16) -> String {
        match self {
            Self::Postgres(database) => database.address().port(port).url(),
            Self::Mysql(database) => database.address().port(port).url(),
            Self::Sqlite(database) => database.url(),
        }
    }

    /// Runs statements as somebody else would.
    pub async fn execute(&self, statements: &str) {
        match self {
            Self::Postgres(database) => database.execute(statements).await,
            Self::Mysql(database) => database.execute(statements).await,
            Self::Sqlite(database) => database.execute(statements),
        }
    }

    /// The rows of a query.
    pub async fn query(&self, query: &str) -> Rows {
        match self {
            Self::Postgres(database) => database.query(query).await,
            Self::Mysql(database) => database.query(query).await,
            Self::Sqlite(database) => database.query(query),
        }
    }

    /// The first value of a query, which must not be NULL.
    pub async fn value(&self, query: &str) -> String {
        let rows = self.query(query).await;
        let value = rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten();
        value.unwrap_or_else(|| panic!("{query}: no value"))
    }

    /// The history in the order in which it came about, with markers for what differs from run to run. It is empty if
    /// there is no history table.
    pub async fn history(&self) -> Vec<HistoryRow> {
        match self {
            Self::Postgres(database) => database.history().await,
            Self::Mysql(database) => database.history().await,
            Self::Sqlite(database) => database.history(),
        }
    }

    /// The schema as the database's own tool writes it, without what differs from run to run.
    pub fn schema_dump(&self) -> String {
        match self {
            Self::Postgres(database) => database.schema_dump(),
            Self::Mysql(database) => database.schema_dump(),
            Self::Sqlite(database) => database.schema_dump(),
        }
    }

    /// Everything that a command which only reads must leave as it is: every table with its columns, every schema, every
    /// row of the history, and of a file each byte.
    pub async fn everything(&self) -> String {
        match self {
            Self::Postgres(database) => everything::postgres(database).await,
            Self::Mysql(database) => everything::mysql(database).await,
            Self::Sqlite(database) => everything::sqlite(database),
        }
    }

    /// Whether there is such a database.
    pub async fn exists(&self) -> bool {
        match self {
            Self::Postgres(database) => {
                let find = format!("SELECT FROM pg_database WHERE datname = '{}'", database.name());
                !database.server().database().await.query(&find).await.is_empty()
            }
            Self::Mysql(database) => database.exists().await,
            Self::Sqlite(database) => database.path().exists(),
        }
    }

    /// The PostgreSQL database that this has to be.
    pub fn postgres(&self) -> &Database<'static> {
        let Self::Postgres(database) = self else { panic!("this is no PostgreSQL database") };
        database
    }

    /// The MySQL or MariaDB database that this has to be.
    pub fn mysql(&self) -> &MysqlDatabase<'static> {
        let Self::Mysql(database) = self else { panic!("this is no MySQL database") };
        database
    }

    /// The SQLite database that this has to be.
    pub fn sqlite(&self) -> &SqliteDatabase {
        let Self::Sqlite(database) = self else { panic!("this is no SQLite database") };
        database
    }
}
