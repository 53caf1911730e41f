//! `CREATE`, `ALTER`, `DROP` and `RENAME`: what they do to what.

use super::super::effect::{Caveat, Effect, Object, ObjectKind, Verb};
use super::super::lexer::Kind;
use super::super::phrase::Phrase;
use super::{columns, definition, opaque, opaque_on};

/// What it does.
pub(super) fn effect(phrase: &Phrase<'_>) -> Effect {
    let head = Head::of(phrase);
    match phrase.word(0).as_str() {
        "create" => create(phrase, &head),
        "alter" => alter(phrase, &head),
        "drop" => drop(phrase, &head),
        _ => rename(phrase, &head),
    }
}

/// What stands before the names.
struct Head {
    verb: Verb,
    /// The word that says what is defined.
    kind: String,
    /// Where the first name stands.
    names: usize,
    temporary: Lifetime,
    existing: Existing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    Session,
    Lasting,
}

/// What happens if the object is there already, or is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    Fails,
    Skipped,
    Replaced,
}

impl Head {
    fn of(phrase: &Phrase<'_>) -> Self {
        let verb = match phrase.word(0).as_str() {
            "create" => Verb::Create,
            "alter" => Verb::Alter,
            "drop" => Verb::Drop,
            _ => Verb::Rename,
        };
        let mut head = Self {
            verb,
            kind: String::new(),
            names: 1,
            temporary: Lifetime::Lasting,
            existing: Existing::Fails,
        };
        while let Some(next) = head.modifier(phrase) {
            head.names = next;
        }
        head.kind = phrase.word(head.names);
        head.names += 1;
        head.skip_if(phrase);
        head
    }

    /// Where the next word stands, if the one here does not say what is defined.
    fn modifier(&mut self, phrase: &Phrase<'_>) -> Option<usize> {
        let at = self.names;
        match phrase.word(at).as_str() {
            "or" => {
                self.existing = Existing::Replaced;
                Some(at + 2)
            }
            "temporary" => {
                self.temporary = Lifetime::Session;
                Some(at + 1)
            }
            "algorithm" | "sql" => Some(at + 3),
            "definer" => Some(account_end(phrase, at + 2)),
            "unique" | "fulltext" | "spatial" if phrase.word(at + 1) != "reference" => Some(at + 1),
            "aggregate" | "online" | "offline" | "ignore" | "undo" | "vector" => Some(at + 1),
            _ => None,
        }
    }

    /// Moves behind `IF EXISTS` and `IF NOT EXISTS`.
    fn skip_if(&mut self, phrase: &Phrase<'_>) {
        for words in [&["if", "not", "exists"][..], &["if", "exists"]] {
            if phrase.words_at(self.names, words) {
                self.names += words.len();
                self.existing = Existing::Skipped;
            }
        }
    }

    /// What is defined, if it is something that the catalog shows by its name.
    fn object_kind(&self) -> Option<ObjectKind> {
        Some(match self.kind.as_str() {
            "table" | "tables" => ObjectKind::Table,
            "view" => ObjectKind::View,
            "procedure" => ObjectKind::Procedure,
            "function" => ObjectKind::Function,
            "trigger" => ObjectKind::Trigger,
            "event" => ObjectKind::Event,
            "sequence" => ObjectKind::Sequence,
            "database" | "schema" => ObjectKind::Database,
            _ => return None,
        })
    }

    /// Something beside the catalog of databases: accounts, plugins, servers, tablespaces.
    fn other(&self, phrase: &Phrase<'_>) -> Effect {
        let repeatable = match self.kind.as_str() {
            "user" | "role" | "server" | "instance" => {
                self.existing != Existing::Fails || self.verb == Verb::Alter
            }
            _ => self.existing != Existing::Fails,
        };
        if repeatable {
            return Effect::Repeatable;
        }
        opaque(phrase, &format!("{} {}", phrase.word(0), self.kind).to_uppercase())
    }
}

