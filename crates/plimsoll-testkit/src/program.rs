//! Runs a program on a project and keeps everything that it says.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::project::Project;
use crate::transcript::{Transcript, shows_password};

/// How often the end of a program is looked for.
const TICK: Duration = Duration::from_millis(2);

/// A program that is about to run, with an environment of its own: of the test's, only `PATH` is passed on.
pub struct Program {
    command: Command,
    shown: String,
    limit: Duration,
}

impl Program {
    /// A program in the directory of a project, with the project's URL as `DATABASE_URL`.
    pub fn new(name: &str, binary: PathBuf, project: &Project) -> Self {
        let mut command = Command::new(binary);
        command.current_dir(project.path()).env_clear().env("HOME", project.path()).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        if let Some(url) = project.url() {
            command.env("DATABASE_URL", url.expose());
        }
        Self { command, shown: name.to_owned(), limit: Duration::from_mins(1) }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    /// The same with more arguments.
    #[must_use]
    pub fn args(self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// The same with a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The same without a variable.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The same in another directory.
    #[must_use]
    pub fn current_dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// The same under another program, which starts it behind arguments of its own and ends as it does.
    ///
    /// Panics if that program is not installed.
    #[must_use]
    pub fn under(self, tracer: &str, arguments: impl IntoIterator<Item = String>) -> Self {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .map(|directory| directory.join(tracer))
            .find(|path| path.is_file());
        let tracer = found.unwrap_or_else(|| panic!("{tracer} is not installed: run `cargo xtask setup`"));
        let mut command = Command::new(tracer);
        command.args(arguments).arg(self.command.get_program()).args(self.command.get_args());
        command.env_clear().stdin(Stdio::null());
        for (name, value) in self.command.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        if let Some(directory) = self.command.get_current_dir() {
            command.current_dir(directory);
        }
        Self { command, ..self }
    }

    /// The same in a network namespace, which only root can enter.
    #[must_use]
    pub fn in_network(self, namespace: &str) -> Self {
        self.under("ip", ["netns", "exec", namespace].map(str::to_owned))
    }

    /// The same with another time limit than one minute. A program that takes longer is killed and the test fails.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The same with an argument that no transcript shows.
    #[must_use]
    pub(crate) fn hidden_arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Runs the program to its end.
    pub fn run(self) -> Transcript {
        self.spawn().wait()
    }

    /// Starts the program.
    pub fn spawn(mut self) -> Running {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let start = Instant::now();
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.shown));
        let stdout = Stream::read(child.stdout.take().expect("it was asked for"));
        let stderr = Stream::read(child.stderr.take().expect("it was asked for"));
        let message = self.termination_message();
        Running { child, shown: self.shown, start, limit: self.limit, stdout, stderr, message }
    }

    /// The file that the program writes its last words into, if it was told one.
    fn termination_message(&self) -> Option<PathBuf> {
        const FLAG: &str = "--termination-log";
        let arguments: Vec<_> = self.command.get_args().map(OsStr::to_string_lossy).collect();
        let behind =
            arguments.iter().position(|argument| argument == FLAG).and_then(|at| arguments.get(at + 1));
        let inside = arguments.iter().find_map(|argument| argument.strip_prefix(FLAG)?.strip_prefix('='));
        let told = self.command.get_envs().find(|(name, _)| *name == "PLIMSOLL_TERMINATION_LOG");
        let from_flag = behind.map(|path| PathBuf::from(path.as_ref())).or_else(|| inside.map(PathBuf::from));
        let path = from_flag.or_else(|| told?.1.map(PathBuf::from))?;
        Some(self.command.get_current_dir()?.join(path))
    }
}

/// A program that is running. If the test forgets it, it is killed.
pub struct Running {
    child: Child,
    shown: String,
    start: Instant,
    limit: Duration,
    stdout: Stream,
    stderr: Stream,
    message: Option<PathBuf>,
}

impl Running {
    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal. A program that has ended gets none.
    pub fn signal(&mut self, signal: Signal) {
        if self.has_ended() {
            return;
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, signal).expect("the process is ours, and nobody has waited for it");
        }
    }

    /// Ends the program as the kernel does when memory runs out: it cannot do anything about it.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
    }

    /// Whether the program has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// Returns as soon as the program has written `text` to stdout.
    pub fn wait_for_stdout(&self, text: &str) {
        self.stdout.wait_for(text, self.limit);
    }

    /// Returns as soon as the program has written `text` to stderr.
    pub fn wait_for_stderr(&self, text: &str) {
        self.stderr.wait_for(text, self.limit);
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Transcript {
        while !self.has_ended() && self.start.elapsed() < self.limit {
            std::thread::sleep(TICK);
        }
        let in_time = self.has_ended();
        self.kill();
        let elapsed = self.start.elapsed();
        let status = self.child.wait().expect("it is our child");
        let name = std::mem::take(&mut self.shown);
        let transcript = Transcript::new(name, self.stdout.text(), self.stderr.text(), status, elapsed);
        assert!(in_time, "it did not end within {:?}:\n{transcript}", self.limit);
        // A directory, or a file that was not written, holds nothing.
        let message = self.message.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        transcript.assert_no_password(message.as_slice());
        transcript
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A run that a test forgets has said something as well. A test that fails already has another message.
        if !std::thread::panicking() {
            let said = [&self.stdout, &self.stderr].map(Stream::so_far);
            assert!(
                !said.iter().any(|text| shows_password(text)),
                "a password was shown by `{}`",
                self.shown
            );
        }
    }
}

/// What a program has written so far, read by a thread so that its pipe never fills up.
struct Stream {
    shared: Arc<(Mutex<Vec<u8>>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let theirs = Arc::clone(&shared);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                lock(&theirs.0).extend_from_slice(&buffer[..length]);
                theirs.1.notify_all();
            }
        });
        Self { shared, reader: Some(reader) }
    }

    fn wait_for(&self, text: &str, limit: Duration) {
        let has_no = |bytes: &mut Vec<u8>| !String::from_utf8_lossy(bytes).contains(text);
        let waited = self.shared.1.wait_timeout_while(lock(&self.shared.0), limit, has_no);
        let (bytes, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(
            !timeout.timed_out(),
            "no `{text}` within {limit:?} in:\n{}",
            String::from_utf8_lossy(&bytes)
        );
    }

    /// Everything, once the program has ended.
    fn text(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.so_far()
    }

    /// What has arrived until now.
    fn so_far(&self) -> String {
        String::from_utf8_lossy(&lock(&self.shared.0)).into_owned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
