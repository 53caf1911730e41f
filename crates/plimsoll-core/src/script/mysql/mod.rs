//! How MySQL and MariaDB run a script: one statement after the other, and what each of them does.
//!
//! Definitions commit by themselves, so a script is no transaction. What makes up for it is knowledge: where each
//! statement begins and ends, exactly as the server sees it; whether the catalog tells afterwards that it took effect;
//! and what it needs that only its own session has.

mod body;
mod carried;
mod classify;
mod client;
mod effect;
mod lexer;
mod links;
mod phrase;
mod reader;
mod refusal;
mod server;
mod session;

use std::ops::Range;

use super::values::{self, Part};
pub use carried::{Lost, carried_over};
pub use effect::{
    Caveat, Control, Data, Definition, Effect, Object, ObjectKind, Objects, Opaque, Thing, Verb,
};
pub use links::{Links, Value};
pub use refusal::Refusal;
pub use server::{Backslash, DoubleQuoted, Flavour, Quoting, Server};

/// One statement of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Where it is in the text, from its first token to its last, without the delimiter.
    pub span: Range<usize>,
    /// Its text: what is to be sent.
    pub text: &'a str,
    /// What it does.
    pub effect: Effect,
    /// What ties it to its session.
    pub links: Links,
    /// The database of the last `USE` up to this statement. `None` is the one that was connected to.
    pub database: Option<String>,
}

/// Cuts a script into statements and says what each of them does.
///
/// Empty statements and comments are no statements, so that a script may have none. `SET sql_mode` in the script changes
/// how the rest of it is read, as far as its value can be told.
///
/// # Errors
///
/// If the script cannot be read to its end, or needs a client: then nothing of it should be sent.
pub fn split<'a>(text: &'a str, server: &Server) -> Result<Vec<Statement<'a>>, Refusal> {
    split_in(session::Session::new(server), text)
}

/// What another session executes, or the beginning of it, as it may be shown: with a `?` for each string and number. Between double
/// quotes may stand either a name or a string, by that session's `sql_mode`.
pub fn without_values(text: &str, server: &Server) -> String {
    let quoting = Quoting { backslash: Backslash::Escapes, double_quoted: DoubleQuoted::Text };
    let part = |token: &lexer::Token| match token.kind {
        lexer::Kind::Text | lexer::Kind::Unterminated => Part::Text,
        lexer::Kind::Number => Part::Number,
        // A name behind an `@` between quotes of strings, which ends where those do.
        lexer::Kind::UserVariable | lexer::Kind::Host if text[token.span.clone()].contains(['\'', '"']) => {
            Part::Text
        }
        _ => Part::Shown,
    };
    let tokens = lexer::Lexer::new(text, 0, *server, quoting);
    values::without_values(text, tokens.map(|token| (part(&token), token.span)))
}

fn split_in<'a>(mut session: session::Session<'_>, text: &'a str) -> Result<Vec<Statement<'a>>, Refusal> {
    let mut reader = reader::Reader::new(text, session.server());
    let mut statements = Vec::new();
    while let Some(raw) = reader.next()? {
        statements.push(session.statement(text, &raw)?);
        reader.quoting = session.quoting();
    }
    Ok(statements)
}

/// Variables that servers refuse to set in a transaction that has changed rows (errors 1679, 1685, 1694, 1766), by what their names
/// hold: those of the log of changes.
const REFUSED_BEHIND_ROWS: [&str; 6] =
    ["sql_log_bin", "binlog", "gtid", "server_id", "skip_replication", "default_master_connection"];

/// Whether an assignment may be refused in a transaction. A text that only speaks of such a variable counts as well: being run
/// statement by statement does it no harm.
fn is_refused_behind_rows(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    REFUSED_BEHIND_ROWS.iter().any(|name| text.contains(name))
}

/// The statements that keep a script from being one transaction with the record of it, in their order: they commit, lock tables,
/// run what was prepared, or are settings behind rows that a transaction refuses.
pub fn refusing_a_transaction<'s, 'a>(statements: &'s [Statement<'a>]) -> Vec<&'s Statement<'a>> {
    let is_data = |statement: &Statement<'_>| matches!(statement.effect, Effect::Data(_));
    let rows = statements.iter().position(is_data).unwrap_or(statements.len());
    let refuses = |(at, statement): &(usize, &Statement<'_>)| match &statement.effect {
        Effect::Data(_) => false,
        Effect::Setting => *at > rows && is_refused_behind_rows(statement.text),
        Effect::Carried => {
            let links = &statement.links;
            let executes = statement.text.get(..7).is_some_and(|verb| verb.eq_ignore_ascii_case("execute"));
            executes || links.leaves.iter().chain(&links.ends).any(|thing| *thing == Thing::Locks)
        }
        Effect::Control(control) => !matches!(control, Control::Begin | Control::Commit | Control::Savepoint),
        Effect::CarriedAlone | Effect::Definition(_) | Effect::Repeatable | Effect::Opaque(_) => true,
    };
    statements.iter().enumerate().filter(refuses).map(|(_, statement)| statement).collect()
}

/// What a text that a script makes while it runs would do as a prepared statement, with this database in use (`None` is the one
/// that was connected to) when it is prepared.
///
/// # Errors
///
/// If it cannot be read, or is not exactly one statement: nobody can prepare such a text.
pub fn effect_of(text: &str, server: &Server, database: Option<&str>) -> Result<Effect, Option<Refusal>> {
    let session = session::Session::new(server).using(database);
    let mut statements = split_in(session, text).map_err(Some)?;
    match statements.pop() {
        Some(statement) if statements.is_empty() => Ok(statement.effect),
        _ => Err(None),
    }
}

#[cfg(test)]
mod tests;
