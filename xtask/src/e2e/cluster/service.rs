//! A process that is kept running until it is told to end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{Outcome, send};

/// How long a process may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(20);

/// Where a service is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running(u32),
    /// Whoever ends it now means it.
    Stopping(u32),
    Ended(Option<i32>),
}

/// A process that is started again when somebody kills it, as a service of the node's system would be. A process that
/// ends by itself has given up, and stays down.
///
/// `pids/NAME` holds the number of the process that runs at the moment: a test that wants to kill it finds it there.
pub(super) struct Service {
    name: &'static str,
    log: PathBuf,
    state: Arc<Mutex<State>>,
    keeper: JoinHandle<()>,
}

impl Service {
    /// Starts it. Its output goes to `log/NAME` below the directory.
    pub(super) fn start(directory: &Path, name: &'static str, mut command: Command) -> Outcome<Self> {
        let (log, pid) = (directory.join("log").join(name), directory.join("pids").join(name));
        let output = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = output.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
        command.current_dir(directory).stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = spawn(&mut command, &pid)?;
        let state = Arc::new(Mutex::new(State::Running(child.id())));
        let theirs = Arc::clone(&state);
        let keeper = std::thread::spawn(move || keep(&mut command, child, &pid, &theirs));
        Ok(Self { name, log, state, keeper })
    }

    /// An error with the end of its log, if it has given up.
    pub(super) fn check(&self) -> Outcome {
        let State::Ended(code) = *lock(&self.state) else { return Ok(()) };
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n");
        Err(format!("`{}` ended with {code:?}:\n{end}", self.name))
    }

    /// Asks it to end, waits, and kills it if it takes too long.
    pub(super) fn stop(self) {
        let running = {
            let mut state = lock(&self.state);
            let State::Running(pid) = *state else { return };
            *state = State::Stopping(pid);
            pid
        };
        send(running, Signal::TERM);
        let begun = Instant::now();
        while !self.keeper.is_finished() && begun.elapsed() < GRACE {
            std::thread::sleep(TICK);
        }
        if !self.keeper.is_finished() {
            send(running, Signal::KILL);
        }
        // A keeper that has panicked keeps nothing, and this is the end anyway.
        let _ = self.keeper.join();
    }
}

/// Waits for the process, and starts it again as long as others end it.
fn keep(command: &mut Command, mut child: Child, pid: &Path, state: &Mutex<State>) {
    loop {
        let status = child.wait();
        let mut state = lock(state);
        let was_killed = status.as_ref().is_ok_and(|status| status.code().is_none());
        let again = was_killed && matches!(*state, State::Running(_));
        let next = if again { spawn(command, pid).ok() } else { None };
        let Some(next) = next else {
            *state = State::Ended(status.ok().as_ref().and_then(ExitStatus::code));
            return;
        };
        *state = State::Running(next.id());
        child = next;
    }
}

fn spawn(command: &mut Command, pid: &Path) -> Outcome<Child> {
    let name = command.get_program().display().to_string();
    let child = command.spawn().map_err(|error| format!("`{name}` could not be started: {error}"))?;
    std::fs::write(pid, child.id().to_string()).map_err(|error| format!("{}: {error}", pid.display()))?;
    Ok(child)
}

/// Whether a command succeeds; nobody wants to read what it says until then.
pub(super) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> (tempfile::TempDir, Service) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("log")).unwrap();
        std::fs::create_dir_all(directory.path().join("pids")).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let service = Service::start(directory.path(), "it", command).unwrap();
        (directory, service)
    }

    fn until(mut condition: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < GRACE);
            std::thread::yield_now();
        }
    }

    #[test]
    fn who_is_killed_is_started_again_and_its_number_is_known() {
        let (directory, service) = start("echo up; exec tail -f /dev/null");
        let pid = || -> u32 {
            let text = std::fs::read_to_string(directory.path().join("pids/it")).unwrap();
            text.parse().unwrap_or(0)
        };
        let first = pid();
        send(first, Signal::KILL);
        until(|| ![0, first].contains(&pid()));
        assert_eq!(service.check(), Ok(()));
        let second = pid();
        service.stop();
        assert!(!Path::new(&format!("/proc/{second}")).exists());
    }

    #[test]
    fn who_gives_up_stays_down_and_its_last_words_are_told() {
        let (_directory, service) = start("echo too tired; exit 3");
        until(|| service.check().is_err());
        let said = service.check().unwrap_err();
        assert!(said.contains("`it` ended with Some(3)") && said.contains("too tired"), "{said}");
        service.stop();
    }
}
