//! One connection through the proxy.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use rustix::process::Signal;

use super::{Deed, Moment, Protocol, Shared, Side, mysql, postgres};

/// Where the first step of some bytes ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Not in these bytes.
    Later,
    /// Behind so many of them.
    Step(usize),
    /// Behind so many of them, which are no step: the proxy answers by itself.
    Answered(usize, &'static [u8]),
}

/// Finds the steps of one side of one connection.
pub(super) enum Framing {
    PostgresRunner(postgres::Runner),
    PostgresServer,
    MysqlRunner,
    MysqlServer(mysql::Server),
}

impl Framing {
    fn new(protocol: Protocol, side: Side) -> Self {
        match (protocol, side) {
            (Protocol::Postgres, Side::Runner) => Self::PostgresRunner(postgres::Runner::default()),
            (Protocol::Postgres, Side::Server) => Self::PostgresServer,
            (Protocol::Mysql, Side::Runner) => Self::MysqlRunner,
            (Protocol::Mysql, Side::Server) => Self::MysqlServer(mysql::Server::default()),
        }
    }

    fn next(&mut self, bytes: &[u8]) -> Cut {
        match self {
            Self::PostgresRunner(runner) => runner.next(bytes),
            Self::PostgresServer => postgres::answer(bytes),
            Self::MysqlRunner => mysql::message(bytes),
            Self::MysqlServer(server) => server.next(bytes),
        }
    }
}

/// Passes on what both say until the connection is closed.
pub(super) fn relay(runner: &TcpStream, server: &TcpStream, shared: &Shared) {
    for stream in [runner, server] {
        // What waits for more to come would look like what was never sent.
        let _slower = stream.set_nodelay(true);
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            Way { side: Side::Server, from: server, to: runner, shared }.walk();
            let _closed = runner.shutdown(Shutdown::Write);
        });
        Way { side: Side::Runner, from: runner, to: server, shared }.walk();
        let _closed = server.shutdown(Shutdown::Both);
    });
}

/// One direction of a connection.
struct Way<'a> {
    side: Side,
    from: &'a TcpStream,
    to: &'a TcpStream,
    shared: &'a Shared,
}

impl Way<'_> {
    /// Returns when one of the two is gone, or has been struck.
    fn walk(mut self) {
        let mut framing = Framing::new(self.shared.protocol, self.side);
        let (mut pending, mut buffer) = (Vec::new(), [0; 1 << 13]);
        while let Ok(length @ 1..) = self.from.read(&mut buffer) {
            pending.extend_from_slice(&buffer[..length]);
            if !self.pass_on(&mut pending, &mut framing) {
                return;
            }
        }
        // The last words of a server that turns somebody away are no whole answer.
        let _gone = self.to.write_all(&pending);
    }

    /// Passes on every step that is whole: false once there is nobody to go on for.
    fn pass_on(&mut self, pending: &mut Vec<u8>, framing: &mut Framing) -> bool {
        loop {
            let length = match framing.next(pending) {
                Cut::Later => return true,
                Cut::Answered(length, answer) => {
                    if self.from.write_all(answer).is_err() {
                        return false;
                    }
                    length
                }
                Cut::Step(length) => {
                    if !self.step(&pending[..length]) {
                        return false;
                    }
                    length
                }
            };
            pending.drain(..length);
        }
    }

    fn step(&mut self, bytes: &[u8]) -> bool {
        match self.shared.counted(self.side, bytes.len()) {
            None => self.to.write_all(bytes).is_ok(),
            Some(_) if self.shared.strike.deed == Deed::Terminate => {
                self.shared.signal_runner(Signal::TERM);
                self.to.write_all(bytes).is_ok()
            }
            Some(Moment::Before) => self.strike(),
            Some(Moment::After) => {
                let _gone = self.to.write_all(bytes);
                self.strike()
            }
        }
    }

    /// Nothing comes through this connection any more: false.
    fn strike(&self) -> bool {
        let (runner, server) = match self.side {
            Side::Runner => (self.from, self.to),
            Side::Server => (self.to, self.from),
        };
        match self.shared.strike.deed {
            Deed::KillRunner => self.shared.signal_runner(Signal::KILL),
            Deed::Cut | Deed::Terminate => {}
            Deed::TerminateUnheard => {
                self.shared.signal_runner(Signal::TERM);
                self.shared.until_runner_ended();
            }
            Deed::CutRunner => {
                let _closed = runner.shutdown(Shutdown::Both);
                self.shared.until_released();
            }
        }
        for stream in [server, runner] {
            let _closed = stream.shutdown(Shutdown::Both);
        }
        false
    }
}
