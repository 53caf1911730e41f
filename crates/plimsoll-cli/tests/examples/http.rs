//! As much of HTTP as a probe speaks.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

/// A port that nobody used a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// Status and body of an answer.
pub(crate) fn get(port: u16, path: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the application listens");
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("the application reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("the application answers and ends the connection");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("the first line has a status"), serde_json::from_str(body).expect("the body is JSON"))
}
