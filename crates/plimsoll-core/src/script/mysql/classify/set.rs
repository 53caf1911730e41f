//! `SET`: what it assigns, and to whom.

use super::super::effect::{Control, Effect};
use super::super::lexer::Kind;
use super::super::phrase::Phrase;
use super::{calls, data};
use std::ops::Range;

/// Whose variable is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Scope {
    User,
    Session,
    Server,
    /// `SET TRANSACTION`: of the next transaction only.
    Next,
    /// Something of an account: its password, its default roles.
    Account,
}

/// One of the assignments of a `SET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Assignment {
    pub(in super::super) scope: Scope,
    /// The variable in lower case, without its scope and `@`.
    pub(in super::super) name: String,
    /// The tokens of its value.
    pub(in super::super) value: Range<usize>,
}

/// What a `SET` does.
pub(super) fn effect(phrase: &Phrase<'_>) -> Effect {
    let assignments = assignments(phrase);
    let has = |scope| assignments.iter().any(|assignment: &Assignment| assignment.scope == scope);
    if let Some(autocommit) =
        assignments.iter().find(|one| one.scope == Scope::Session && one.name == "autocommit")
    {
        return Effect::Control(match phrase.text(autocommit.value.start).to_ascii_lowercase().as_str() {
            _ if assignments.len() > 1 => Control::AutocommitAmongOthers,
            _ if autocommit.value.len() != 1 => Control::Other,
            "0" | "off" | "false" | "'off'" => Control::AutocommitOff,
            "1" | "on" | "true" | "'on'" => Control::AutocommitOn,
            _ => Control::Other,
        });
    }
    match () {
        () if has(Scope::Next) => Effect::Control(Control::Next),
        () if has(Scope::Session) && calls::stored(phrase) => Effect::Control(Control::CallAmongSettings),
        () if has(Scope::Session) => Effect::Setting,
        // A stored function may change rows.
        () if has(Scope::User) && calls::stored(phrase) => data(phrase),
        () if has(Scope::User) => Effect::Carried,
        () => Effect::Repeatable,
    }
}

/// What it assigns, in order.
pub(in super::super) fn assignments(phrase: &Phrase<'_>) -> Vec<Assignment> {
    let mut found = Vec::new();
    let mut start = 1;
    let mut depth = 0_usize;
    for n in 1..=phrase.len() {
        match phrase.kind(n) {
            Some(Kind::Open) => depth += 1,
            Some(Kind::Close) => depth = depth.saturating_sub(1),
            None => found.push(assignment(phrase, start..n)),
            _ if depth == 0 && phrase.text(n) == "," => {
                found.push(assignment(phrase, start..n));
                start = n + 1;
            }
            _ => {}
        }
    }
    found
}

fn assignment(phrase: &Phrase<'_>, tokens: Range<usize>) -> Assignment {
    let (scope, at) = match phrase.word(tokens.start).as_str() {
        "global" | "persist" | "persist_only" => (Scope::Server, tokens.start + 1),
        "session" | "local" => (Scope::Session, tokens.start + 1),
        "transaction" => (Scope::Next, tokens.start),
        "password" => (Scope::Account, tokens.start),
        "default" if phrase.word(tokens.start + 1) == "role" => (Scope::Account, tokens.start),
        _ => (Scope::Session, tokens.start),
    };
    let equals = (at..tokens.end).find(|n| phrase.text(*n) == "=").unwrap_or(at);
    let (scope, name) = named(phrase, scope, at);
    Assignment { scope, name, value: (equals + 1).min(tokens.end)..tokens.end }
}

fn named(phrase: &Phrase<'_>, scope: Scope, at: usize) -> (Scope, String) {
    if let Some(variable) = phrase.variable(at) {
        return (Scope::User, variable);
    }
    if phrase.kind(at) != Some(Kind::SystemVariable) {
        return (scope, phrase.name(at).unwrap_or_default().to_lowercase());
    }
    let name = phrase.text(at).trim_start_matches('@').replace('`', "").to_lowercase();
    match name.split_once('.') {
        Some(("global" | "persist" | "persist_only", name)) => (Scope::Server, name.to_owned()),
        Some(("session" | "local", name)) => (Scope::Session, name.to_owned()),
        _ => (Scope::Session, name),
    }
}
