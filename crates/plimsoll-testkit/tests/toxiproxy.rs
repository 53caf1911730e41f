//! The network that can be made bad is.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use plimsoll_testkit::proxy::Side;
use plimsoll_testkit::toxiproxy::{Toxic, Toxiproxy};

/// A server that says back what it hears, and its port.
fn echo() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let _gone = std::io::copy(&mut &stream, &mut &stream);
            });
        }
    });
    port
}

/// Says four bytes, and returns as many of what comes back as come within a second.
fn four(stream: &mut TcpStream) -> std::io::Result<usize> {
    said_back(stream, 4)
}

/// Says so many bytes, and returns as many of what comes back as come before a second of silence.
fn said_back(stream: &mut TcpStream, length: usize) -> std::io::Result<usize> {
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(&vec![b'x'; length])?;
    let mut heard = 0;
    while heard < length {
        match stream.read(&mut [0; 4096])? {
            0 => break,
            more => heard += more,
        }
    }
    Ok(heard)
}

#[test]
fn every_toxic_does_what_it_says_and_is_healed() {
    let proxy = Toxiproxy::start(echo());
    let connect = || TcpStream::connect(("127.0.0.1", proxy.port())).expect("it listens");
    for toxic in [Toxic::Reset, Toxic::Silence, Toxic::Timeout(Duration::from_millis(50))] {
        let mut open = connect();
        assert_eq!(four(&mut open).ok(), Some(4));
        proxy.poison(toxic);
        assert_ne!(four(&mut open).ok(), Some(4), "{toxic:?} leaves an open connection alone");
        assert_ne!(four(&mut connect()).ok(), Some(4), "{toxic:?} leaves a new connection alone");
        proxy.heal();
        assert_eq!(four(&mut connect()).ok(), Some(4), "{toxic:?} is not healed");
    }
    for side in [Side::Runner, Side::Server] {
        proxy.poison(Toxic::Limit(side, 3));
        // What was let through may come, or be overtaken by the end of the connection.
        assert_ne!(four(&mut connect()).ok(), Some(4), "{side:?}");
        proxy.heal();
        assert_eq!(four(&mut connect()).ok(), Some(4), "{side:?}");
    }
    proxy.poison(Toxic::Latency(Duration::from_millis(100)));
    let begun = Instant::now();
    assert_eq!(four(&mut connect()).ok(), Some(4));
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    proxy.heal();
    proxy.poison(Toxic::Bandwidth(100));
    let begun = Instant::now();
    assert_eq!(said_back(&mut connect(), 30_000).ok(), Some(30_000));
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
}
