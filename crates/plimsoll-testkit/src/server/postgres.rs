//! One PostgreSQL server: started, stopped, paused.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::account::give_to_server;
use super::certificates::Certificates;
use super::configuration::Options;
use super::watchdog::Watchdog;
use super::{Version, template};
use crate::address::Address;
use crate::database::Database;

const START_LIMIT: Duration = Duration::from_mins(1);

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No new connections; it ends when the last one has gone.
    Smart,
    /// Open transactions are rolled back, and their connections ended.
    Fast,
    /// As if the power had failed: the next start recovers.
    Immediate,
}

/// A server with a data directory, a port and a socket of its own. It ends with its owner.
pub struct PostgresServer {
    version: Version,
    directory: PathBuf,
    port: u16,
    certificates: Certificates,
    process: Mutex<Option<Child>>,
    watchdog: Mutex<Watchdog>,
}

impl PostgresServer {
    /// Starts a server that nobody else uses. Its port stays the same through every restart.
    pub fn start(version: Version, options: &Options) -> Self {
        let directory =
            TempDir::with_prefix("plimsoll-server-").expect("there is a place for temporary files").keep();
        open_to_all(&directory);
        let watchdog = Mutex::new(Watchdog::over(&directory));
        let certificates = Certificates::make(directory.join("tls"));
        template::copy_to(version, &directory.join("data"));
        give_to_server(&directory);
        let mut server =
            Self { version, directory, port: 0, certificates, process: Mutex::new(None), watchdog };
        server.start_on_a_free_port(options);
        server
    }

    /// Between looking for a free port and using it, somebody else may take it: then another one is tried.
    fn start_on_a_free_port(&mut self, options: &Options) {
        for _ in 0..5 {
            self.port = free_port();
            let text = options.text(&self.directory, self.port, &self.certificates);
            let file = self.data().join("postgresql.conf");
            std::fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            if self.launch() {
                return;
            }
        }
        panic!("PostgreSQL does not start:\n{}", self.log());
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
        &self.directory
    }

    /// Its certificates, and those of a client.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// What the server has logged so far. Statements are in it only with the setting `log_statement`.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.directory.join("server.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The way to a database of this server, which need not exist, for the superuser over TCP.
    pub fn address(&self, database: &str) -> Address {
        Address::new(self.port, &self.directory, database)
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
        let Some(mut child) = self.lock_process().take() else { return };
        let signal = match how {
            Stop::Smart => Signal::TERM,
            Stop::Fast => Signal::INT,
            Stop::Immediate => Signal::QUIT,
        };
        send(child.id(), signal);
        child.wait().expect("it is our child");
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

    /// Stops the time for the server and all its connections: it accepts, and does not answer.
    pub fn pause(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets the time of a paused server go on.
    pub fn resume(&self) {
        self.signal_all(Signal::CONT);
    }

    /// Lets the server live on after this process, for a person to look into.
    pub(crate) fn keep(&self) {
        self.watchdog.lock().unwrap_or_else(std::sync::PoisonError::into_inner).keep();
    }

    fn signal_all(&self, signal: Signal) {
        let Some(pid) = self.lock_process().as_ref().map(Child::id) else { return };
        send(pid, signal);
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .for_each(|child| send(child, signal));
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn lock_process(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Starts the server and waits until it accepts connections; `false` when it ended instead.
    fn launch(&self) -> bool {
        let log = File::options().create(true).append(true).open(self.directory.join("server.log"));
        let log = log.expect("the directory of the server is ours");
        let mut command = template::program(self.version, "postgres");
        command
            .arg("-D")
            .arg(self.data())
            .stdout(log.try_clone().expect("a file has many handles"))
            .stderr(log);
        let mut child = command.process_group(0).spawn().expect("the server is installed");
        let ready = self.wait_until_ready(&mut child);
        *self.lock_process() = ready.then_some(child);
        ready
    }

    fn wait_until_ready(&self, child: &mut Child) -> bool {
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if child.try_wait().expect("it is our child").is_some() {
                return false;
            }
            if self.says_ready(child.id()) {
                return true;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("PostgreSQL is not ready after {START_LIMIT:?}:\n{}", self.log());
    }

    /// The first line of the server's own file is its process, the eighth its state.
    fn says_ready(&self, pid: u32) -> bool {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.first() == Some(&pid.to_string().as_str()) && lines.get(7) == Some(&"ready")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.resume();
        self.stop(Stop::Immediate);
    }
}

/// The server's account must get through to the data inside.
fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))
        .expect("the directory is ours");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

fn send(pid: u32, signal: Signal) {
    // A process that has ended meanwhile needs no signal.
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}
