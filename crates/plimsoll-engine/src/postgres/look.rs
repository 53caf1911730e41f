//! What the catalog says about a statement that runs outside of any transaction, before it and after its runner died.

use std::collections::BTreeMap;

use plimsoll_core::script::{Effect, Reindexed, Thing};

use super::{PostgresSession, quote_text};
use crate::error::Result;

/// What the database looked like, by the name of the thing.
pub(super) type Facts = BTreeMap<String, String>;

/// Whether a statement that may have been sent took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    TookEffect,
    /// It did not, or it may run twice.
    RunIt,
    /// Nobody can say.
    Unknown,
}

const INDEX: &str = "index";
pub(super) const INDEXES: &str = "indexes";
/// Those of them that can be used.
pub(super) const VALID: &str = "valid";
const PARTITION: &str = "partition";
const THING: &str = "thing";
const ABSENT: &str = "absent";
const PRESENT: &str = "present";
const INVALID: &str = "invalid";
const ATTACHED: &str = "attached";
pub(super) const PENDING: &str = "pending";
const DETACHED: &str = "detached";

/// Looks at what a statement is about to change.
pub(super) async fn look(session: &PostgresSession, effect: &Effect) -> Result<Facts> {
    let (name, query) = match effect {
        Effect::Repeatable | Effect::Unknown => return Ok(Facts::new()),
        Effect::BuildsIndex { name: Some(name), table } => (INDEX, index_state(name, table)),
        Effect::DropsIndex { name } => {
            (INDEX, exists(&format!("pg_catalog.pg_class c WHERE c.oid = {}", oid_of(name))))
        }
        Effect::BuildsIndex { name: None, table } => (INDEXES, indexes_of(&oid_of(table))),
        Effect::Reindexes { kind, name } => (INDEXES, indexes_of(&reindexed_tables(*kind, name))),
        Effect::Detaches { table, partition } => (PARTITION, partition_state(table, partition)),
        Effect::Creates { thing, name } | Effect::Removes { thing, name } => {
            (THING, exists(&catalog_of(*thing, name)))
        }
    };
    let rows = session.rows(&query).await?;
    let fact = |column| rows.first().and_then(|row| row.try_get(column).ok().flatten()).unwrap_or_default();
    let mut facts = Facts::from([(name.to_owned(), fact(0).to_owned())]);
    if name == INDEXES {
        facts.insert(VALID.to_owned(), fact(1).to_owned());
    }
    Ok(facts)
}

/// Compares what a statement met with what is there now. Only an index that can be used was built: an invalid one is what
/// an attempt left, or what somebody else is building.
pub(super) fn outcome(effect: &Effect, before: &Facts, now: &Facts) -> Outcome {
    let was = |name: &str, fact: &str| before.get(name).is_some_and(|found| found == fact);
    let is = |name: &str, fact: &str| now.get(name).is_some_and(|found| found == fact);
    let took_effect = match effect {
        Effect::Unknown => return Outcome::Unknown,
        Effect::Repeatable | Effect::Reindexes { .. } => false,
        Effect::BuildsIndex { name: Some(_), .. } => was(INDEX, ABSENT) && is(INDEX, PRESENT),
        Effect::BuildsIndex { name: None, .. } => match new_indexes(before, now).len() {
            0 => false,
            1 => true,
            _ => return Outcome::Unknown,
        },
        Effect::DropsIndex { .. } => was(INDEX, PRESENT) && is(INDEX, ABSENT),
        Effect::Detaches { .. } => !was(PARTITION, DETACHED) && is(PARTITION, DETACHED),
        Effect::Creates { .. } => was(THING, ABSENT) && is(THING, PRESENT),
        Effect::Removes { .. } => was(THING, PRESENT) && is(THING, ABSENT),
    };
    if took_effect { Outcome::TookEffect } else { Outcome::RunIt }
}

/// Whether an earlier attempt, whoever's it was, left a partition half detached.
pub(super) fn is_half_detached(facts: &Facts) -> bool {
    facts.get(PARTITION).is_some_and(|state| state == PENDING)
}

/// Whether the index that a statement names is there on its table, but cannot be used.
pub(super) fn is_invalid(facts: &Facts) -> bool {
    facts.get(INDEX).is_some_and(|state| state == INVALID)
}

/// The numbers of the indexes that can be used and were not there before.
pub(super) fn new_indexes<'a>(before: &Facts, now: &'a Facts) -> Vec<&'a str> {
    let known: Vec<&str> = before.get(INDEXES).map_or_else(Vec::new, |list| list.split(',').collect());
    let all = now.get(VALID).into_iter().flat_map(|list| list.split(','));
    all.filter(|index| !index.is_empty() && !known.contains(index)).collect()
}

fn exists(from: &str) -> String {
    format!("SELECT CASE WHEN EXISTS (SELECT FROM {from}) THEN '{PRESENT}' ELSE '{ABSENT}' END")
}

/// One of that name on another table is whatever it is: the server answers for it.
fn index_state(name: &str, table: &str) -> String {
    format!(
        "SELECT COALESCE((SELECT CASE WHEN NOT i.indisvalid AND i.indrelid = {} AND c.relkind = 'i' THEN '{INVALID}' \
         ELSE '{PRESENT}' END FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
         WHERE {}), '{ABSENT}')",
        oid_of(table),
        index_built(name, table)
    )
}

/// An expression for the number of the table or index that a statement names, under the settings of the script.
pub(super) fn oid_of(name: &str) -> String {
    format!("pg_catalog.to_regclass({})::pg_catalog.oid", quote_text(name))
}

