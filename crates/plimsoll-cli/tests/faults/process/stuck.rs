//! SIGTERM while a run waits for somebody who never says a word: the kernel of another machine, a server, its TLS.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::program::Signal;
use plimsoll_testkit::server::{Flavour, Version};

use crate::scene::{INIT, MOST_AFTER_SIGNAL, assert_says, deploy, project};

const POSTGRES: (Kind, &str) = (Kind::Postgres(Version::V15), "postgresql");
const MYSQL: (Kind, &str) = (Kind::Mysql(Flavour::Mysql), "mysql");

/// Starts a run at an address, and ends it as soon as `is_stuck` returns.
fn ends(kind: (Kind, &str), at: SocketAddr, parameters: &str, is_stuck: impl FnOnce()) {
    let url = format!("{}://u:p@{at}/d{parameters}", kind.1);
    let project = project(kind.0, url, &[("1_init", INIT)]);
    let mut running = deploy(&project).spawn();
    is_stuck();
    // It connects while it reads its migrations, and whoever ends it then has ended nothing that there would be a word to say of.
    plimsoll_testkit::wait::until("it listens to signals", || listens(running.pid()));
    assert!(!running.has_ended(), "it has nothing to wait for");
    let sent = Instant::now();
    running.signal(Signal::TERM);
    let ended = running.wait().expect_code(143);
    assert!(sent.elapsed() < MOST_AFTER_SIGNAL, "it took {:?} to end:\n{ended}", sent.elapsed());
    assert_says(&ended.stderr, &["PLM301", "while nothing was being applied"]);
}

/// Whether a runner has the thread that ends it if nothing else does, with which it begins to listen.
fn listens(runner: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{runner}/task")) else { return false };
    let names = threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.into_iter().any(|name| name.trim_end() == "last resort")
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

/// Takes one connection, hears what is said first, and answers it with these words.
fn answer(listener: &TcpListener, words: &[u8]) -> TcpStream {
    let (mut stream, _) = listener.accept().expect("the runner connects");
    let _first = stream.read(&mut [0; 1024]).expect("the runner speaks first");
    stream.write_all(words).expect("the runner listens");
    stream
}

/// A kernel whose queue of connections is full does not answer, as one behind a firewall does not.
#[test]
fn a_run_that_nobody_answers_can_be_ended() {
    let (listener, address) = listen();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queue.push(stream);
        assert!(queue.len() < 10_000, "the queue has no end");
    }
    for kind in [POSTGRES, MYSQL] {
        let waiting = || plimsoll_testkit::wait::until("it connects", || is_connecting(address));
        ends(kind, address, "", waiting);
    }
    drop((listener, queue));
}

/// Whether somebody waits for the first answer of this address: state 2 of a connection is `SYN_SENT`.
fn is_connecting(to: SocketAddr) -> bool {
    let port = format!(":{:04X} 02 ", to.port());
    std::fs::read_to_string("/proc/net/tcp").expect("the kernel tells").contains(&port)
}

#[test]
fn a_run_whose_server_says_nothing_can_be_ended() {
    let (listener, address) = listen();
    let mut silent = None;
    ends(POSTGRES, address, "", || silent = Some(answer(&listener, b"")));
    // A server of MySQL greets first.
    ends(MYSQL, address, "", || silent = Some(listener.accept().expect("the runner connects").0));
    drop(silent);
}

#[test]
fn a_run_in_the_middle_of_tls_and_of_logging_in_can_be_ended() {
    let (listener, address) = listen();
    let mut silent = None;
    // `S`: the server speaks TLS, and what follows is the greeting of TLS.
    ends(POSTGRES, address, "?sslmode=require", || {
        silent = Some(answer(&listener, b"S"));
        hears_more(silent.as_mut());
    });
    // `N`: it does not, and what follows says who is there.
    ends(POSTGRES, address, "", || {
        silent = Some(answer(&listener, b"N"));
        hears_more(silent.as_mut());
    });
}

fn hears_more(stream: Option<&mut TcpStream>) {
    let heard = stream.expect("it is there").read(&mut [0; 1024]).expect("the runner goes on");
    assert!(heard > 0, "the runner is gone");
}
