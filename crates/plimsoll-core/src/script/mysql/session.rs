//! What a script has changed in its session by the time a statement is read.

use std::collections::{BTreeMap, BTreeSet};

use super::classify::{self, Assignment, Scope, assignments};
use super::effect::{Effect, Object, ObjectKind, Objects, Thing, Verb};
use super::lexer::Kind;
use super::phrase::Phrase;
use super::reader::Raw;
use super::refusal::Refusal;
use super::server::{Quoting, Server};
use super::{Statement, links};

/// A session as the script leaves it behind each statement.
pub(super) struct Session<'s> {
    server: &'s Server,
    quoting: Quoting,
    /// User variables that hold a `sql_mode`.
    saved: BTreeMap<String, Quoting>,
    /// The database of the last `USE`.
    database: Option<String>,
    /// The temporary tables that are there, in lower case.
    temporary: BTreeSet<String>,
    /// What prepared statements do whose text stands in the script.
    prepared: BTreeMap<String, Effect>,
}

impl<'s> Session<'s> {
    pub(super) fn new(server: &'s Server) -> Self {
        Self {
            server,
            quoting: server.quoting,
            saved: BTreeMap::new(),
            database: None,
            temporary: BTreeSet::new(),
            prepared: BTreeMap::new(),
        }
    }

    /// The same with a database in use.
    pub(super) fn using(self, database: Option<&str>) -> Self {
        Self { database: database.map(str::to_owned), ..self }
    }

