//! The process of a server in a directory of its own, which ends with its owner.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::account::give_to_server;
use super::certificates::Certificates;
use super::watchdog::Watchdog;

const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_mins(1);
const STOP_TICK: Duration = Duration::from_millis(2);

/// The name that every server is told to write its number into, in its data directory. PostgreSQL knows no other.
pub(super) const PID_FILE: &str = "postmaster.pid";

/// A directory with the server's data (`data`) and log, and the server that runs in it or does not.
pub(super) struct Process {
    directory: PathBuf,
    child: Mutex<Option<Child>>,
    watchdog: Mutex<Watchdog>,
}

impl Process {
    /// A new directory with certificates and the data that `copy` puts there, all of which is the server's. It goes with its owner,
    /// however that ends.
    pub(super) fn prepared(copy: impl FnOnce(&Path)) -> (Self, Certificates) {
        let process = Self::new();
        let certificates = Certificates::make(process.directory().join("tls"));
        copy(&process.data());
        give_to_server(process.directory());
        (process, certificates)
    }

    fn new() -> Self {
        let directory =
            TempDir::with_prefix("plimsoll-server-").expect("there is a place for temporary files").keep();
        open_to_all(&directory);
        let watchdog = Mutex::new(Watchdog::over(&directory));
        Self { directory, child: Mutex::new(None), watchdog }
    }

    /// The directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the server has its data.
    pub(super) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// What the server has logged so far.
    pub(super) fn log(&self) -> String {
        let bytes = std::fs::read(self.directory.join("server.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Starts the server and waits until it is `ready`, which is asked with its number; `false` when it ended instead.
    pub(super) fn launch(&self, mut command: Command, ready: impl Fn(u32) -> bool) -> bool {
        let log = File::options().create(true).append(true).open(self.directory.join("server.log"));
        let log = log.expect("the directory of the server is ours");
        command.stdout(log.try_clone().expect("a file has many handles")).stderr(log);
        let mut child = command.process_group(0).spawn().expect("the server is installed");
        let is_up = self.wait_until_ready(&mut child, ready);
        *self.lock_child() = is_up.then_some(child);
        is_up
    }

    fn wait_until_ready(&self, child: &mut Child, ready: impl Fn(u32) -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if child.try_wait().expect("it is our child").is_some() {
                return false;
            }
            if ready(child.id()) {
                return true;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("the server is not ready after {START_LIMIT:?}:\n{}", self.log());
    }

    /// Sends the signal that ends the server, and returns when it has ended. One that does not is killed, and the test fails.
    pub(super) fn stop(&self, signal: Signal) {
        let Some(mut child) = self.lock_child().take() else { return };
        send(child.id(), signal);
        let in_time = ends_in_time(&mut child);
        let _ = child.kill();
        child.wait().expect("it is our child");
        assert!(
            in_time || std::thread::panicking(),
            "the server has not ended after {STOP_LIMIT:?}:\n{}",
            self.log()
        );
        // It need not be there: only a server that was killed leaves it behind.
        let _ = std::fs::remove_file(self.data().join(PID_FILE));
    }

    /// Sends a signal to the server alone.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.lock_child().as_ref().map(Child::id) {
            send(pid, signal);
        }
    }

    /// Sends a signal to the server and its children.
    pub(super) fn signal_all(&self, signal: Signal) {
        let Some(pid) = self.lock_child().as_ref().map(Child::id) else { return };
        send(pid, signal);
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .for_each(|child| send(child, signal));
    }

    /// Lets the server live on after this process, for a person to look into.
    pub(super) fn keep(&self) {
        self.watchdog.lock().unwrap_or_else(PoisonError::into_inner).keep();
    }

    fn lock_child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ends_in_time(child: &mut Child) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < STOP_LIMIT {
        if child.try_wait().expect("it is our child").is_some() {
            return true;
        }
        sleep(STOP_TICK);
    }
    false
}

/// The server's account must get through to the data inside.
fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))
        .expect("the directory is ours");
}

/// Calls `start` with free ports until it says that the server runs: between looking for a port and using it, somebody else may
/// take it. `false` if it never does.
pub(super) fn on_a_free_port(mut start: impl FnMut(u16) -> bool) -> bool {
    (0..5).any(|_| start(free_port()))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

fn send(pid: u32, signal: Signal) {
    // A process that has ended meanwhile needs no signal.
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}
