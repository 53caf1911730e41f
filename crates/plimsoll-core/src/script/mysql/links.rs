//! What ties a statement to the session that it runs in.

use std::collections::BTreeSet;

use super::classify::{Scope, assignments};
use super::effect::{Control, Effect, ObjectKind, Thing};
use super::lexer::Kind;
use super::phrase::Phrase;

/// What ties a statement to its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// What of its session it reads, if an earlier statement left it there.
    pub needs: Vec<Thing>,
    /// What it leaves in its session for later statements.
    pub leaves: Vec<Thing>,
    /// What it takes out of its session.
    pub ends: Vec<Thing>,
    /// Whether what it leaves depends on anything but its text, its session and what it needs.
    pub value: Value,
}

/// Whether a statement leaves the same in its session whenever it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// It does.
    Same,
    /// It depends on rows, on time or on chance.
    Varies,
}

/// Functions that make the same of the same.
const PURE: [&str; 12] = [
    "concat",
    "concat_ws",
    "replace",
    "if",
    "ifnull",
    "nullif",
    "coalesce",
    "lower",
    "upper",
    "trim",
    "cast",
    "char",
];

/// Finds out what ties it to its session.
pub(super) fn links(phrase: &Phrase<'_>, effect: &Effect, temporary: &BTreeSet<String>) -> Links {
    let mut links = Links { needs: Vec::new(), leaves: Vec::new(), ends: Vec::new(), value: value(phrase) };
    if !is_stored(phrase) {
        links.variables(phrase);
        links.tables(phrase, effect, temporary);
        links.outcomes(phrase);
        links.by_verb(phrase, effect);
    }
    links.leaves.push(Thing::Outcome);
    for things in [&mut links.needs, &mut links.leaves, &mut links.ends] {
        things.sort();
        things.dedup();
    }
    links
}

/// A body that is stored runs later, in another session.
fn is_stored(phrase: &Phrase<'_>) -> bool {
    let stored = |word: &str| matches!(word, "procedure" | "function" | "trigger" | "event" | "view");
    matches!(phrase.word(0).as_str(), "create" | "alter")
        && (1..phrase.len().min(12)).any(|n| stored(&phrase.word(n)))
}

fn value(phrase: &Phrase<'_>) -> Value {
    let calls = |n: usize| {
        let function = phrase.word(n.wrapping_sub(1));
        phrase.kind(n) == Some(Kind::Open) && !function.is_empty() && !PURE.contains(&function.as_str())
    };
    let varies = |n: usize| {
        let word = phrase.word(n);
        matches!(word.as_str(), "select" | "localtime" | "localtimestamp")
            || word.starts_with("current_")
            || word.starts_with("utc_")
            || phrase.text(n).eq_ignore_ascii_case("@@timestamp")
    };
    // The columns of a temporary table stand in parentheses too.
    let is_table = phrase.word(0) == "create";
    let found = (0..phrase.len()).any(|n| varies(n) || (!is_table && calls(n)));
    if found { Value::Varies } else { Value::Same }
}

impl Links {
    fn variables(&mut self, phrase: &Phrase<'_>) {
        let first = phrase.word(0);
        // A routine may set what is given to it, and LOAD DATA reads into variables.
        let both = matches!(first.as_str(), "call" | "load");
        let set: Vec<String> = match first.as_str() {
            "set" => assignments(phrase)
                .into_iter()
                .filter(|one| one.scope == Scope::User)
                .map(|one| one.name)
                .collect(),
            _ => Vec::new(),
        };
        let mut into = false;
        for n in 0..phrase.len() {
            let Some(name) = phrase.variable(n) else { continue };
            let before = n.checked_sub(1).map_or("", |before| phrase.text(before)).to_ascii_lowercase();
            into = before == "into" || (into && before == ",");
            let followed_by = |text: &str| phrase.text(n + 1) == text;
            let is_target = set.contains(&name) && followed_by("=") && matches!(before.as_str(), "," | "set");
            let is_diagnosed = first == "get" && followed_by("=");
            let assigned =
                into || is_target || is_diagnosed || (followed_by(":") && phrase.text(n + 2) == "=");
            if !assigned || both {
                self.needs.push(Thing::Variable(name.clone()));
            }
            if assigned || both {
                self.leaves.push(Thing::Variable(name));
            }
        }
    }

