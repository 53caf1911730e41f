//! A pooler that is not PgBouncer, and the hardest to tell from a server.
//!
//! It hands its connections on after each transaction, but gives a client the one that it had before whenever nobody else has it, so that
//! asking which connection it is proves nothing. It speaks the simple query protocol, has no passwords and no TLS, and logs in as
//! [`Role::Trusted`].

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::server::Role;

/// Which number of a process, and which secret, a client gets for cancelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// One that no process has, as poolers do.
    Made,
    /// Those of the connection that it gets first: nothing tells such a pooler from a server.
    OfServer,
}

/// The server waits for a message, outside of a transaction.
const READY: &[u8] = b"Z\0\0\0\x05I";

/// What becomes of `LISTEN` and `NOTIFY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notices {
    /// The server is told. What it sends while no client has the connection comes too late.
    OfServer,
    /// The pooler listens in the place of the server, and says itself what is notified.
    Own,
    /// The server is told, and the pooler knows its clients all the same, and tells them itself.
    Both,
    /// The same, and a client has its connection for as long as it listens: then the next one gets it.
    UntilUnlistened,
}

/// What a pooler is like.
#[derive(Clone, Copy, Debug)]
pub struct Likeness {
    /// Up to so many connections to the server.
    pub size: usize,
    /// What it gives out for cancelling.
    pub keys: Keys,
    /// What becomes of notifications.
    pub notices: Notices,
}

/// The pooler. Its connections to the server stay open until it ends.
pub struct Pooler {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    database: String,
    likeness: Likeness,
    /// Who listens, by channel.
    listeners: Mutex<HashMap<String, TcpStream>>,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    open: usize,
    clients: u64,
    idle: Vec<Server>,
}

/// The number that no client has.
const NOBODY: u64 = 0;

/// A connection to the server, and which client had it last.
struct Server {
    stream: TcpStream,
    key: [u8; 8],
    last: u64,
}

