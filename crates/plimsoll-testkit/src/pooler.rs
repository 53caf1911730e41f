//! A pooler that is not PgBouncer, and the hardest to tell from a server.
//!
//! It hands its connections on after each transaction, but gives a client the one that it had before whenever nobody else has it, so that
//! asking which connection it is proves nothing. It speaks the simple query protocol, has no passwords and no TLS, and logs in as
//! [`Role::Trusted`].

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

/// The pooler. Its connections to the server stay open until it ends.
pub struct Pooler {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    database: String,
    keys: Keys,
    size: usize,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    open: usize,
    clients: u64,
    idle: Vec<Server>,
}

/// A connection to the server, and which client had it last.
struct Server {
    stream: TcpStream,
    key: [u8; 8],
    last: u64,
}

impl Pooler {
    /// Listens on a free port, with up to so many connections to a database of the server on a port of this machine.
    pub fn start(server: u16, database: &str, size: usize, keys: Keys) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let database = database.to_owned();
        let (pool, freed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { server, database, keys, size, pool, freed });
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
        let key = match self.keys {
            Keys::Made => [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1],
            Keys::OfServer => {
                let server = self.take(me);
                let key = server.key;
                self.give_back(server);
                key
            }
        };
        let ready = [b"Z\0\0\0\x05I".as_slice()].concat();
        let welcome = [b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c".as_slice(), &key, &ready].concat();
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
            let mut server = held.take().unwrap_or_else(|| self.take(me));
            match pass(&message, &mut server, &mut client) {
                Some(b'I') => self.give_back(server),
                Some(_) => held = Some(server),
                None => {
                    self.lock().open -= 1;
                    self.freed.notify_all();
                    return None;
                }
            }
        }
    }

    /// The connection that the client had last, a new one, or any other that is idle.
    fn take(&self, client: u64) -> Server {
        let mut pool = self.lock();
        loop {
            if let Some(at) = pool.idle.iter().position(|server| server.last == client) {
                return pool.idle.swap_remove(at);
            }
            if pool.open < self.size {
                pool.open += 1;
                return self.open(client);
            }
            if let Some(mut server) = pool.idle.pop() {
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

/// A whole message, with its kind and length.
fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut kind = [0];
    stream.read_exact(&mut kind).ok()?;
    let body = read_body(stream)?;
    let length = u32::try_from(body.len() + 4).ok()?;
    Some([&kind, length.to_be_bytes().as_slice(), &body].concat())
}

/// What is behind a length, which counts itself.
fn read_body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).ok()?.checked_sub(4)?];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}
