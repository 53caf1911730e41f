//! One MySQL or MariaDB server: started, stopped, paused.

mod configuration;
mod login;
mod template;

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};
use rustix::process::Signal;

use super::certificates::Certificates;
use super::process::{Process, on_a_free_port};
use super::{KEEPER, Options, Stop};
use crate::address::Address;
use crate::database::MysqlDatabase;

pub use login::Login;

/// The servers that speak the protocol of MySQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// MySQL 8.0.31, the newest that is to be had here.
    Mysql,
    /// MariaDB 10.11, the one of Debian 12.
    Mariadb,
    /// MySQL 8.0.15: from before 8.0.21, in which `CREATE TABLE … SELECT` became one with its rows.
    OldMysql,
}

impl Flavour {
    /// Those that the tests run against: the newest of each.
    pub const ALL: [Self; 2] = [Self::Mysql, Self::Mariadb];

    /// The older one too: for what differs from version to version.
    pub const EACH: [Self; 3] = [Self::Mysql, Self::Mariadb, Self::OldMysql];

    /// Whether it is MySQL itself, of whatever version.
    pub fn is_mysql(self) -> bool {
        self != Self::Mariadb
    }
}

/// A server with a data directory, a port and a socket of its own. It ends with its owner.
pub struct MysqlServer {
    flavour: Flavour,
    port: u16,
    certificates: Certificates,
    process: Process,
}

impl MysqlServer {
    /// Starts a server that nobody else uses. Its port stays the same through every restart.
    pub fn start(flavour: Flavour, options: &Options) -> Self {
        let (process, certificates) = Process::prepared(|data| template::copy_to(flavour, data));
        let mut server = Self { flavour, port: 0, certificates, process };
        server.start_on_a_free_port(options);
        server
    }

    fn start_on_a_free_port(&mut self, options: &Options) {
        let runs = on_a_free_port(|port| {
            self.port = port;
            let file = self.configuration_file();
            std::fs::write(&file, configuration::text(self, options))
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            self.launch()
        });
        assert!(runs, "{:?} does not start:\n{}", self.flavour, self.log());
    }

    /// Which of them it is.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The port on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory().join("mysql.sock")
    }

    /// Its certificates, and those of a client.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// What the server has logged so far. Statements are in it only if a setting (`general_log`) brings them there.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The way to a database of this server, which need not exist, for [`Login::Root`] over TCP.
    pub fn address(&self, database: &str) -> Address {
        Address::mysql(self.port, &self.socket(), database)
    }

    /// A new database of its own for one test.
    pub async fn database(&self) -> MysqlDatabase<'_> {
        MysqlDatabase::create(self, &MysqlDatabase::random_name()).await
    }

    /// A new database whose name contains `part`, of at most 23 characters: with quotes, spaces, capitals.
    pub async fn database_named(&self, part: &str) -> MysqlDatabase<'_> {
        MysqlDatabase::create(self, &format!("{part}{}", MysqlDatabase::random_name())).await
    }

    /// A database that does not exist yet. Whoever creates it, it is dropped at the end.
    pub fn missing_database(&self) -> MysqlDatabase<'_> {
        MysqlDatabase::unborn(self, &MysqlDatabase::random_name())
    }

    /// Runs statements, as one message, in no database: to make users, to set global variables, to kill connections.
    pub async fn execute(&self, statements: &str) {
        let mut connection = self.connect(None).await.expect("the server runs");
        if let Err(error) = connection.query_drop(statements).await {
            panic!("{statements}\n{error}");
        }
        let _ = connection.disconnect().await;
    }

    /// A connection of the testkit's own superuser, through the socket.
    pub(crate) async fn connect(&self, database: Option<&str>) -> mysql_async::Result<Conn> {
        let socket = self.socket().display().to_string();
        let options = OptsBuilder::default().user(Some(KEEPER)).socket(Some(socket)).db_name(database);
        Conn::new(options).await
    }

    /// Stops the server and returns when it has ended.
    pub fn stop(&self, how: Stop) {
        self.process.stop(match how {
            Stop::Smart | Stop::Fast => Signal::TERM,
            Stop::Immediate => Signal::KILL,
        });
    }

    /// Starts a stopped server on the port that it had, and returns when it accepts connections.
    pub fn start_again(&self) {
        assert!(self.launch(), "{:?} does not start again:\n{}", self.flavour, self.log());
    }

    /// Stops the server and starts it again.
    pub fn restart(&self, how: Stop) {
        self.stop(how);
        self.start_again();
    }

    /// Stops the time for the server and all its connections: the kernel accepts, and nobody answers.
    pub fn pause(&self) {
        self.process.signal_all(Signal::STOP);
    }

    /// Lets the time of a paused server go on.
    pub fn resume(&self) {
        self.process.signal_all(Signal::CONT);
    }

    /// Lets the server live on after this process, for a person to look into.
    pub(crate) fn keep(&self) {
        self.process.keep();
    }

    /// Where everything of this server is.
    pub fn directory(&self) -> &Path {
        self.process.directory()
    }

    fn configuration_file(&self) -> PathBuf {
        self.directory().join("my.cnf")
    }

    /// Starts the server and waits until it accepts connections; `false` when it ended instead.
    fn launch(&self) -> bool {
        let mut command = template::server(self.flavour);
        let file = self.configuration_file();
        command.arg(format!("--defaults-file={}", file.display()));
        self.process.launch(command, |_| self.greets())
    }

    /// The protocol begins with a greeting of the server, which it sends as soon as it serves.
    fn greets(&self) -> bool {
        let Ok(mut stream) = UnixStream::connect(self.socket()) else { return false };
        let limited = stream.set_read_timeout(Some(Duration::from_secs(1)));
        limited.is_ok() && stream.read_exact(&mut [0; 5]).is_ok()
    }
}

impl Drop for MysqlServer {
    fn drop(&mut self) {
        self.stop(Stop::Immediate);
    }
}
