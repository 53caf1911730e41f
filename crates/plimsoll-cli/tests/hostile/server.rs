//! A server that is none: it takes connections and says to each what a test wants it to.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::Running;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::transcript::Transcript;
use plimsoll_testkit::wait::until;

/// The password of every URL in these tests. It is the server that says it back.
pub(crate) const PASSWORD: &str = "hush-zq-58d-zq";

/// What is said to one connection. An error ends it: the other side is gone.
pub(crate) type Said = fn(&mut Client) -> std::io::Result<()>;

/// A connection to the server.
pub(crate) struct Client {
    stream: TcpStream,
    heard: Arc<Mutex<Vec<u8>>>,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Client {
    pub(crate) fn say(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)?;
        // Of what is long on purpose, the beginning tells it.
        add(&self.said, &bytes[..bytes.len().min(1024)]);
        Ok(())
    }

    /// Says the same for as long as anybody listens.
    pub(crate) fn say_for_ever(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let many = bytes.repeat((1 << 16) / bytes.len() + 1);
        add(&self.said, bytes);
        loop {
            self.stream.write_all(&many)?;
        }
    }

    /// Hears this many bytes.
    pub(crate) fn hear(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        add(&self.heard, &bytes);
        Ok(bytes)
    }

    /// Hears everything until the other side goes away.
    pub(crate) fn hear_to_the_end(&mut self) -> std::io::Result<()> {
        loop {
            self.hear(1)?;
        }
    }
}

fn add(all: &Mutex<Vec<u8>>, bytes: &[u8]) {
    all.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
}

fn all(bytes: &Mutex<Vec<u8>>) -> Vec<u8> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Bytes that mean nothing, the same in each run.
pub(crate) fn noise_of(length: u32) -> Vec<u8> {
    (0..length).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect()
}

/// A server on a port of its own.
pub(crate) struct Server {
    provider: Provider,
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    /// Says this to everybody who connects. Its threads end with their connections, or with the test.
    pub(crate) fn saying(provider: Provider, said: Said) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let (heard, answered) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<Mutex<Vec<u8>>>::default());
        let theirs = (Arc::clone(&heard), Arc::clone(&answered));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut client = Client { stream, heard: Arc::clone(&theirs.0), said: Arc::clone(&theirs.1) };
                std::thread::spawn(move || said(&mut client));
            }
        });
        Self { provider, port, heard, said: answered }
    }

    /// A project with one migration, for this server.
    pub(crate) fn project(&self) -> Project {
        let scheme = self.provider.lock_name();
        let url = format!("{scheme}://app:{PASSWORD}@127.0.0.1:{}/app", self.port);
        Project::new(self.provider).env_url(url).migration("1_init", "CREATE TABLE a (id int);")
    }

    /// Everything that it was told.
    pub(crate) fn heard(&self) -> Vec<u8> {
        all(&self.heard)
    }

    /// Fails unless somebody was told this: what was not tried is not warded off.
    #[track_caller]
    pub(crate) fn assert_said(&self, words: &[u8]) {
        until("it was said", || all(&self.said).windows(words.len()).any(|part| part == words));
    }

    /// A run that meets this server, has to end by itself, and to show neither the password nor an escape code.
    pub(crate) fn outcome(&self) -> Outcome {
        let project = self.project();
        let outcome = Outcome::of(plimsoll(&project).args(["deploy", "--wait=1s"]).spawn());
        until("they met", || !all(&self.said).is_empty());
        outcome
    }
}

/// How a run ended, and how much memory it had at most.
pub(crate) struct Outcome {
    pub(crate) run: Transcript,
    /// Kibibytes that were resident.
    pub(crate) memory: u64,
}

impl Outcome {
    /// Waits for the end.
    pub(crate) fn of(mut run: Running) -> Self {
        let mut memory = 0;
        until("the run ends", || {
            memory = most_memory(run.pid()).max(memory);
            run.has_ended()
        });
        let run = run.wait();
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains(PASSWORD), "the password is shown: {run}");
            let obeyed = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
            assert_eq!(obeyed, None, "a terminal would obey this: {text:?}");
        }
        assert_eq!(run.signal(), None, "{run}");
        assert_ne!(run.code(), Some(70), "{run}");
        Self { run, memory }
    }

    /// Fails unless it ended with this code and said this.
    #[track_caller]
    pub(crate) fn ended(&self, code: i32, words: &str) {
        let run = &self.run;
        assert!(run.stderr.contains(words), "no `{words}` in: {run}");
        assert_eq!(run.code(), Some(code), "{run}");
    }

    /// The same, and unless it stayed small.
    #[track_caller]
    pub(crate) fn expect(self, code: i32, words: &str) {
        self.ended(code, words);
        let memory = self.memory;
        assert!(memory < MOST_MEMORY, "{memory} KiB were resident");
    }
}

/// What a run may need for an answer that makes no sense: the largest message that is read, twice, and itself.
pub(crate) const MOST_MEMORY: u64 = 160 * 1024;

fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
