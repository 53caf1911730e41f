//! Something that speaks MySQL's protocol, and means harm.

use std::io::Result;
use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_core::Provider;

use super::server::{Client, Outcome, PASSWORD, Said, Server, noise_of};

fn outcome(said: Said) -> Outcome {
    Server::saying(Provider::Mysql, said).outcome()
}

/// A packet with this number.
fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a packet is short").to_le_bytes();
    [&length[..3], &[number], body].concat()
}

fn error(number: u8, code: u16, text: &str) -> Vec<u8> {
    packet(number, &[&[0xff], code.to_le_bytes().as_slice(), b"#HY000", text.as_bytes()].concat())
}

/// What a server begins with: its version, and how it wants the password. It knows no TLS.
fn greeting(plugin: &str) -> Vec<u8> {
    let mut body = b"\x0a8.0.36\0\x01\0\0\0aaaaaaaa\0".to_vec();
    // Protocol 4.1, secure connection, plugin authentication, a database may be named.
    let capabilities: u32 = 0x0008_8209 | 0x0000_0200 | 0x0000_8000;
    body.extend_from_slice(&capabilities.to_le_bytes()[..2]);
    body.extend_from_slice(&[0xff, 2, 0]);
    body.extend_from_slice(&capabilities.to_le_bytes()[2..]);
    body.push(21);
    body.extend_from_slice(&[0; 10]);
    body.extend_from_slice(b"bbbbbbbbbbbb\0");
    body.extend_from_slice(plugin.as_bytes());
    body.push(0);
    packet(0, &body)
}

fn heard_packet(client: &mut Client) -> Result<()> {
    let head = client.hear(4)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
    client.hear(usize::try_from(length).unwrap_or(0)).map(drop)
}

const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];

/// Lets everybody in, whatever the password.
fn let_in(client: &mut Client) -> Result<()> {
    client.say(&greeting("mysql_native_password"))?;
    heard_packet(client)?;
    client.say(&packet(2, OK))
}

#[test]
fn noise_on_the_socket_is_an_error() {
    fn noise(client: &mut Client) -> Result<()> {
        client.say_for_ever(&noise_of(4096))
    }
    outcome(noise).expect(69, "Packet is larger than max_allowed_packet");
}

#[test]
fn noise_behind_the_login_is_an_error() {
    fn noise(client: &mut Client) -> Result<()> {
        let_in(client)?;
        heard_packet(client)?;
        client.say_for_ever(&noise_of(4096))
    }
    outcome(noise).expect(69, "Packets out of sync");
}

/// One column of a type that there is not, and a row that is shorter than it says.
#[test]
fn a_history_of_nonsense_is_an_error() {
    fn nonsense(client: &mut Client) -> Result<()> {
        let_in(client)?;
        heard_packet(client)?;
        let column = b"\x03def\0\0\0\x01a\x01a\x0c\xff\xff\0\0\0\0\x77\0\0\0\0\0";
        let said =
            [packet(1, &[1]), packet(2, column), packet(3, b"\xfe\0\0\x02\0"), packet(4, b"\xfdaaaaaa")];
        client.say(&said.concat())?;
        client.hear_to_the_end()
    }
    outcome(nonsense).expect(69, "Unknown column type 119");
}

#[test]
fn packets_without_end_are_not_read() {
    fn huge(client: &mut Client) -> Result<()> {
        for number in 0_u8..=255 {
            client.say(&[0xff, 0xff, 0xff, number])?;
            client.say(&vec![b'x'; 0x00ff_ffff])?;
        }
        client.hear_to_the_end()
    }
    outcome(huge).expect(69, "Packet is larger than max_allowed_packet");
}

#[test]
fn a_password_is_not_sent_to_a_server_that_wants_it_in_clear_text() {
    fn clear(client: &mut Client) -> Result<()> {
        client.say(&greeting("mysql_native_password"))?;
        heard_packet(client)?;
        client.say(&packet(2, b"\xfemysql_clear_password\0"))?;
        client.hear_to_the_end()
    }
    let server = Server::saying(Provider::Mysql, clear);
    server.outcome().expect(77, "mysql_clear_password must be enabled on the client side");
    server.assert_said(b"mysql_clear_password");
    let heard = server.heard();
    assert!(!heard.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes()), "it was sent");
}

#[test]
fn a_server_that_asks_for_a_file_gets_none() {
    fn wants_a_file(client: &mut Client) -> Result<()> {
        let_in(client)?;
        heard_packet(client)?;
        client.say(&packet(1, b"\xfbprisma/schema.prisma"))?;
        client.hear_to_the_end()
    }
    let server = Server::saying(Provider::Mysql, wants_a_file);
    server.outcome().expect(65, "PLM203");
    server.assert_said(b"\xfbprisma/schema.prisma");
    let heard = String::from_utf8_lossy(&server.heard()).into_owned();
    assert!(!heard.contains("datasource"), "the file was sent: {heard}");
}

/// The driver signs something else than `ed25519` asks for, once in 256 times.
#[test]
fn a_login_that_is_refused_is_tried_once_more_and_not_again() {
    fn refuse(client: &mut Client) -> Result<()> {
        static TIMES: AtomicUsize = AtomicUsize::new(1);
        client.say(&greeting("mysql_native_password"))?;
        heard_packet(client)?;
        let time = TIMES.fetch_add(1, Ordering::Relaxed);
        client.say(&error(2, 1045, &format!("refusal number {time}")))?;
        client.hear_to_the_end()
    }
    outcome(refuse).expect(77, "refusal number 2");
}

#[test]
fn an_error_shows_neither_the_password_that_it_quotes_nor_escape_codes() {
    fn echo(client: &mut Client) -> Result<()> {
        client.say(&greeting("mysql_native_password"))?;
        heard_packet(client)?;
        client.say(&error(
            2,
            1045,
            &format!("no entry for {PASSWORD}\x1b]0;owned\x07\x1b[2J\u{9b}31m\u{202e}"),
        ))?;
        client.hear_to_the_end()
    }
    outcome(echo).expect(77, "no entry for **************?]0;owned??[2J??31m???");
}
