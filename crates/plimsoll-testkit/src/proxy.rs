//! Stands between a runner and its server, counts what they say to each other, and strikes at one step of it.
//!
//! A step is one complete message of the runner, or everything that the server answers until it is the runner's turn again.
//! Each side is counted on its own, over all connections: two messages that are on the way together cannot change places.
//! There is no TLS: a runner that asks for it is told that there is none.

mod mysql;
mod postgres;
mod relay;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use relay::relay;

/// What is spoken; it decides where a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// That of PostgreSQL.
    Postgres,
    /// That of MySQL and MariaDB, with text results and without compression.
    Mysql,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The runner.
    Runner,
    /// The server.
    Server,
}

/// Whether the other side still hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It does not: the step has reached the proxy only.
    Before,
    /// It does: the step has been passed on.
    After,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The runner gets SIGKILL, and the kernel closes its connection.
    KillRunner,
    /// The connection is closed to both sides.
    Cut,
    /// The connection is closed to the runner only. The server does not notice, finishes its work and keeps its session, and
    /// the lock with it, until the runner has found the lock taken on a new connection, or has ended.
    CutRunner,
    /// The runner gets SIGTERM. Everything is passed on, then and afterwards.
    Terminate,
    /// The runner gets SIGTERM, and hears and is heard no more on this connection, which stays open until it has ended.
    TerminateUnheard,
}

/// What is done at which step; the first one is number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// What is done.
    pub deed: Deed,
    /// Whose steps are counted.
    pub side: Side,
    /// Before or after the step is passed on.
    pub moment: Moment,
    /// The number of the step.
    pub number: usize,
}

/// A proxy that strikes once. Before and afterwards it only passes on.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens on a free port, for connections to the server on a port of this machine.
    pub fn start(protocol: Protocol, server: u16, strike: Strike) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared::new(protocol, (Ipv4Addr::LOCALHOST, server).into(), strike));
        let theirs = Arc::clone(&shared);
        let listening = std::thread::spawn(move || listen(&listener, &theirs));
        Self { port, shared, listening: Some(listening) }
    }

    /// The same without a strike: it passes on, and counts the bytes of each step.
    pub fn watch(protocol: Protocol, server: u16) -> Self {
        // There is no step before the first one.
        let never = Strike { deed: Deed::Cut, side: Side::Runner, moment: Moment::Before, number: 0 };
        Self::start(protocol, server, never)
    }

    /// The bytes of each step of one side so far, over all connections.
    pub fn lengths(&self, side: Side) -> Vec<usize> {
        self.shared.state().lengths[side as usize].clone()
    }

    /// The port for the runner.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says which process is the runner. It has to be said of every run that is to be killed.
    pub fn runner(&self, pid: u32) {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("it is a process");
        self.shared.runner.set(pid).expect("a proxy kills one runner");
    }

    /// Says that the runner has ended: a connection that was kept for it is closed.
    pub fn runner_ended(&self) {
        self.shared.change(|state| state.runner_ended = true);
    }

    /// For how long the run has gone on since it came to the step, if it did.
    pub fn struck_for(&self) -> Option<Duration> {
        self.shared.state().struck_at.map(|at| at.elapsed())
    }

    /// Whether the run came to the step.
    pub fn has_struck(&self) -> bool {
        self.shared.state().struck_at.is_some()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.change(|state| (state.runner_ended, state.closed) = (true, true));
        // The listener wakes up for a connection, and for nothing else.
        let _wakes = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(listening) = self.listening.take() {
            let _ended = listening.join();
        }
    }
}

/// Returns when the proxy is dropped and all of its connections have ended.
fn listen(listener: &TcpListener, shared: &Shared) {
    std::thread::scope(|scope| {
        while let Ok((runner, _)) = listener.accept() {
            if shared.state().closed {
                break;
            }
            // A server that is down is none: the runner sees that nobody answers.
            let Ok(server) = TcpStream::connect(shared.server) else { continue };
            scope.spawn(move || relay(&runner, &server, shared));
        }
    });
}

/// What the threads of a proxy know together.
struct Shared {
    protocol: Protocol,
    server: SocketAddr,
    strike: Strike,
    runner: OnceLock<Pid>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The steps of the runner and of the server so far.
    steps: [usize; 2],
    /// How many bytes each of them had.
    lengths: [Vec<usize>; 2],
    /// The answers since the strike.
    answers: usize,
    struck_at: Option<Instant>,
    runner_ended: bool,
    closed: bool,
}

/// A runner that has been answered so often on a new connection has logged in, read the history, and found the lock taken.
const ANSWERS: usize = 10;

impl Shared {
    fn new(protocol: Protocol, server: SocketAddr, strike: Strike) -> Self {
        let (state, changed) = (Mutex::new(State::default()), Condvar::new());
        Self { protocol, server, strike, runner: OnceLock::new(), state, changed }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// Counts a step: when to strike, if it is the one.
    fn counted(&self, side: Side, length: usize) -> Option<Moment> {
        let mut is_it = false;
        self.change(|state| {
            state.lengths[side as usize].push(length);
            let steps = &mut state.steps[side as usize];
            *steps += 1;
            is_it = state.struck_at.is_none() && side == self.strike.side && *steps == self.strike.number;
            state.answers += usize::from(state.struck_at.is_some() && side == Side::Server);
            if is_it {
                state.struck_at = Some(Instant::now());
            }
        });
        is_it.then_some(self.strike.moment)
    }

    /// Waits until the runner does not need a server that has not noticed anything any more.
    fn until_released(&self) {
        let needed = |state: &mut State| !state.runner_ended && state.answers < ANSWERS;
        drop(self.changed.wait_while(self.state(), needed));
    }

    /// Waits until the runner has ended.
    fn until_runner_ended(&self) {
        drop(self.changed.wait_while(self.state(), |state| !state.runner_ended));
    }

    fn signal_runner(&self, signal: Signal) {
        // One that has ended by itself was faster.
        let _ended = kill_process(*self.runner.wait(), signal);
    }
}