/// Where what follows the account at `at` stands.
fn account_end(phrase: &Phrase<'_>, at: usize) -> usize {
    let next = at + 1;
    match phrase.kind(next) {
        Some(Kind::Host) => next + 1,
        Some(Kind::Open) => next + 2,
        _ => next,
    }
}

fn create(phrase: &Phrase<'_>, head: &Head) -> Effect {
    if head.temporary == Lifetime::Session {
        return Effect::Carried;
    }
    if head.kind == "index" {
        return index(phrase, head);
    }
    let Some(kind) = head.object_kind() else { return head.other(phrase) };
    if phrase.has("soname") && kind == ObjectKind::Function {
        return opaque(phrase, "CREATE FUNCTION … SONAME");
    }
    let object = phrase.object(kind, head.names).map(|(object, _)| vec![object]);
    let mut definition = definition(Verb::Create, object);
    if kind == ObjectKind::Table {
        let fills = ["select", "values"].iter().any(|word| rows_from(phrase, word));
        definition.caveats.extend(fills.then_some(Caveat::Rows));
    }
    if matches!(kind, ObjectKind::Table | ObjectKind::Sequence) {
        definition.caveats.extend((head.existing == Existing::Replaced).then_some(Caveat::Replaces));
    }
    if kind == ObjectKind::Event {
        definition.caveats.extend(passes(phrase));
    }
    Effect::Definition(definition)
}

/// Whether this word begins the query that fills a new table, and is not one of a partition's (`VALUES LESS THAN`).
fn rows_from(phrase: &Phrase<'_>, word: &str) -> bool {
    (0..phrase.len()).any(|n| phrase.word(n) == word && !matches!(phrase.word(n + 1).as_str(), "less" | "in"))
}

/// An index is a part of its table.
fn index(phrase: &Phrase<'_>, head: &Head) -> Effect {
    let on = (head.names..phrase.len()).find(|n| phrase.word(*n) == "on");
    let table = on.and_then(|on| phrase.object(ObjectKind::Table, on + 1));
    Effect::Definition(definition(Verb::Alter, table.map(|(table, _)| vec![table])))
}

/// What of a table no catalog shows: its rows move, or its file does.
const ROWS: [&[&str]; 4] = [
    &["truncate", "partition"],
    &["exchange", "partition"],
    &["discard", "tablespace"],
    &["import", "tablespace"],
];

fn alter(phrase: &Phrase<'_>, head: &Head) -> Effect {
    let Some(kind) = head.object_kind() else { return head.other(phrase) };
    // The database may be left out, which is the one in use then.
    let object = phrase.object(kind, head.names);
    let named = kind != ObjectKind::Database
        || (phrase.len() > head.names && !database_option(&phrase.word(head.names)));
    let Some((object, next)) = object.filter(|_| named) else {
        return Effect::Definition(definition(Verb::Alter, None));
    };
    let moves_rows = ROWS.iter().find(|words| phrase.find(words).is_some());
    if let (ObjectKind::Table, Some(words)) = (kind, moves_rows) {
        return opaque_on(phrase, &format!("ALTER TABLE … {}", words.join(" ").to_uppercase()), vec![object]);
    }
    let mut objects = vec![object];
    if matches!(kind, ObjectKind::Table | ObjectKind::Event) {
        objects.extend(new_name(phrase, kind, next));
    }
    let mut definition = definition(Verb::Alter, Some(objects));
    definition.caveats.extend(of_change(phrase, kind, next));
    let partitions = (next..phrase.len()).any(|n| is_partition(&phrase.word(n)));
    definition.caveats.extend((kind == ObjectKind::Table && partitions).then_some(Caveat::Partitions));
    Effect::Definition(definition)
}