/// A condition for the `pg_class` row of an index that a statement builds.
///
/// It has no schema of its own: it is made in its table's. Names are cut to 63 bytes, as the server does (`::name`).
pub(super) fn index_built(name: &str, table: &str) -> String {
    format!(
        "c.relname = ((pg_catalog.parse_ident({}))[1])::pg_catalog.name AND c.relnamespace = \
         (SELECT t.relnamespace FROM pg_catalog.pg_class t WHERE t.oid = {})",
        quote_text(name),
        oid_of(table)
    )
}

/// Expressions for the numbers of the tables whose indexes a `REINDEX` builds, as they stand behind `IN`: those of the table
/// that holds the long values of another one are built with it.
pub(super) fn reindexed_tables(kind: Reindexed, name: &str) -> String {
    match kind {
        Reindexed::Table => format!(
            "SELECT pg_catalog.unnest(ARRAY[t.oid, t.reltoastrelid]) FROM pg_catalog.pg_class t WHERE t.oid = {}",
            oid_of(name)
        ),
        Reindexed::Schema => {
            all_tables(&format!("= pg_catalog.to_regnamespace({})::pg_catalog.oid", quote_text(name)))
        }
        // Concurrently, it leaves out the catalogs of the system.
        Reindexed::Database => all_tables("<> 'pg_catalog'::pg_catalog.regnamespace"),
        Reindexed::Index => {
            format!("SELECT x.indrelid FROM pg_catalog.pg_index x WHERE x.indexrelid = {}", oid_of(name))
        }
    }
}

/// The tables whose schema is so, as above.
fn all_tables(schema: &str) -> String {
    format!(
        "SELECT pg_catalog.unnest(ARRAY[t.oid, t.reltoastrelid]) FROM pg_catalog.pg_class t \
         WHERE t.relkind IN ('r', 'm') AND t.relnamespace {schema}"
    )
}

fn indexes_of(tables: &str) -> String {
    format!(
        "SELECT pg_catalog.string_agg(i.indexrelid::pg_catalog.text, ',' ORDER BY i.indexrelid), \
         pg_catalog.string_agg(i.indexrelid::pg_catalog.text, ',' ORDER BY i.indexrelid) FILTER (WHERE i.indisvalid) \
         FROM pg_catalog.pg_index i WHERE i.indrelid IN ({tables})"
    )
}

/// Servers before version 14 have no column for a partition that is half detached.
fn partition_state(table: &str, partition: &str) -> String {
    format!(
        "SELECT COALESCE((SELECT CASE pg_catalog.to_jsonb(i)->>'inhdetachpending' WHEN 'true' THEN '{PENDING}' \
         ELSE '{ATTACHED}' END FROM pg_catalog.pg_inherits i WHERE i.inhrelid = {} AND i.inhparent = {}), '{DETACHED}')",
        oid_of(partition),
        oid_of(table)
    )
}

fn catalog_of(thing: Thing, name: &str) -> String {
    let named = |column: &str| {
        format!("{column} = ((pg_catalog.parse_ident({}))[1])::pg_catalog.name", quote_text(name))
    };
    match thing {
        Thing::Database => format!("pg_catalog.pg_database d WHERE {}", named("d.datname")),
        Thing::Tablespace => format!("pg_catalog.pg_tablespace s WHERE {}", named("s.spcname")),
        Thing::Subscription => format!(
            "pg_catalog.pg_subscription s WHERE {} AND s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d \
             WHERE d.datname = pg_catalog.current_database())",
            named("s.subname")
        ),
        // Its name is a string, as written with its quotes.
        Thing::PreparedTransaction => format!("pg_catalog.pg_prepared_xacts x WHERE x.gid = {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str, fact: &str) -> Facts {
        Facts::from([(name.to_owned(), fact.to_owned())])
    }

    #[test]
    fn only_a_change_proves_that_a_statement_took_effect() {
        let builds = Effect::BuildsIndex { name: Some("i".to_owned()), table: "t".to_owned() };
        let (absent, present) = (facts(INDEX, ABSENT), facts(INDEX, PRESENT));
        assert_eq!(outcome(&builds, &absent, &present), Outcome::TookEffect);
        assert_eq!(outcome(&builds, &present, &present), Outcome::RunIt);
        assert_eq!(outcome(&builds, &absent, &absent), Outcome::RunIt);
        assert_eq!(outcome(&builds, &Facts::new(), &present), Outcome::RunIt);
        assert_eq!(outcome(&builds, &absent, &facts(INDEX, INVALID)), Outcome::RunIt);
        let drops = Effect::DropsIndex { name: "i".to_owned() };
        assert_eq!(outcome(&drops, &present, &absent), Outcome::TookEffect);
        assert_eq!(outcome(&Effect::Unknown, &absent, &present), Outcome::Unknown);
    }

    #[test]
    fn an_index_without_a_name_is_the_only_new_one_of_its_table() {
        let builds = Effect::BuildsIndex { name: None, table: "t".to_owned() };
        let before = facts(INDEXES, "1,2");
        assert_eq!(outcome(&builds, &before, &facts(VALID, "1,2,3")), Outcome::TookEffect);
        assert_eq!(outcome(&builds, &before, &facts(VALID, "1")), Outcome::RunIt);
        assert_eq!(outcome(&builds, &before, &facts(VALID, "2,3,4")), Outcome::Unknown);
        assert_eq!(outcome(&builds, &facts(INDEXES, ""), &facts(VALID, "3")), Outcome::TookEffect);
    }
}
