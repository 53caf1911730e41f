//! Real servers, which end with the test process, however it ends.

mod account;
mod certificates;
mod collector;
mod lease;
mod mysql;
mod options;
mod pgbouncer;
mod postgres;
mod process;
mod role;
mod template;
mod watchdog;

use std::sync::OnceLock;

pub use certificates::Certificates;
pub use collector::Collector;
pub(crate) use lease::Lease;
pub use mysql::{Flavour, Login, MysqlServer};
pub use options::{Options, Tls};
pub use pgbouncer::{PgBouncer, PoolMode};
pub use postgres::PostgresServer;
pub(crate) use process::free_port;
pub(crate) use role::KEEPER;
pub use role::Role;

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No new connections; it ends when the last one has gone. MySQL and MariaDB have no such way: there it is `Fast`.
    Smart,
    /// Open transactions are rolled back, and their connections ended.
    Fast,
    /// As if the power had failed: the next start recovers.
    Immediate,
}

/// A version of PostgreSQL. A newer one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// PostgreSQL 13. It is not published for aarch64.
    V13,
    /// PostgreSQL 14. It is not published for aarch64.
    V14,
    /// PostgreSQL 15, the newest that Debian 12's `pg_dump` can dump.
    V15,
    /// PostgreSQL 16.
    V16,
    /// PostgreSQL 17.
    V17,
    /// PostgreSQL 18.
    V18,
}

impl Version {
    /// Those that the tests run against: the oldest, Debian's, the newest.
    pub const ALL: [Self; 3] = [Self::V13, Self::V15, Self::V18];

    /// Those between them too, oldest first: for what differs from version to version.
    pub const EACH: [Self; 6] = [Self::V13, Self::V14, Self::V15, Self::V16, Self::V17, Self::V18];

    /// The major version.
    pub fn major(self) -> u32 {
        match self {
            Self::V13 => 13,
            Self::V14 => 14,
            Self::V15 => 15,
            Self::V16 => 16,
            Self::V17 => 17,
            Self::V18 => 18,
        }
    }
}

/// The server of this version that all tests of this process share. It is started by the first who asks.
pub fn postgres(version: Version) -> &'static PostgresServer {
    static SERVERS: [OnceLock<PostgresServer>; 6] = [const { OnceLock::new() }; 6];
    SERVERS[version as usize].get_or_init(|| PostgresServer::start(version, &Options::default()))
}

/// The server of this flavour that all tests of this process share. It is started by the first who asks.
///
/// User-level locks (`GET_LOCK`) belong to a server and not to a database: whoever applies a migration here waits for every
/// other test that does. A test that holds the lock for long, or must not wait for it, is `alone` (see
/// [`Kind::alone`](crate::base::Kind::alone)), and one that applies very much uses more than one server: see [`mysql_for`].
pub fn mysql(flavour: Flavour) -> &'static MysqlServer {
    mysql_for(flavour, 0)
}

/// How many servers of a flavour there are for those who apply very much: enough to keep two processors busy.
const SHARED: usize = 2;

/// The shared server for the worker with this number, so that not all of them wait for the lock of one.
pub fn mysql_for(flavour: Flavour, worker: usize) -> &'static MysqlServer {
    static SERVERS: [[OnceLock<MysqlServer>; SHARED]; 3] = [const { [const { OnceLock::new() }; SHARED] }; 3];
    SERVERS[flavour as usize][worker % SHARED]
        .get_or_init(|| MysqlServer::start(flavour, &Options::default()))
}