    /// The server that reads the script.
    pub(super) fn server(&self) -> &'s Server {
        self.server
    }

    /// How the next statement has to be read.
    pub(super) fn quoting(&self) -> Quoting {
        self.quoting
    }

    /// Takes the next statement of the script.
    pub(super) fn statement<'a>(&mut self, text: &'a str, raw: &Raw) -> Result<Statement<'a>, Refusal> {
        let phrase = Phrase::new(text, &raw.tokens);
        let span = raw.span();
        if phrase.word(0) == "load" && (phrase.word(2) == "local" || phrase.word(3) == "local") {
            return Err(Refusal::FileOfTheClient { span });
        }
        let effect = self.in_session(&phrase, classify::effect(&phrase));
        let links = links::links(&phrase, &effect, &self.temporary);
        self.follow(&phrase);
        self.temporary.extend(links.leaves.iter().filter_map(temporary));
        for gone in links.ends.iter().filter_map(temporary) {
            self.temporary.remove(&gone);
        }
        let text = &text[span.clone()];
        Ok(Statement { span, text, effect, links, database: self.database.clone() })
    }

    /// What the statement does in this session: names stand for temporary tables, and prepared ones for what they do.
    fn in_session(&self, phrase: &Phrase<'_>, effect: Effect) -> Effect {
        let name = phrase.name(1).unwrap_or_default().to_lowercase();
        match effect {
            Effect::Opaque(opaque) if phrase.word(0) == "execute" => {
                self.prepared.get(&name).cloned().unwrap_or(Effect::Opaque(opaque))
            }
            Effect::Opaque(opaque) if self.are_temporary(&opaque.objects) => Effect::CarriedAlone,
            // A lasting table may be made beside a temporary one of its name.
            Effect::Definition(mut definition) if definition.verb == Verb::Create => {
                if let Objects::Named(objects) = &mut definition.objects {
                    self.qualify(objects);
                }
                Effect::Definition(definition)
            }
            Effect::Opaque(mut opaque) => {
                self.qualify(&mut opaque.objects);
                Effect::Opaque(opaque)
            }
            Effect::Definition(mut definition) => match &mut definition.objects {
                Objects::Named(objects) if self.are_temporary(objects) => Effect::CarriedAlone,
                Objects::Named(objects) => {
                    // What is dropped of the session beside others is nothing that the catalog shows.
                    objects.retain(|object| definition.verb != Verb::Drop || !self.is_temporary(object));
                    self.qualify(objects);
                    Effect::Definition(definition)
                }
                Objects::Unknown => Effect::Definition(definition),
            },
            other => other,
        }
    }

    fn are_temporary(&self, objects: &[Object]) -> bool {
        !objects.is_empty() && objects.iter().all(|object| self.is_temporary(object))
    }

    fn is_temporary(&self, object: &Object) -> bool {
        object.kind == ObjectKind::Table && self.temporary.contains(&object.name.to_lowercase())
    }

    /// Puts the database of a `USE` before the names that have none.
    fn qualify(&self, objects: &mut [Object]) {
        let bare = |object: &&mut Object| object.kind != ObjectKind::Database && object.database.is_none();
        for object in objects.iter_mut().filter(bare) {
            object.database.clone_from(&self.database);
        }
    }

    /// Takes over what the statement changes.
    fn follow(&mut self, phrase: &Phrase<'_>) {
        match phrase.word(0).as_str() {
            "use" => self.database = phrase.name(1),
            "set" => {
                for assignment in assignments(phrase) {
                    self.assign(phrase, &assignment);
                }
            }
            "prepare" => self.prepare(phrase),
            _ => {}
        }
    }

    fn prepare(&mut self, phrase: &Phrase<'_>) {
        let Some(name) = phrase.name(1).map(|name| name.to_lowercase()) else { return };
        let server = Server { quoting: self.quoting, ..*self.server };
        // What it does with user variables would have to be known of each EXECUTE.
        let text = phrase.string(3).filter(|text| !text.contains('@'));
        let effect = text.and_then(|text| super::effect_of(&text, &server, None).ok());
        match effect.map(|effect| self.in_session(phrase, effect)) {
            Some(effect) => self.prepared.insert(name, effect),
            None => self.prepared.remove(&name),
        };
    }

    /// Follows `sql_mode` through the session and the user variables that keep it.
    fn assign(&mut self, phrase: &Phrase<'_>, assignment: &Assignment) {
        let value = self.mode(phrase, assignment);
        match (assignment.scope, assignment.name.as_str()) {
            (Scope::Session, "sql_mode") => self.quoting = value.unwrap_or(self.quoting),
            (Scope::User, name) => match value {
                Some(value) => drop(self.saved.insert(name.to_owned(), value)),
                None => drop(self.saved.remove(name)),
            },
            _ => {}
        }
    }

    /// What a value means as a `sql_mode`, if that can be told.
    fn mode(&self, phrase: &Phrase<'_>, assignment: &Assignment) -> Option<Quoting> {
        let value = assignment.value.clone();
        let first = value.start;
        if value.len() == 1 {
            if phrase.kind(first) == Some(Kind::Number) {
                return Some(Quoting::parse(phrase.text(first)));
            }
            let variable = phrase.variable(first).and_then(|name| self.saved.get(&name).copied());
            let word = phrase.word(first);
            return match word.as_str() {
                "default" => Some(self.server.quoting),
                "" if is_mode(phrase.text(first)) => Some(self.quoting),
                "" => variable.or_else(|| phrase.string(first).map(|text| Quoting::parse(&text))),
                word => Some(Quoting::parse(word)),
            };
        }
        let mut quoting =
            if value.clone().any(|n| is_mode(phrase.text(n))) { self.quoting } else { Quoting::parse("") };
        let texts: Vec<_> = value.clone().filter_map(|n| phrase.string(n)).collect();
        if value.clone().any(|n| phrase.word(n) == "replace") {
            quoting.remove(texts.first()?);
            quoting.add(texts.get(1)?);
            return Some(quoting);
        }
        for text in &texts {
            quoting.add(text);
        }
        value.clone().any(|n| phrase.word(n).starts_with("concat")).then_some(quoting)
    }
}

/// Whether this is the variable `sql_mode` of the session or of the server.
fn is_mode(text: &str) -> bool {
    let name = text.trim_start_matches('@').to_ascii_lowercase();
    text.starts_with("@@") && name.rsplit('.').next() == Some("sql_mode")
}

fn temporary(thing: &Thing) -> Option<String> {
    match thing {
        Thing::TemporaryTable(name) => Some(name.clone()),
        _ => None,
    }
}
