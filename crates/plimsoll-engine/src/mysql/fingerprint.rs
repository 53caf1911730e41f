//! What the catalog says of the objects that a statement names: the same before and after means that it did nothing.
//!
//! Taken before a definition is sent, and again by whoever carries on after its runner died. It is stable: no statistics, no
//! time of creation, no next `AUTO_INCREMENT`, which a running application moves, and no partitions, which MariaDB adds for
//! the history of rows, unless the statement speaks of them. What a definition can change without being seen here may run
//! twice without harm (`ALTER TABLE … FORCE`, `ENGINE` as it was, `ORDER BY`, `DISABLE KEYS`, `AUTO_INCREMENT = n`, and
//! whatever is already as the statement wants it), or has a caveat.

mod rows;
mod server;

use std::collections::BTreeMap;

use plimsoll_core::checksum::Checksum;
use plimsoll_core::script::mysql::{Caveat, Definition, Object, ObjectKind, Objects, Verb};

use super::settings::always_neutrally;
use super::{MysqlSession, sql};
use crate::error::{Error, Result};

pub(super) use rows::EMPTY;
#[cfg(test)]
pub(super) use rows::ROWS;
pub(super) use server::SERVER;

/// What is known of each object, by its kind and name.
pub(super) type Facts = BTreeMap<String, String>;

/// The fact of an object that is not there.
pub(super) const ABSENT: &str = "absent";

/// The fact of one that is there, and may not be looked at.
pub(super) const HIDDEN: &str = "hidden";

/// The name under which the whole database is remembered, where a statement does not say what it changes.
const WHOLE: &str = "the database and everything in it";

/// Under this name stands the hash of facts that are too many to be remembered one by one.
const ALL_OF_THEM: &str = "all of its objects";

/// Beside that hash: whether none of them is there.
pub(super) const NONE_IS_THERE: &str = "none of its objects is there";

/// The bytes that facts may take of a row's `logs`, which hold 65,535 and speak of other things as well.
const ROOM: usize = 56 * 1024;

/// Whether the partitions of a table are part of what is known of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Partitions {
    Count,
    LeftOut,
}

/// Servers' numbers for "there is no such object", whichever kind it is of.
const MISSING: [u16; 8] = [1049, 1133, 1146, 1305, 1360, 1396, 1539, 4091];

/// A table that is not among those of `LOCK TABLES` cannot be looked at, nor changed by what follows.
const NOT_LOCKED: u16 = 1100;

/// What the catalog says of the objects that a definition names, or of the whole database if it is not certain which: the
/// same to every session, whatever its script and its server have set.
pub(super) async fn of(session: &mut MysqlSession, definition: &Definition) -> Result<Facts> {
    let looked = async |session: &mut MysqlSession| {
        let server = server::of(session, definition).await?;
        let mut facts = fitting(seen(session, definition).await?);
        facts.insert(SERVER.to_owned(), server);
        Ok(facts)
    };
    always_neutrally(session, looked).await
}

async fn seen(session: &mut MysqlSession, definition: &Definition) -> Result<Facts> {
    let partitions = if definition.caveats.contains(&Caveat::Partitions) {
        Partitions::Count
    } else {
        Partitions::LeftOut
    };
    match &definition.objects {
        Objects::Named(objects) if definition.verb == Verb::Empty => of_rows(session, objects).await,
        Objects::Named(objects) => of_objects(session, objects, partitions).await,
        Objects::Unknown => {
            of_database(session, partitions).await.map(|fact| Facts::from([(WHOLE.to_owned(), fact)]))
        }
    }
}

/// These facts, or what fits into a row instead. Which of the two depends on the names alone, so that it is the same
/// before and behind a statement.
fn fitting(facts: Facts) -> Facts {
    if facts.keys().map(|name| written(name)).sum::<usize>() <= ROOM {
        return facts;
    }
    let none = facts.values().all(|fact| fact == ABSENT);
    let texts: Vec<_> = facts.into_iter().flat_map(<[String; 2]>::from).collect();
    Facts::from([(ALL_OF_THEM.to_owned(), hash(&texts)), (NONE_IS_THERE.to_owned(), none.to_string())])
}

/// The bytes that a name and its fact take in the line of JSON, at most.
fn written(name: &str) -> usize {
    /// Two pairs of quotes, a colon, a comma.
    const AROUND: usize = 6;
    let escaped = |c: char| match c {
        '"' | '\\' => 6,
        c if c.is_ascii() && !c.is_control() => 1,
        c => 6 * c.len_utf16(),
    };
    name.chars().map(escaped).sum::<usize>() + HASH + AROUND
}

/// The name under which an object is remembered.
pub(super) fn key(object: &Object) -> String {
    let word = word(object.kind);
    match &object.database {
        Some(database) if object.kind != ObjectKind::Database => format!("{word} {database}.{}", object.name),
        _ => format!("{word} {}", object.name),
    }
}

fn word(kind: ObjectKind) -> &'static str {
    match kind {
        // An index is part of its table, and that a view has the name of a table tells both.
        ObjectKind::Table => "table",
        ObjectKind::View => "view",
        ObjectKind::Sequence => "sequence",
        ObjectKind::Procedure => "procedure",
        ObjectKind::Function => "function",
        ObjectKind::Trigger => "trigger",
        ObjectKind::Event => "event",
        ObjectKind::Database => "database",
    }
}

async fn of_objects(session: &mut MysqlSession, objects: &[Object], partitions: Partitions) -> Result<Facts> {
    let mut facts = Facts::new();
    for object in objects {
        let fact = of_object(session, object, partitions).await?;
        facts.insert(key(object), fact);
    }
    Ok(facts)
}