impl Pooler {
    /// Listens on a free port, before a database of the server on a port of this machine.
    pub fn start(server: u16, database: &str, likeness: Likeness) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let database = database.to_owned();
        let (listeners, pool, freed) = (Mutex::default(), Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { server, database, likeness, listeners, pool, freed });
        let theirs = Arc::clone(&shared);
        // It ends with the test process: nobody connects to it once its owner is gone.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&theirs);
                std::thread::spawn(move || shared.serve(client));
            }
        });
        Self { port, shared }
    }

    /// The port on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections to the server are open.
    pub fn connections(&self) -> usize {
        self.shared.lock().open
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.shared.lock().idle.clear();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one client until it is gone.
    fn serve(&self, mut client: TcpStream) -> Option<()> {
        greet(&mut client)?;
        let me = {
            let mut pool = self.lock();
            pool.clients += 1;
            pool.clients
        };
        let key = match self.likeness.keys {
            Keys::Made => [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1],
            Keys::OfServer => {
                let server = self.take(me);
                let key = server.key;
                self.give_back(server);
                key
            }
        };
        let welcome = [b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c".as_slice(), &key, READY].concat();
        client.write_all(&welcome).ok()?;
        let mut held: Option<Server> = None;
        loop {
            let Some(message) = read_message(&mut client).filter(|message| message[0] == b'Q') else {
                // A transaction that nobody ends any more ends with its connection.
                if held.is_some() {
                    self.lock().open -= 1;
                    self.freed.notify_all();
                }
                return None;
            };
            if self.is_ours(&message, &mut client)? {
                continue;
            }
            let mut server = held.take().unwrap_or_else(|| self.take(me));
            match pass(&message, &mut server, &mut client) {
                Some(b'I') => {
                    if self.likeness.notices == Notices::UntilUnlistened
                        && message[5..].starts_with(b"UNLISTEN")
                    {
                        server.last = NOBODY;
                    }
                    self.give_back(server);
                }
                Some(_) => held = Some(server),
                None => {
                    self.lock().open -= 1;
                    self.freed.notify_all();
                    return None;
                }
            }
        }
    }

    /// What a pooler that knows of notifications makes of a message: true if the server is not to see it.
    fn is_ours(&self, message: &[u8], client: &mut TcpStream) -> Option<bool> {
        let text = String::from_utf8_lossy(&message[5..message.len() - 1]);
        let Some((verb, channel)) = text.split_once(' ') else { return Some(false) };
        let is_known = match self.likeness.notices {
            Notices::OfServer => false,
            Notices::Own => self.tell(verb, channel, client)?,
            Notices::Both | Notices::UntilUnlistened => {
                self.tell(verb, channel, client)?;
                false
            }
        };
        if is_known {
            client.write_all(&framed(b'C', format!("{verb}\0").as_bytes())).ok()?;
            client.write_all(READY).ok()?;
        }
        Some(is_known)
    }

    /// Keeps who listens, and says what is notified: false if the message is about something else.
    fn tell(&self, verb: &str, channel: &str, client: &TcpStream) -> Option<bool> {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        match verb {
            "LISTEN" => drop(listeners.insert(channel.to_owned(), client.try_clone().ok()?)),
            "UNLISTEN" => drop(listeners.remove(channel)),
            "NOTIFY" => {
                if let Some(listener) = listeners.get_mut(channel) {
                    listener.write_all(&notification(channel)).ok()?;
                }
            }
            _ => return Some(false),
        }
        Some(true)
    }

    /// The connection that the client had last, a new one, or any other that is idle.
    fn take(&self, client: u64) -> Server {
        let mut pool = self.lock();
        loop {
            if let Some(at) = pool.idle.iter().position(|server| server.last == client) {
                return pool.idle.swap_remove(at);
            }
            if pool.open < self.likeness.size {
                pool.open += 1;
                return self.open(client);
            }
            // That which has been idle for the longest.
            if !pool.idle.is_empty() {
                let mut server = pool.idle.remove(0);
                server.last = client;
                return server;
            }
            pool = self.freed.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, server: Server) {
        self.lock().idle.push(server);
        self.freed.notify_all();
    }

    fn open(&self, client: u64) -> Server {
        let mut stream = TcpStream::connect(("127.0.0.1", self.server)).expect("the server is up");
        let user = Role::Trusted.name();
        let words = format!("user\0{user}\0database\0{}\0\0", self.database);
        let length = u32::try_from(words.len() + 8).expect("a name is short");
        let start = [&length.to_be_bytes(), 196_608_u32.to_be_bytes().as_slice(), words.as_bytes()].concat();
        stream.write_all(&start).expect("the server listens");
        let mut key = [0; 8];
        loop {
            let message = read_message(&mut stream).expect("the server lets this role in");
            match message[0] {
                b'K' => key.copy_from_slice(&message[5..13]),
                b'Z' => return Server { stream, key, last: client },
                _ => {}
            }
        }
    }
}

/// Answers what comes before a login: there is no TLS.
fn greet(client: &mut TcpStream) -> Option<()> {
    const TLS: [u8; 4] = 80_877_103_u32.to_be_bytes();
    const CANCEL: [u8; 4] = 80_877_102_u32.to_be_bytes();
    loop {
        let body = read_body(client)?;
        match body.get(..4)? {
            code if code == TLS => client.write_all(b"N").ok()?,
            code if code == CANCEL => return None,
            _ => return Some(()),
        }
    }
}

/// Passes a message on, and everything that is answered; the state of the transaction behind it.
fn pass(message: &[u8], server: &mut Server, client: &mut TcpStream) -> Option<u8> {
    server.stream.write_all(message).ok()?;
    loop {
        let answer = read_message(&mut server.stream)?;
        client.write_all(&answer).ok()?;
        if answer[0] == b'Z' {
            return answer.get(5).copied();
        }
    }
}

/// What a server says to who listens: the number of a process, the channel, and no words.
fn notification(channel: &str) -> Vec<u8> {
    framed(b'A', &[&[0, 0, 0, 1], channel.as_bytes(), b"\0\0"].concat())
}

/// A whole message, with its kind and length.
fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut kind = [0];
    stream.read_exact(&mut kind).ok()?;
    Some(framed(kind[0], &read_body(stream)?))
}

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a message is shorter than that");
    [&[kind], length.to_be_bytes().as_slice(), body].concat()
}

/// What is behind a length, which counts itself.
fn read_body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).ok()?.checked_sub(4)?];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}
