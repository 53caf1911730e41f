//! Projects whose migrations count, databases on servers of a test's own, and what is left in them.

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::history::HistoryRow;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options, PostgresServer, Stop, Version};
pub(crate) use plimsoll_testkit::transcript::assert_says;

/// The PostgreSQL that the installed `pg_dump` can dump.
pub(crate) const POSTGRES: Kind = Kind::Postgres(Version::V15);

/// Something to count in: whatever is applied twice, or not at all, shows.
pub(crate) const INIT: &str = "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n";
/// A migration that is one transaction on every server.
pub(crate) const ONE: &str = "UPDATE counter SET n = n + 1;\n";

/// A run that is told to end has two seconds, of which it waits for up to 1.8. The rest is for a machine that has other tests to run,
/// and less than the five seconds after which a connection that nobody answers, or a name that nobody knows, is given up anyway.
pub(crate) const MOST_AFTER_SIGNAL: Duration = Duration::from_millis(3500);

/// A project for a database, whose commands get this URL.
pub(crate) fn project(kind: Kind, url: String, migrations: &[(&str, &str)]) -> Project {
    let project = Project::new(kind.provider()).env_url(url);
    for (name, script) in migrations {
        project.set_migration(name, script);
    }
    project
}

/// `plimsoll deploy` for a project.
pub(crate) fn deploy(project: &Project) -> Program {
    plimsoll(project).arg("deploy")
}

/// `plimsoll` started by a line of a shell, in which it and these words are `"$@"`.
pub(crate) fn by_shell(project: &Project, line: &str, words: &[&str]) -> Program {
    let shell = Program::new("sh", "/bin/sh".into(), project);
    shell.args(["-c", line, "sh", env!("CARGO_BIN_EXE_plimsoll")]).args(words)
}

/// A server that ends with its test, and whose databases are like those of shared ones.
pub(crate) struct Own<S: Server>(&'static S);

/// A server to which things can be done, whatever it is.
pub(crate) trait Server: 'static {
    /// What it is.
    fn kind(&self) -> Kind;
    /// An empty database on it.
    fn empty(&'static self) -> impl Future<Output = Base>;
    /// Stops it and starts it again.
    fn restart(&self, how: Stop);
    /// Stops it.
    fn stop(&self, how: Stop);
    /// Starts it after that.
    fn start_again(&self);
    /// Stops it, whatever it is doing, and says where its data are.
    fn end(&self) -> PathBuf;
}

impl Server for PostgresServer {
    fn kind(&self) -> Kind {
        Kind::Postgres(self.version())
    }

    async fn empty(&'static self) -> Base {
        Base::Postgres(self.database().await)
    }

    fn restart(&self, how: Stop) {
        self.restart(how);
    }

    fn stop(&self, how: Stop) {
        self.stop(how);
    }

    fn start_again(&self) {
        self.start_again();
    }

    fn end(&self) -> PathBuf {
        self.resume();
        self.stop(Stop::Immediate);
        self.socket_directory().join("data")
    }
}

impl Server for MysqlServer {
    fn kind(&self) -> Kind {
        Kind::Mysql(self.flavour())
    }

    async fn empty(&'static self) -> Base {
        Base::Mysql(self.database().await)
    }

    fn restart(&self, how: Stop) {
        self.restart(how);
    }

    fn stop(&self, how: Stop) {
        self.stop(how);
    }

    fn start_again(&self) {
        self.start_again();
    }

    fn end(&self) -> PathBuf {
        self.stop(Stop::Immediate);
        self.directory().join("data")
    }
}

impl<S: Server> Own<S> {
    fn new(server: S) -> Self {
        // What little is left of it goes with the process.
        Self(Box::leak(Box::new(server)))
    }
}

impl<S: Server> Deref for Own<S> {
    type Target = &'static S;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<S: Server> Drop for Own<S> {
    fn drop(&mut self) {
        // The server of a failed test stays until the process ends, or for a person to look into.
        if !std::thread::panicking() {
            let _gone = std::fs::remove_dir_all(self.0.end());
        }
    }
}

/// A PostgreSQL of the test's own.
pub(crate) fn own_postgres(options: &Options) -> Own<PostgresServer> {
    Own::new(PostgresServer::start(Version::V15, options))
}

/// A MySQL or MariaDB of the test's own.
pub(crate) fn own_mysql(flavour: Flavour, options: &Options) -> Own<MysqlServer> {
    Own::new(MysqlServer::start(flavour, options))
}

/// The same server, of which this test is the owner.
pub(crate) fn owned(server: PostgresServer) -> Own<PostgresServer> {
    Own::new(server)
}

/// What is left in a database: equal, whatever has happened on the way to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    schema: String,
    counted: String,
    history: Vec<HistoryRow>,
}

impl Left {
    /// What the migrations have counted.
    pub(crate) fn counted(&self) -> &str {
        &self.counted
    }

    /// The names of the migrations that count as applied.
    pub(crate) fn applied(&self) -> Vec<&str> {
        let rows = self.history.iter();
        let rows = rows.filter(|row| row.finished_at.is_some() && row.rolled_back_at.is_none());
        rows.map(|row| row.migration_name.as_str()).collect()
    }
}

/// Reads it past everything that stands between a runner and the server.
pub(crate) async fn left(base: &Base) -> Left {
    Left {
        schema: base.schema_dump(),
        counted: base.value("SELECT n FROM counter").await,
        history: base.history().await,
    }
}

/// What a run leaves in an empty database that nobody disturbs.
pub(crate) async fn undisturbed(kind: Kind, base: &Base, migrations: &[(&str, &str)]) -> Left {
    deploy(&project(kind, base.url(), migrations)).run().expect_code(0);
    left(base).await
}
