//! The databases that are migrated: real servers with their data on a memory file system, each started when it is needed.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use plimsoll_testkit::database::{Database, MysqlDatabase, SqliteDatabase};
use plimsoll_testkit::server::{
    Flavour, Login, MysqlServer, Options, PostgresServer, Role, Stop, Tls, Version,
};
use plimsoll_testkit::toxiproxy::{Toxic, Toxiproxy};
use plimsoll_testkit::wait::wait_for;

use crate::peer::{Kind, Target};

/// Half of the round trip of a server that is far away.
const ONE_WAY: Duration = Duration::from_millis(1);

/// Where a database is, and how it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// PostgreSQL on this machine, without TLS.
    Postgres,
    /// The same behind two milliseconds of round trip.
    FarPostgres,
    /// The same with TLS, whose certificate is verified.
    TlsPostgres,
    /// MySQL on this machine.
    Mysql,
    /// MariaDB on this machine.
    Mariadb,
    /// A file.
    Sqlite,
}

impl Place {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Postgres | Self::FarPostgres | Self::TlsPostgres => Kind::Postgres,
            Self::Mysql => Kind::Mysql,
            Self::Mariadb => Kind::Mariadb,
            Self::Sqlite => Kind::Sqlite,
        }
    }
}

/// A database of its own, dropped at the end.
pub(crate) struct Base<'servers> {
    held: Held<'servers>,
    target: Target,
}

enum Held<'servers> {
    Postgres(Database<'servers>),
    Mysql(MysqlDatabase<'servers>),
    Sqlite(SqliteDatabase),
}

impl Base<'_> {
    /// How a peer reaches it.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Its name on the server.
    pub(crate) fn name(&self) -> &str {
        match &self.held {
            Held::Postgres(database) => database.name(),
            Held::Mysql(database) => database.name(),
            Held::Sqlite(_) => "",
        }
    }

    /// The number that a query answers; nothing if it fails, as where a table is missing.
    pub(crate) fn number(&self, query: &str) -> Option<u64> {
        // The testkit panics where a test has to fail. Here a peer has, and only its own cell of the table.
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match &self.held {
            Held::Postgres(database) => wait_for(database.value(query)),
            Held::Mysql(database) => wait_for(database.value(query)),
            Held::Sqlite(database) => database.value(query),
        }));
        asked.ok()?.parse().ok()
    }
}

/// All servers.
#[derive(Default)]
pub(crate) struct Servers {
    postgres: OnceCell<PostgresServer>,
    far: OnceCell<Toxiproxy>,
    tls: OnceCell<PostgresServer>,
    late: OnceCell<PostgresServer>,
    mysql: OnceCell<MysqlServer>,
    mariadb: OnceCell<MysqlServer>,
}

impl Servers {
    /// A new and empty database.
    pub(crate) fn fresh(&self, place: Place) -> Base<'_> {
        match place {
            Place::Postgres => on_postgres(self.postgres(), self.postgres().port(), Tls::Absent),
            Place::FarPostgres => on_postgres(self.postgres(), self.far().port(), Tls::Absent),
            Place::TlsPostgres => {
                let server = self.tls.get_or_init(|| postgres(Tls::Offered));
                on_postgres(server, server.port(), Tls::Offered)
            }
            Place::Mysql => on_mysql(self.mysql.get_or_init(|| mysql(Flavour::Mysql)), Kind::Mysql),
            Place::Mariadb => on_mysql(self.mariadb.get_or_init(|| mysql(Flavour::Mariadb)), Kind::Mariadb),
            Place::Sqlite => {
                let database = SqliteDatabase::new();
                let target = Target::File(database.path().to_owned());
                Base { held: Held::Sqlite(database), target }
            }
        }
    }

    /// A database on a server that can be stopped without doing harm to others.
    pub(crate) fn late(&self) -> (Late<'_>, Base<'_>) {
        let server = self.late.get_or_init(|| postgres(Tls::Absent));
        (Late(server), on_postgres(server, server.port(), Tls::Absent))
    }

    /// The server of most rows.
    pub(crate) fn postgres(&self) -> &PostgresServer {
        self.postgres.get_or_init(|| postgres(Tls::Absent))
    }

    fn far(&self) -> &Toxiproxy {
        self.far.get_or_init(|| {
            let proxy = Toxiproxy::start(self.postgres().port());
            proxy.poison(Toxic::Latency(ONE_WAY));
            proxy
        })
    }
}

/// A server that is down, or has just come up.
#[derive(Clone, Copy)]
pub(crate) struct Late<'servers>(&'servers PostgresServer);

impl Late<'_> {
    pub(crate) fn stop(self) {
        self.0.stop(Stop::Fast);
    }

    /// Starts it, and says since when it has accepted connections.
    pub(crate) fn start(self) -> Instant {
        self.0.start_again();
        Instant::now()
    }
}

/// As it is installed, but for the number of connections and what runs in the background: durable, although memory forgets.
fn postgres(tls: Tls) -> PostgresServer {
    let mut options = Options::default().tls(tls);
    for (name, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("shared_buffers", "128MB"),
        ("max_connections", "300"),
    ] {
        options = options.setting(name, value);
    }
    PostgresServer::start(Version::V18, &options)
}

/// The same for MySQL and MariaDB. The log of the tests is so short that definitions wait until pages are written. The threads by which MySQL
/// writes it spin on a machine that is busy: with two processors the same file took 0.65 or 2 seconds, by chance.
fn mysql(flavour: Flavour) -> MysqlServer {
    let mut options = Options::default().tls(Tls::Absent);
    for (name, value) in [
        ("innodb-flush-log-at-trx-commit", "1"),
        ("innodb-flush-method", "fsync"),
        ("innodb-buffer-pool-size", "128M"),
        ("innodb-log-file-size", "48M"),
        ("max-connections", "300"),
    ] {
        options = options.setting(name, value);
    }
    if flavour.is_mysql() {
        options = options.setting("innodb-log-writer-threads", "OFF");
    }
    MysqlServer::start(flavour, &options)
}

fn on_postgres(server: &PostgresServer, port: u16, tls: Tls) -> Base<'_> {
    let database = wait_for(server.database());
    let target = Target::Server {
        kind: Kind::Postgres,
        host: "127.0.0.1".into(),
        port,
        user: Role::Superuser.name().into(),
        password: Role::Superuser.password().unwrap_or_default().into(),
        database: database.name().into(),
        authority: (tls == Tls::Offered).then(|| server.certificates().authority()),
    };
    Base { held: Held::Postgres(database), target }
}

fn on_mysql(server: &MysqlServer, kind: Kind) -> Base<'_> {
    let database = wait_for(server.database());
    let target = Target::Server {
        kind,
        host: "127.0.0.1".into(),
        port: server.port(),
        user: Login::Native.name().into(),
        password: Login::Native.password().unwrap_or_default().into(),
        database: database.name().into(),
        authority: None,
    };
    Base { held: Held::Mysql(database), target }
}
