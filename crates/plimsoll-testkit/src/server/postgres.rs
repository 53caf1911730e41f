//! One PostgreSQL server: started, stopped, paused.

mod configuration;
mod template;

use std::path::Path;

use rustix::process::Signal;

use super::certificates::Certificates;
use super::process::{PID_FILE, Process, on_a_free_port};
use super::{Options, Stop, Version};
use crate::address::Address;
use crate::database::Database;

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
        let mut command = template::program(self.version, "postgres");
        command.arg("-D").arg(self.process.data());
        self.process.launch(command, |pid| self.says_ready(pid))
    }

    /// The first line of the server's own file is its process, the eighth its state.
    fn says_ready(&self, pid: u32) -> bool {
        let text = std::fs::read_to_string(self.process.data().join(PID_FILE)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.first() == Some(&pid.to_string().as_str())
            && lines.get(7).is_some_and(|state| ["ready", "standby"].contains(state))
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.resume();
        self.stop(Stop::Immediate);
    }
}
