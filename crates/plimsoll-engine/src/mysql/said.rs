//! What is sent for a statement of a script, and what of it has to be remembered.

use plimsoll_core::script::mysql::{Control, Effect, Statement, Thing};

use super::MysqlSession;
use super::apply::Prepared;
use crate::error::Result;

/// The statement as it is, but for `LOCK TABLES`: under its locks the server lets nobody touch other tables, so the history is
/// locked with them. The records take the place of `START TRANSACTION`, of which only the end of such locks is left.
pub(super) fn sent(session: &MysqlSession, statement: &Statement<'_>) -> String {
    let text = statement.text;
    if statement.effect == Effect::Control(Control::Begin) {
        return "UNLOCK TABLES".to_owned();
    }
    match statement.links.leaves.contains(&Thing::Locks).then(|| behind_second_word(text)).flatten() {
        Some((lock, tables)) => format!("{lock} {} WRITE, {tables}", session.history_table()),
        None => text.to_owned(),
    }
}

/// `LOCK TABLES`, and what follows.
fn behind_second_word(text: &str) -> Option<(&str, &str)> {
    let lower = text.to_ascii_lowercase();
    let word = lower.find("table")?;
    let length = lower[word..].find(|c: char| !c.is_ascii_alphabetic())?;
    Some(text.split_at(word + length))
}

/// Remembers the text of a prepared statement, from which it can be told what it does when it is run.
pub(super) async fn remember_prepared(session: &mut MysqlSession, statement: &Statement<'_>) -> Result<()> {
    let prepared = statement.links.leaves.iter().find_map(|thing| match thing {
        Thing::Prepared(name) => Some(name.clone()),
        _ => None,
    });
    let Some((name, text)) = prepared.zip(source(statement.text)) else { return Ok(()) };
    // Read as the script's settings want it, and answered whatever they are.
    let rows = session.rows(&format!("SELECT HEX(CONVERT({text} USING utf8mb4)) LIMIT 1")).await?;
    if let Some(text) = rows.into_iter().flatten().flatten().next().and_then(|digits| from_hex(&digits)) {
        let database = statement.database.clone();
        session.script.prepared.insert(name, Prepared { text, database });
    }
    Ok(())
}

/// The text of these hexadecimal digits.
fn from_hex(digits: &str) -> Option<String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    String::from_utf8(digits.as_bytes().chunks(2).map(byte).collect::<Option<_>>()?).ok()
}

/// What stands behind `FROM`: a text or a variable, which is an expression as well.
fn source(prepare: &str) -> Option<&str> {
    let mut at = 0;
    let from = prepare.split_whitespace().find(|word| {
        at = word.as_ptr() as usize - prepare.as_ptr() as usize;
        word.eq_ignore_ascii_case("FROM")
    })?;
    Some(&prepare[at + from.len()..])
}
