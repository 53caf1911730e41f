//! A network that can be made bad: the real toxiproxy between a runner and its server.
//!
//! It counts bytes and knows no protocol, so that TLS goes through it. What is to happen at one message of a protocol is
//! for [`crate::proxy`].

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::installed;
use crate::proxy::Side;
use crate::server::free_port;
use crate::wait::until;

/// Starts the program and ends it when nobody holds the other end of the pipe any more: with its owner, however that ends.
const LEASH: &str = r#""$1" -host 127.0.0.1 -port "$2" & read -r _; kill $!; wait"#;

/// What a network does to every connection, those that are open included, until it is healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toxic {
    /// Both sides are told at once that the other one is gone.
    Reset,
    /// Nothing comes through, and after this long the connection is closed.
    Timeout(Duration),
    /// Nothing comes through, and the connection stays.
    Silence,
    /// The connection is closed behind so many bytes of one side, which are counted from its beginning.
    Limit(Side, usize),
    /// Every byte comes later by this, in each direction.
    Latency(Duration),
    /// So many kilobytes a second come through, in each direction.
    Bandwidth(u32),
}

/// A proxy to one server of this machine. It ends with its owner.
pub struct Toxiproxy {
    program: Child,
    leash: Option<ChildStdin>,
    api: u16,
    port: u16,
}

impl Toxiproxy {
    /// Starts one, which only passes on, for connections to the server on a port of this machine.
    pub fn start(server: u16) -> Self {
        // Another program may be given the port before this one takes it.
        let mut proxy =
            std::iter::repeat_with(Self::listening).find_map(|tried| tried).expect("tries have no end");
        let made = proxy.ask(
            "/proxies",
            &format!(r#"{{"name":"it","listen":"127.0.0.1:0","upstream":"127.0.0.1:{server}"}}"#),
        );
        let port = made.split_once(r#""listen":"127.0.0.1:"#).and_then(|(_, rest)| rest.split_once('"'));
        proxy.port =
            port.and_then(|(port, _)| port.parse().ok()).unwrap_or_else(|| panic!("no port: {made}"));
        proxy
    }

    /// Starts the program; nothing if it did not get its port.
    fn listening() -> Option<Self> {
        let api = free_port();
        let mut program = Command::new("/bin/sh")
            .args(["-c", LEASH, "leash"])
            .arg(installed::file("toxiproxy/server"))
            .arg(api.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("/bin/sh exists");
        let leash = program.stdin.take();
        let mut proxy = Self { program, leash, api, port: 0 };
        let (mut listens, mut has_ended) = (false, false);
        until("toxiproxy listens, or has ended", || {
            // That something takes the connection says little: a port in this range may even be connected with itself.
            listens = proxy.request("GET", "/version", "").is_ok_and(|answer| answer.contains("200 OK"));
            has_ended = !matches!(proxy.program.try_wait(), Ok(None));
            listens || has_ended
        });
        (listens && !has_ended).then_some(proxy)
    }

    /// The port for the runner. It stays the same whatever is behind it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes the network bad, for the connections that are open too.
    pub fn poison(&self, toxic: Toxic) {
        let (kind, attributes) = match toxic {
            Toxic::Reset => ("reset_peer", r#""timeout":0"#.to_owned()),
            Toxic::Timeout(after) => ("timeout", format!(r#""timeout":{}"#, after.as_millis())),
            Toxic::Silence => ("timeout", r#""timeout":0"#.to_owned()),
            Toxic::Limit(_, bytes) => ("limit_data", format!(r#""bytes":{bytes}"#)),
            Toxic::Latency(by) => ("latency", format!(r#""latency":{}"#, by.as_millis())),
            Toxic::Bandwidth(rate) => ("bandwidth", format!(r#""rate":{rate}"#)),
        };
        let streams: &[&str] = match toxic {
            Toxic::Limit(Side::Runner, _) => &["upstream"],
            Toxic::Limit(Side::Server, _) => &["downstream"],
            _ => &["upstream", "downstream"],
        };
        for stream in streams {
            let body = format!(r#"{{"type":"{kind}","stream":"{stream}","attributes":{{{attributes}}}}}"#);
            self.ask("/proxies/it/toxics", &body);
        }
    }

    /// Makes the network good again. What stood still is closed.
    pub fn heal(&self) {
        self.ask("/reset", "");
    }

    /// Leads to another server of this machine from now on; the connections that are open are closed.
    pub fn lead_to(&self, server: u16) {
        self.ask("/proxies/it", &format!(r#"{{"upstream":"127.0.0.1:{server}"}}"#));
    }

    /// Says something to its API. Panics unless that was understood.
    fn ask(&self, path: &str, body: &str) -> String {
        let answer = self.request("POST", path, body).expect("it listens, answers and ends the connection");
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('2'), "toxiproxy: {path} {body}\n{answer}");
        answer
    }

    fn request(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.api))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Toxiproxy {
    fn drop(&mut self) {
        self.leash = None;
        let _ended = self.program.wait();
    }
}
