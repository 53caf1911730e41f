//! One PostgreSQL server: started, stopped, paused.

mod configuration;
mod template;

use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::certificates::Certificates;
use super::process::{PID_FILE, Process, on_a_free_port};
use super::{KEEPER, Options, Stop, Version};
use crate::address::Address;
use crate::database::Database;
use crate::wait::until;

/// A server with a data directory, a port and a socket of its own. It ends with its owner.
pub struct PostgresServer {
    version: Version,
    port: u16,
    certificates: Certificates,
    process: Process,
}

impl PostgresServer {
    /// Starts a server that nobody else uses. Its port stays the same through every restart.
    pub fn start(version: Version, options: &Options) -> Self {
        let (process, certificates) = Process::prepared(|data| template::copy_to(version, data));
        let mut server = Self { version, port: 0, certificates, process };
        server.start_on_a_free_port(options);
        server
    }

    fn start_on_a_free_port(&mut self, options: &Options) {
        let runs = on_a_free_port(|port| {
            self.port = port;
            let text = configuration::text(options, self.process.directory(), port, &self.certificates);
            let file = self.process.data().join("postgresql.conf");
            std::fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            self.launch()
        });
        assert!(runs, "PostgreSQL does not start:\n{}", self.log());
    }

    /// The version of the server.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The port on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the Unix socket.
    pub fn socket_directory(&self) -> &Path {
        self.process.directory()
    }

    /// Its certificates, and those of a client.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// What the server has logged so far. Statements are in it only with the setting `log_statement`.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The way to a database of this server, which need not exist, for the superuser over TCP.
    pub fn address(&self, database: &str) -> Address {
        Address::postgres(self.port, self.process.directory(), database)
    }

    /// A new database of its own for one test.
    pub async fn database(&self) -> Database<'_> {
        Database::create(self, &Database::random_name()).await
    }

    /// A new database whose name contains `part`: with quotes, spaces, capitals.
    pub async fn database_named(&self, part: &str) -> Database<'_> {
        Database::create(self, &format!("{part}{}", Database::random_name())).await
    }

    /// A database that somebody else has made, and that has come here by replication.
    pub fn database_called(&self, name: &str) -> Database<'_> {
        Database::unborn(self, name)
    }

    /// A database that does not exist yet. Whoever creates it, it is dropped at the end.
    pub fn missing_database(&self) -> Database<'_> {
        Database::unborn(self, &Database::random_name())
    }

    /// Stops the server and returns when it has ended.
    pub fn stop(&self, how: Stop) {
        self.process.stop(match how {
            Stop::Smart => Signal::TERM,
            Stop::Fast => Signal::INT,
            Stop::Immediate => Signal::QUIT,
        });
    }

    /// Starts a stopped server on the port that it had, and returns when it accepts connections.
    pub fn start_again(&self) {
        assert!(self.launch(), "PostgreSQL does not start again:\n{}", self.log());
    }

    /// Stops the server and starts it again.
    pub fn restart(&self, how: Stop) {
        self.stop(how);
        self.start_again();
    }

    /// Stops the server and starts it again as a standby, which answers and accepts no writes until it is promoted. It follows
    /// nobody.
    pub fn restart_as_standby(&self) {
        self.stop(Stop::Fast);
        let signal = self.process.data().join("standby.signal");
        std::fs::write(&signal, "").unwrap_or_else(|error| panic!("{}: {error}", signal.display()));
        self.start_again();
    }

    /// Starts a stopped server as one that recovers from an archive, and returns as soon as it answers, if only to refuse. It has
    /// recovered when its `restore_command` says that there is no more.
    pub fn begin_to_recover(&self) {
        let signal = self.process.data().join("recovery.signal");
        std::fs::write(&signal, "").unwrap_or_else(|error| panic!("{}: {error}", signal.display()));
        let begins = |pid| self.state(pid).is_some();
        assert!(self.process.launch(self.command(), begins), "PostgreSQL does not start:\n{}", self.log());
    }

    /// A standby of this server, with a copy of all its databases, which follows it on a port of its own.
    #[must_use]
    pub fn standby(&self) -> Self {
        let access = self.process.data().join("pg_hba.conf");
        let lines = std::fs::read_to_string(&access).expect("the directory is ours");
        std::fs::write(&access, format!("local replication {KEEPER} trust\n{lines}"))
            .expect("the directory is ours");
        self.process.signal(Signal::HUP);
        let (process, certificates) = Process::prepared(|data| self.copy_to(data));
        std::fs::write(process.data().join("standby.signal"), "").expect("the directory is ours");
        let primary = format!("host={} port={} user={KEEPER}", self.socket_directory().display(), self.port);
        let mut server = Self { version: self.version, port: 0, certificates, process };
        server.start_on_a_free_port(&Options::default().setting("primary_conninfo", &primary));
        server
    }

    /// Takes a copy as soon as the server lets us, which has just been told to.
    fn copy_to(&self, data: &Path) {
        let copied = || {
            let mut copy = Command::new("pg_basebackup");
            copy.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
            copy.arg("--host").arg(self.socket_directory()).arg(format!("--port={}", self.port));
            copy.args([&format!("--username={KEEPER}"), "--checkpoint=fast", "--no-sync", "--pgdata"])
                .arg(data);
            copy.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        until("`pg_basebackup` of Debian's postgresql-client copies the server", copied);
    }

    /// Stops the time for the server and all its connections: it accepts, and does not answer.
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

    fn launch(&self) -> bool {
        let serves =
            |pid| self.state(pid).is_some_and(|state| ["ready", "standby"].contains(&state.as_str()));
        self.process.launch(self.command(), serves)
    }

    fn command(&self) -> Command {
        let mut command = template::program(self.version, "postgres");
        command.arg("-D").arg(self.process.data());
        command
    }

    /// What the server says of itself: the first line of its own file is its process, the eighth its state.
    fn state(&self, pid: u32) -> Option<String> {
        let text = std::fs::read_to_string(self.process.data().join(PID_FILE)).unwrap_or_default();
        let mut lines = text.lines().map(str::trim);
        let is_its = lines.next() == Some(&pid.to_string());
        lines.nth(6).filter(|state| is_its && !state.is_empty()).map(str::to_owned)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.resume();
        self.stop(Stop::Immediate);
    }
}
