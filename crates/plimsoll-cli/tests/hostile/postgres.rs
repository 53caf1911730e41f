//! Something that speaks PostgreSQL's protocol, and means harm.

use std::io::Result;
use std::time::{Duration, Instant};

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::Signal;

use super::server::{Client, Outcome, PASSWORD, Said, Server, noise_of};

fn outcome(said: Said) -> Outcome {
    Server::saying(Provider::Postgresql, said).outcome()
}

/// A message of this kind, whose length is right.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a message is short");
    [&[kind], length.to_be_bytes().as_slice(), body].concat()
}

fn error(sqlstate: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{sqlstate}\0M{text}\0\0").as_bytes())
}

/// Hears the messages that a connection begins with, and knows no TLS.
fn greeted(client: &mut Client) -> Result<()> {
    client.hear(8)?;
    client.say(b"N")?;
    let length = client.hear(4)?;
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
    client.hear(usize::try_from(length).unwrap_or(4).saturating_sub(4)).map(drop)
}

/// Lets everybody in without a password, and is ready.
fn let_in(client: &mut Client) -> Result<()> {
    greeted(client)?;
    let setting = |name: &str, value: &str| message(b'S', format!("{name}\0{value}\0").as_bytes());
    let said = [
        message(b'R', &0_u32.to_be_bytes()),
        setting("server_version", "17.2"),
        setting("client_encoding", "UTF8"),
        setting("standard_conforming_strings", "on"),
        message(b'K', &[0; 8]),
        message(b'Z', b"I"),
    ];
    client.say(&said.concat())
}

/// Hears one query.
fn asked(client: &mut Client) -> Result<()> {
    let head = client.hear(5)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    client.hear(usize::try_from(length).unwrap_or(4).saturating_sub(4)).map(drop)
}

#[test]
fn noise_on_the_socket_is_an_error() {
    fn noise(client: &mut Client) -> Result<()> {
        greeted(client)?;
        client.say_for_ever(&noise_of(4096))
    }
    // How much memory it took is not asked: what was really sent may be large.
    outcome(noise).ended(69, "unknown message tag `0`");
}

#[test]
fn a_message_that_says_it_is_two_gibibytes_long_is_not_waited_for() {
    fn huge(client: &mut Client) -> Result<()> {
        greeted(client)?;
        client.say(b"E\x7f\xff\xff\xff")?;
        client.hear_to_the_end()
    }
    outcome(huge).expect(69, "Can't reach database server");
}

#[test]
fn of_an_error_of_twenty_megabytes_the_beginning_is_shown() {
    fn long(client: &mut Client) -> Result<()> {
        greeted(client)?;
        client.say(&error("XX000", &"x".repeat(20_000_000)))?;
        client.hear_to_the_end()
    }
    let outcome = outcome(long);
    assert!(outcome.run.stderr.len() < 100_000, "{} bytes were shown", outcome.run.stderr.len());
    outcome.expect(65, "xxx…");
}

#[test]
fn notices_without_end_do_not_keep_a_run_for_longer_than_it_waits() {
    fn notices(client: &mut Client) -> Result<()> {
        greeted(client)?;
        client.say(&message(b'R', &0_u32.to_be_bytes()))?;
        client.say_for_ever(&message(b'N', b"SNOTICE\0C00000\0M\x1b[2Jhello\0\0"))
    }
    outcome(notices).ended(69, "Can't reach database server");
}

#[test]
fn an_error_shows_neither_the_password_that_it_quotes_nor_escape_codes() {
    fn echo(client: &mut Client) -> Result<()> {
        greeted(client)?;
        client.say(&message(b'R', &3_u32.to_be_bytes()))?;
        client.hear(5 + PASSWORD.len() + 1)?;
        client
            .say(&error("28P01", &format!("no entry for {PASSWORD}\x1b]0;owned\x07\x1b[2J\u{9b}31m\u{202e}")))
    }
    outcome(echo).expect(77, "no entry for **************?]0;owned??[2J??31m???");
}

/// What is waited for is said line by line, long before the error that ends the run.
#[test]
fn what_is_waited_for_is_said_without_the_password_that_the_server_quotes() {
    fn ends(client: &mut Client) -> Result<()> {
        let_in(client)?;
        asked(client)?;
        client.say(&error("57P01", &format!("no session for {PASSWORD}")))
    }
    let hidden = "no session for **************";
    let outcome = Server::saying(Provider::Postgresql, ends).outcome();
    let waits = |line: &str| line.starts_with("waiting for up to") && line.contains(hidden);
    assert!(outcome.run.stderr.lines().any(waits), "{}", outcome.run);
    outcome.expect(69, hidden);
}

#[test]
fn a_history_of_nonsense_is_an_error() {
    fn nonsense(client: &mut Client) -> Result<()> {
        let_in(client)?;
        asked(client)?;
        client.say(&message(b'T', b"\0\x01\xff\xfe\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"))?;
        client.say(&[message(b'D', b"\xff\xff\0\0\0\x01a"), message(b'Z', b"I")].concat())
    }
    outcome(nonsense).expect(69, "error parsing response from server: invalid utf-8 sequence");
}

#[test]
fn a_server_that_lets_us_in_and_says_nothing_is_left_at_a_signal() {
    fn silent(client: &mut Client) -> Result<()> {
        let_in(client)?;
        client.hear_to_the_end()
    }
    let server = Server::saying(Provider::Postgresql, silent);
    let project = server.project();
    let mut run = plimsoll(&project).arg("deploy").spawn();
    let is_asked = || String::from_utf8_lossy(&server.heard()).contains("_prisma_migrations");
    plimsoll_testkit::wait::until("the history is asked for", is_asked);
    let asked = Instant::now();
    run.signal(Signal::TERM);
    Outcome::of(run).expect(143, "");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}