    /// Finds the temporary tables that it names.
    fn tables(&mut self, phrase: &Phrase<'_>, effect: &Effect, temporary: &BTreeSet<String>) {
        let changes = !matches!(phrase.word(0).as_str(), "select" | "show" | "describe" | "desc" | "explain");
        for name in phrase.names().intersection(temporary) {
            self.needs.push(Thing::TemporaryTable(name.clone()));
            if changes {
                self.leaves.push(Thing::TemporaryTable(name.clone()));
            }
        }
        if !matches!(effect, Effect::Carried | Effect::CarriedAlone) {
            return;
        }
        let Some(table) = phrase.find(&["table"]).or_else(|| phrase.find(&["tables"])).filter(|at| *at < 5)
        else {
            return;
        };
        let conditions = [&["if", "not", "exists"][..], &["if", "exists"]];
        let skipped =
            conditions.iter().find(|words| phrase.words_at(table + 1, words)).map_or(0, |words| words.len());
        let objects = phrase.objects(ObjectKind::Table, table + 1 + skipped).unwrap_or_default();
        let tables = objects.into_iter().map(|object| Thing::TemporaryTable(object.name.to_lowercase()));
        match phrase.word(0).as_str() {
            "create" => self.leaves.extend(tables),
            "drop" => {
                self.ends.extend(tables);
                let ends = &self.ends;
                self.leaves.retain(|thing| !ends.contains(thing));
                // Without the word TEMPORARY it would drop a lasting table of that name where the temporary one is missing.
                let optional = skipped > 0 && *effect == Effect::Carried;
                self.needs.retain(|thing| !optional || !ends.contains(thing));
            }
            _ => {}
        }
    }

    /// Finds what it asks about the statements before it.
    fn outcomes(&mut self, phrase: &Phrase<'_>) {
        for n in 0..phrase.len() {
            let is_call = phrase.kind(n + 1) == Some(Kind::Open) && phrase.kind(n + 2) == Some(Kind::Close);
            match phrase.word(n).as_str() {
                "last_insert_id" if is_call => self.needs.push(Thing::LastInsertId),
                "row_count" | "found_rows" if is_call => self.needs.push(Thing::Outcome),
                _ => {}
            }
            let variable = phrase.text(n).to_ascii_lowercase();
            match variable.trim_start_matches('@').trim_start_matches("session.") {
                _ if phrase.kind(n) != Some(Kind::SystemVariable) => {}
                "last_insert_id" | "identity" => self.needs.push(Thing::LastInsertId),
                "warning_count" | "error_count" => self.needs.push(Thing::Outcome),
                _ => {}
            }
        }
    }

    fn by_verb(&mut self, phrase: &Phrase<'_>, effect: &Effect) {
        let name = |n: usize| phrase.name(n).unwrap_or_default().to_lowercase();
        match phrase.word(0).as_str() {
            "insert" | "replace" | "load" => self.leaves.push(Thing::LastInsertId),
            "begin" if *effect == Effect::Control(Control::Begin) => self.ends.push(Thing::Locks),
            "call" | "begin" | "if" | "case" | "loop" | "while" | "repeat" | "for" => {
                self.leaves.extend([Thing::LastInsertId, Thing::AnyVariable]);
            }
            "prepare" => self.leaves.push(Thing::Prepared(name(1))),
            "execute" => {
                self.needs.push(Thing::Prepared(name(1)));
                self.leaves.push(Thing::LastInsertId);
                if matches!(effect, Effect::Opaque(_)) {
                    self.leaves.push(Thing::AnyVariable);
                }
            }
            "deallocate" => self.end(Thing::Prepared(name(2))),
            "drop" if phrase.word(1) == "prepare" => self.end(Thing::Prepared(name(2))),
            "lock" => self.leaves.push(Thing::Locks),
            "flush" if phrase.has("lock") || phrase.has("export") => self.leaves.push(Thing::Locks),
            "unlock" | "start" => self.ends.push(Thing::Locks),
            "get" => self.needs.push(Thing::Outcome),
            "handler" if phrase.has("open") => self.leaves.push(Thing::Handler(name(1))),
            "handler" if phrase.has("close") => self.end(Thing::Handler(name(1))),
            "handler" => {
                self.needs.push(Thing::Handler(name(1)));
                self.leaves.push(Thing::Handler(name(1)));
            }
            _ => {}
        }
    }

    fn end(&mut self, thing: Thing) {
        self.needs.push(thing.clone());
        self.ends.push(thing);
    }
}