async fn of_rows(session: &mut MysqlSession, tables: &[Object]) -> Result<Facts> {
    let mut facts = Facts::new();
    for table in tables {
        facts.insert(key(table), rows::of(session, table).await?);
    }
    Ok(facts)
}

async fn of_object(session: &mut MysqlSession, object: &Object, partitions: Partitions) -> Result<String> {
    let name = sql::name(&object.name);
    let name = match object.kind {
        ObjectKind::Database => name,
        _ => format!("{}.{name}", sql::name(object.database.as_deref().unwrap_or(&session.database))),
    };
    let kind = match object.kind {
        // Of a view it tells as much as `SHOW CREATE VIEW`, and it tells which of the two has the name.
        ObjectKind::Table | ObjectKind::View => "TABLE",
        ObjectKind::Sequence => "SEQUENCE",
        ObjectKind::Procedure => "PROCEDURE",
        ObjectKind::Function => "FUNCTION",
        ObjectKind::Trigger => "TRIGGER",
        ObjectKind::Event => "EVENT",
        ObjectKind::Database => "DATABASE",
    };
    match session.rows(&format!("SHOW CREATE {kind} {name}")).await {
        Ok(rows) => Ok(shown(&rows, partitions)),
        Err(error) => missing(error),
    }
}

fn missing(error: Error) -> Result<String> {
    match super::failure::number(&error) {
        Some(number) if MISSING.contains(&number) => Ok(ABSENT.to_owned()),
        Some(NOT_LOCKED) => Ok("locked out".to_owned()),
        _ => Err(error),
    }
}

/// The hash of what `SHOW CREATE …` answered, without what moves by itself.
fn shown(rows: &[Vec<Option<String>>], partitions: Partitions) -> String {
    /// The time of creation of a trigger: its name and statement come before it.
    const CREATED: usize = 6;
    // The statement that makes a routine, to a user who may call it and no more.
    if rows.iter().any(|row| matches!(row.get(2), Some(None))) {
        return HIDDEN.to_owned();
    }
    let fields = rows.iter().flat_map(|row| row.iter().take(CREATED));
    let text: Vec<_> = fields.map(|field| stable(field.as_deref().unwrap_or("NULL"), partitions)).collect();
    hash(&text)
}

/// The definition without the number that the next row will get, an option behind the columns and before the comment; and
/// without its partitions, which come last.
fn stable(definition: &str, partitions: Partitions) -> String {
    let Some(options) = definition.find("\n) ENGINE=") else { return definition.to_owned() };
    let (columns, options) = definition.split_at(options);
    let partitioned = ["\n PARTITION BY ", "\n/*!50100 PARTITION BY "].iter().find_map(|by| options.find(by));
    let options = match (partitions, partitioned) {
        (Partitions::LeftOut, Some(at)) => &options[..at],
        _ => options,
    };
    format!("{columns}{}", without_next_number(options))
}

fn without_next_number(options: &str) -> String {
    let before_comment = options.find(" COMMENT='").unwrap_or(options.len());
    let Some((before, behind)) = options[..before_comment].split_once(" AUTO_INCREMENT=") else {
        return options.to_owned();
    };
    let behind = behind.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}{behind}{}", &options[before_comment..])
}

/// Everything in the database of the history: slow with hundreds of tables, so only where nothing better is known.
async fn of_database(session: &mut MysqlSession, partitions: Partitions) -> Result<String> {
    let database = session.database.clone();
    let mut facts = vec![sql::name(&database)];
    for object in objects(session, &database).await? {
        facts.push(key(&object));
        facts.push(of_object(session, &object, partitions).await?);
    }
    Ok(hash(&facts))
}

async fn objects(session: &mut MysqlSession, database: &str) -> Result<Vec<Object>> {
    const KINDS: [(&str, ObjectKind); 9] = [
        ("BASE TABLE", ObjectKind::Table),
        ("SYSTEM VERSIONED", ObjectKind::Table),
        ("SYSTEM VIEW", ObjectKind::View),
        ("VIEW", ObjectKind::View),
        ("SEQUENCE", ObjectKind::Sequence),
        ("PROCEDURE", ObjectKind::Procedure),
        ("FUNCTION", ObjectKind::Function),
        ("TRIGGER", ObjectKind::Trigger),
        ("EVENT", ObjectKind::Event),
    ];
    let is = sql::text(database);
    let rows = session
        .rows(&format!(
            "SELECT TABLE_TYPE, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {is} \
             AND TABLE_NAME <> '_prisma_migrations' \
             UNION ALL SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {is} \
             UNION ALL SELECT 'TRIGGER', TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {is} \
             UNION ALL SELECT 'EVENT', EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {is} \
             ORDER BY 1, 2"
        ))
        .await?;
    let whole = Object { kind: ObjectKind::Database, database: None, name: database.to_owned() };
    let object = |row: Vec<Option<String>>| {
        let mut row = row.into_iter().flatten();
        let (kind, name) = (row.next()?, row.next()?);
        let kind = KINDS.iter().find(|(word, _)| *word == kind).map(|(_, kind)| *kind)?;
        Some(Object { kind, database: Some(database.to_owned()), name })
    };
    Ok([whole].into_iter().chain(rows.into_iter().filter_map(object)).collect())
}

/// Half of a SHA-256 tells two definitions apart, and a row's `logs` holds at most 64 KiB.
const HASH: usize = 32;

fn hash(texts: &[String]) -> String {
    Checksum::of(&texts.join("\0")).to_string().chars().take(HASH).collect()
}

#[cfg(test)]
mod tests;
