//! The name of the database is not known yet, or whoever knows it says nothing.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use plimsoll_testkit::address::Address;
use plimsoll_testkit::base::Kind;
use plimsoll_testkit::program::{Program, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, PgBouncer, PoolMode, Version, mysql, postgres};
use plimsoll_testkit::wait::until_async;
use tempfile::TempDir;

use crate::scene::{INIT, MOST_AFTER_SIGNAL, POSTGRES, assert_says, project};

/// What a server of names says: the lowest four bits of the flags of its answers, or nothing.
const KNOWN: u16 = 0;
const FAILED: u16 = 2;
const UNKNOWN: u16 = 3;
const SILENT: u16 = 99;
/// Known, and at another address, where nobody is.
const ELSEWHERE: u16 = 98;

/// A server that knows every name, or none. It ends with its owner.
struct Names {
    address: String,
    says: Arc<AtomicU16>,
    asked: Arc<AtomicBool>,
    answering: Option<JoinHandle<()>>,
    place: TempDir,
}

impl Names {
    /// A server of one test: port 53 is the only one that a resolver asks, and every address has its own.
    fn start(test: u8, says: u16) -> Self {
        let process = std::process::id().to_be_bytes();
        let address = format!("127.{}.{}.{}", 140 + test, process[2], process[3]);
        let socket =
            UdpSocket::bind((address.as_str(), 53)).unwrap_or_else(|error| panic!("{address}: {error}"));
        let says = Arc::new(AtomicU16::new(says));
        let asked = Arc::new(AtomicBool::new(false));
        let (ours, heard) = (Arc::clone(&says), Arc::clone(&asked));
        let answering = std::thread::spawn(move || answer(&socket, &ours, &heard));
        let place = TempDir::with_prefix("plimsoll-names-").expect("there is a place for temporary files");
        std::fs::write(place.path().join("resolv.conf"), format!("nameserver {address}\n"))
            .expect("it is ours");
        Self { address, says, asked, answering: Some(answering), place }
    }

    fn now_says(&self, says: u16) {
        self.says.store(says, Ordering::SeqCst);
    }

    /// `plimsoll deploy` on a machine that asks this server.
    fn deploy(&self, project: &Project) -> Program {
        let start = "mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"";
        Program::new("unshare", "unshare".into(), project)
            .args(["--mount", "sh", "-c", start, "sh"])
            .arg(self.place.path().join("resolv.conf"))
            .args([env!("CARGO_BIN_EXE_plimsoll"), "deploy", "--wait=1m"])
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        // An empty message ends it.
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("there is a free port");
        let _gone = socket.send_to(&[], (self.address.as_str(), 53));
        if let Some(answering) = self.answering.take() {
            let _ended = answering.join();
        }
    }
}

/// Answers until it is told to end.
fn answer(socket: &UdpSocket, says: &AtomicU16, asked: &AtomicBool) {
    let mut buffer = [0; 512];
    while let Ok((length @ 1.., from)) = socket.recv_from(&mut buffer) {
        asked.store(true, Ordering::SeqCst);
        let says = says.load(Ordering::SeqCst);
        if says != SILENT {
            let _gone = socket.send_to(&reply(&buffer[..length], says), from);
        }
    }
}

/// The answer to a question: every name that is known is this machine's, which has no address of version 6.
fn reply(question: &[u8], says: u16) -> Vec<u8> {
    let (says, last) = if says == ELSEWHERE { (KNOWN, 2) } else { (says, 1) };
    let name = question[12..].iter().position(|&byte| byte == 0).expect("a name ends") + 13;
    let is_version_four = question[name..name + 2] == [0, 1];
    let answers = u16::from(says == KNOWN && is_version_four);
    let mut reply = question[..2].to_vec();
    for field in [0x8180 | says, 1, answers, 0, 0] {
        reply.extend(field.to_be_bytes());
    }
    reply.extend(&question[12..name + 4]);
    if answers == 1 {
        // The name of the question, an address, of the Internet, to be forgotten at once, of four bytes.
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, last]);
    }
    reply
}

/// A project whose database is known by a name.
fn named(kind: Kind, address: &Address) -> Project {
    project(kind, address.clone().host("db.example.org").url(), &[("1_init", INIT)])
}

async fn comes_late(test: u8, says: u16) {
    let names = Names::start(test, says);
    let database = postgres(Version::V15).database().await;
    let other = mysql(Flavour::Mariadb).database().await;
    let projects = [
        named(Kind::Postgres(Version::V15), &database.address()),
        named(Kind::Mysql(Flavour::Mariadb), &other.address()),
    ];
    for project in projects {
        names.now_says(says);
        let running = names.deploy(&project).spawn();
        running.wait_for_stderr("waiting for up to");
        names.now_says(KNOWN);
        let ended = running.wait().expect_code(0);
        assert_says(&ended.stderr, &["Can't reach database server at `db.example.org"]);
    }
    assert_eq!(database.value("SELECT n FROM counter").await, "0");
    assert_eq!(other.value("SELECT n FROM counter").await, "0");
}

#[tokio::test]
async fn a_name_that_comes_late_is_waited_for() {
    comes_late(0, UNKNOWN).await;
}

#[tokio::test]
async fn a_server_of_names_that_fails_is_waited_for() {
    comes_late(1, FAILED).await;
}

/// A lookup blocks a thread that nobody can stop.
#[test]
fn a_run_whose_server_of_names_says_nothing_can_be_ended() {
    let names = Names::start(2, SILENT);
    for kind in [Kind::Postgres(Version::V15), Kind::Mysql(Flavour::Mysql)] {
        let url = format!("{}://u:p@db.example.org/d", kind.provider().lock_name());
        let project = project(kind, url, &[("1_init", INIT)]);
        names.asked.store(false, Ordering::SeqCst);
        let mut running = names.deploy(&project).spawn();
        plimsoll_testkit::wait::until("it asks for the name", || names.asked.load(Ordering::SeqCst));
        let sent = Instant::now();
        running.signal(Signal::TERM);
        let ended = running.wait().expect_code(143);
        assert!(sent.elapsed() < MOST_AFTER_SIGNAL, "it took {:?} to end:\n{ended}", sent.elapsed());
        assert_says(&ended.stderr, &["PLM301", "while nothing was being applied"]);
    }
}

/// Only the pooler that has the session knows what is meant.
#[tokio::test]
async fn a_statement_is_cancelled_at_its_pooler_wherever_the_name_of_that_leads_by_then() {
    let names = Names::start(3, KNOWN);
    let server = postgres(Version::V15);
    let database = server.database().await;
    let pooler = PgBouncer::start(server, PoolMode::Transaction, &[]);
    let address = database.address().port(pooler.port());
    let script = ("1_slow", "SELECT pg_sleep(60);");
    let project = project(POSTGRES, address.host("db.example.org").url(), &[script]);
    let mut running = names.deploy(&project).spawn();
    let asleep = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    until_async("it is applied", async || database.value(asleep).await == "t").await;
    names.now_says(ELSEWHERE);
    running.signal(Signal::TERM);
    let ended = running.wait().expect_code(143);
    assert_says(&ended.stderr, &["PLM301", "the statement under way was cancelled and rolled back"]);
    assert_eq!(database.value(asleep).await, "f", "the statement goes on without anybody");
}
