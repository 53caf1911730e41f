//! What a statement does, as far as its own text tells.

mod calls;
mod columns;
mod definition;
mod set;

pub(super) use set::{Assignment, Scope, assignments};

use super::effect::{Control, Data, Definition, Effect, Object, ObjectKind, Objects, Opaque, Verb};
use super::lexer::Kind;
use super::phrase::Phrase;

/// Words behind which a statement reads or changes rows.
const DATA: [&str; 20] = [
    "select", "insert", "update", "delete", "replace", "with", "table", "values", "value", "show",
    "describe", "desc", "explain", "help", "do", "signal", "resignal", "load", "get", "",
];

/// Words behind which a statement may be run twice, whatever follows.
const REPEATABLE: [&str; 8] =
    ["optimize", "check", "checksum", "repair", "flush", "cache", "grant", "analyze"];

/// What it does.
pub(super) fn effect(phrase: &Phrase<'_>) -> Effect {
    let first = phrase.word(0);
    match first.as_str() {
        "create" | "alter" | "drop" | "rename" => definition::effect(phrase),
        "set" if phrase.word(1) == "statement" => under_settings(phrase),
        "set" => set::effect(phrase),
        "use" => Effect::Setting,
        "prepare" | "deallocate" | "lock" | "unlock" | "handler" => Effect::Carried,
        "begin" if phrase.word(1) == "not" => opaque(phrase, "a compound statement"),
        "begin" | "start" | "commit" | "rollback" | "savepoint" | "release" | "xa" => control(phrase),
        "get" if phrase.has("diagnostics") => Effect::Carried,
        "load" if phrase.word(1) == "index" => Effect::Repeatable,
        "revoke" if phrase.words_at(1, &["if", "exists"]) => Effect::Repeatable,
        "truncate" => truncate(phrase),
        "select" if phrase.has("outfile") || phrase.has("dumpfile") => opaque(phrase, "SELECT … INTO a file"),
        "select" if assigns_only(phrase) && !calls::stored(phrase) => Effect::Carried,
        "analyze" if analyzes_rows(phrase) => data(phrase),
        "execute" if phrase.word(1) == "immediate" => opaque(phrase, "EXECUTE IMMEDIATE"),
        "if" | "case" | "loop" | "while" | "repeat" | "for" => opaque(phrase, "a compound statement"),
        word if REPEATABLE.contains(&word) => Effect::Repeatable,
        word if DATA.contains(&word) => data(phrase),
        word => opaque(phrase, &word.to_uppercase()),
    }
}

/// A statement that reads or changes rows.
fn data(phrase: &Phrase<'_>) -> Effect {
    Effect::Data(Data { names: phrase.names() })
}

/// A statement of which nobody can tell whether it took effect.
fn opaque(phrase: &Phrase<'_>, what: &str) -> Effect {
    Effect::Opaque(Opaque { what: what.to_owned(), objects: Vec::new(), names: phrase.names() })
}

/// The same with the objects that it names.
fn opaque_on(phrase: &Phrase<'_>, what: &str, objects: Vec<Object>) -> Effect {
    Effect::Opaque(Opaque { what: what.to_owned(), objects, names: phrase.names() })
}

/// A definition of these objects, or of nobody knows what.
fn definition(verb: Verb, objects: Option<Vec<Object>>) -> Definition {
    let objects = objects.map_or(Objects::Unknown, Objects::Named);
    Definition { verb, objects, caveats: Vec::new() }
}

/// `SELECT … INTO @a`: it reads, and leaves what it read in the session.
fn assigns_only(phrase: &Phrase<'_>) -> bool {
    let mut tokens = 0..phrase.len();
    tokens.any(|n| phrase.word(n) == "into" && phrase.kind(n + 1) == Some(Kind::UserVariable))
}

/// MariaDB's `ANALYZE` of a statement runs it.
fn analyzes_rows(phrase: &Phrase<'_>) -> bool {
    let table = |n| matches!(phrase.word(n).as_str(), "table" | "tables");
    let quiet = matches!(phrase.word(1).as_str(), "no_write_to_binlog" | "local");
    !(table(1) || quiet && table(2))
}

/// MariaDB's `SET STATEMENT … FOR` does what the statement behind it does.
fn under_settings(phrase: &Phrase<'_>) -> Effect {
    match phrase.find(&["for"]) {
        Some(at) => effect(&phrase.from(at + 1)),
        None => opaque(phrase, "SET STATEMENT"),
    }
}

fn truncate(phrase: &Phrase<'_>) -> Effect {
    let at = if phrase.word(1) == "table" { 2 } else { 1 };
    match phrase.object(ObjectKind::Table, at) {
        Some((table, _)) => Effect::Definition(definition(Verb::Empty, Some(vec![table]))),
        None => opaque(phrase, "TRUNCATE TABLE"),
    }
}

fn control(phrase: &Phrase<'_>) -> Effect {
    let plain = |phrase: &Phrase<'_>| phrase.len() == 1 || (phrase.len() == 2 && phrase.word(1) == "work");
    let control = match phrase.word(0).as_str() {
        "xa" => Control::Xa,
        "savepoint" | "release" => Control::Savepoint,
        "begin" => Control::Begin,
        "start" if phrase.word(1) == "transaction" => Control::Begin,
        "rollback" if phrase.has("to") => Control::Savepoint,
        "commit" if plain(phrase) => Control::Commit,
        "rollback" if plain(phrase) => Control::Rollback,
        "commit" | "rollback" => Control::Other,
        _ => return opaque(phrase, &format!("START {}", phrase.text(1).to_uppercase())),
    };
    Effect::Control(control)
}
