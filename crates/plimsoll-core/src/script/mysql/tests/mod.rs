//! Claims about scripts, one a line.

mod carried;
mod caveats;
mod effects;
mod properties;
mod splitting;

use super::*;

fn mysql() -> Server {
    Server::parse("8.0.15", "")
}

fn mariadb() -> Server {
    Server::parse("10.11.19-MariaDB", "")
}

/// The statements of a script.
fn texts(text: &str, server: Server) -> Vec<&str> {
    let statements = split(text, &server).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"));
    statements.into_iter().map(|statement| statement.text).collect()
}