/// What a change may do that the catalog does not show.
fn of_change(phrase: &Phrase<'_>, kind: ObjectKind, from: usize) -> Option<Caveat> {
    match kind {
        ObjectKind::Table if columns::are_made_again(phrase, from) => Some(Caveat::Remade),
        ObjectKind::Sequence if phrase.has("restart") => Some(Caveat::Remade),
        _ => None,
    }
}

fn is_partition(word: &str) -> bool {
    matches!(word, "partition" | "partitions" | "partitioning")
}

/// An event that the server drops when its time is over.
fn passes(phrase: &Phrase<'_>) -> Option<Caveat> {
    let ends = phrase.find(&["schedule", "at"]).or_else(|| phrase.find(&["ends"]));
    let ends = ends.filter(|_| phrase.find(&["completion", "preserve"]).is_none());
    ends.map(|_| Caveat::Passes)
}

/// Words that begin the options of a database, where its name may be missing.
fn database_option(word: &str) -> bool {
    matches!(
        word,
        "default" | "character" | "charset" | "collate" | "encryption" | "comment" | "read" | "upgrade"
    )
}

/// The name that an `ALTER … RENAME` gives.
fn new_name(phrase: &Phrase<'_>, kind: ObjectKind, from: usize) -> Option<Object> {
    (from..phrase.len()).filter(|n| phrase.word(*n) == "rename").find_map(|n| {
        let at = match phrase.word(n + 1).as_str() {
            "column" | "index" | "key" | "constraint" => return None,
            "to" | "as" => n + 2,
            _ if phrase.text(n + 1) == "=" => n + 2,
            _ => n + 1,
        };
        phrase.object(kind, at).map(|(object, _)| object)
    })
}

fn drop(phrase: &Phrase<'_>, head: &Head) -> Effect {
    if head.temporary == Lifetime::Session || head.kind == "prepare" {
        return Effect::Carried;
    }
    if head.kind == "index" {
        return index(phrase, head);
    }
    let Some(kind) = head.object_kind() else { return head.other(phrase) };
    let objects = phrase.objects(kind, head.names);
    let several = kind == ObjectKind::Database || objects.as_ref().is_some_and(|objects| objects.len() > 1);
    let mut definition = definition(Verb::Drop, objects);
    definition.caveats.extend(several.then_some(Caveat::Several));
    Effect::Definition(definition)
}

fn rename(phrase: &Phrase<'_>, head: &Head) -> Effect {
    if head.object_kind() != Some(ObjectKind::Table) {
        return head.other(phrase);
    }
    let objects = renamed(phrase, head.names);
    let pairs = objects.as_ref().map_or(0, Vec::len) / 2;
    let swaps = objects.as_ref().is_some_and(|objects| {
        let is_old = |new: &Object| objects.iter().step_by(2).any(|old| may_be_the_same(old, new));
        objects.chunks(2).any(|pair| pair.get(1).is_some_and(is_old))
    });
    let mut definition = definition(Verb::Rename, objects);
    definition.caveats.extend((pairs > 1).then_some(Caveat::Several));
    definition.caveats.extend(swaps.then_some(Caveat::Swaps));
    Effect::Definition(definition)
}

/// With `lower_case_table_names`, names in another case are the same, and the database may be left out anywhere.
fn may_be_the_same(one: &Object, other: &Object) -> bool {
    one.name.eq_ignore_ascii_case(&other.name)
}

/// The old and the new name of each pair.
fn renamed(phrase: &Phrase<'_>, mut at: usize) -> Option<Vec<Object>> {
    let mut found = Vec::new();
    loop {
        let (old, next) = phrase.object(ObjectKind::Table, at)?;
        // MariaDB may say here how long to wait for the lock.
        let to = (next..phrase.len().min(next + 3)).find(|n| phrase.word(*n) == "to")?;
        let (new, next) = phrase.object(ObjectKind::Table, to + 1)?;
        found.extend([old, new]);
        if phrase.text(next) != "," {
            return Some(found);
        }
        at = next + 1;
    }
}
