//! What a statement that refuses a transaction does, as far as its runner's successor can find out whether it did it.

use super::index::Built;
use crate::script::lexer::Kind;
use crate::script::statement::Statement;
use crate::script::{Effect, Reindexed, Thing};

/// What a statement does that PostgreSQL refuses to run inside a transaction.
pub(super) fn effect(statement: &Statement<'_>) -> Effect {
    let known = match (statement.word(0), statement.word(1)) {
        ("create", "index" | "unique") => builds_index(statement),
        ("drop", "index") => drops_index(statement),
        ("alter", "table") => detaches(statement),
        ("reindex", _) => Some(reindexes(statement)),
        ("create", kind) => whole(statement, kind, 2).map(|(thing, name)| Effect::Creates { thing, name }),
        ("drop", kind) => {
            let at = if statement.word(2) == "if" { 4 } else { 2 };
            whole(statement, kind, at).map(|(thing, name)| Effect::Removes { thing, name })
        }
        ("commit" | "rollback", "prepared") => prepared(statement),
        ("vacuum" | "cluster" | "discard", _) | ("alter", "system" | "database") => Some(Effect::Repeatable),
        ("alter", "subscription") => {
            matches!(statement.word(3), "refresh" | "set").then_some(Effect::Repeatable)
        }
        _ => None,
    };
    known.unwrap_or(Effect::Unknown)
}

fn builds_index(statement: &Statement<'_>) -> Option<Effect> {
    let built = Built::by(statement)?;
    Some(Effect::BuildsIndex { name: built.name, table: built.table })
}

/// `DROP INDEX CONCURRENTLY [IF EXISTS] name [CASCADE | RESTRICT]`
fn drops_index(statement: &Statement<'_>) -> Option<Effect> {
    let at = if statement.word(3) == "if" { 5 } else { 3 };
    let (name, next) = qualified_name(statement, at)?;
    let rest = statement.word(next);
    let one = next >= statement.len() || rest == "cascade" || rest == "restrict";
    // PostgreSQL refuses to drop several concurrently, with nothing done.
    Some(if one { Effect::DropsIndex { name } } else { Effect::Repeatable })
}

/// `ALTER TABLE [IF EXISTS] [ONLY] name DETACH PARTITION name CONCURRENTLY`
fn detaches(statement: &Statement<'_>) -> Option<Effect> {
    let mut at = 2;
    if statement.word(at) == "if" {
        at += 2;
    }
    if statement.word(at) == "only" {
        at += 1;
    }
    let (table, next) = qualified_name(statement, at)?;
    if statement.word(next) != "detach" || statement.word(next + 1) != "partition" {
        return None;
    }
    let (partition, next) = qualified_name(statement, next + 2)?;
    (statement.word(next) == "concurrently").then_some(Effect::Detaches { table, partition })
}

/// `REINDEX [(options)] { INDEX | TABLE | … } [CONCURRENTLY] name`. Each of its kinds may run twice.
fn reindexes(statement: &Statement<'_>) -> Effect {
    let options = matches!(statement.token(1), Some((Kind::Open, _)));
    let close = (1..statement.len()).find(|n| matches!(statement.token(*n), Some((Kind::Close, _))));
    let at = close.filter(|_| options).map_or(1, |close| close + 1);
    let kind = match statement.word(at) {
        "table" => Reindexed::Table,
        "index" => Reindexed::Index,
        "schema" => Reindexed::Schema,
        "database" => Reindexed::Database,
        _ => return Effect::Repeatable,
    };
    let at = if statement.word(at + 1) == "concurrently" { at + 2 } else { at + 1 };
    match qualified_name(statement, at) {
        Some((name, _)) if statement.has("concurrently") => Effect::Reindexes { kind, name },
        _ => Effect::Repeatable,
    }
}

fn whole(statement: &Statement<'_>, kind: &str, at: usize) -> Option<(Thing, String)> {
    let thing = match kind {
        "database" => Thing::Database,
        "tablespace" => Thing::Tablespace,
        "subscription" => Thing::Subscription,
        _ => return None,
    };
    qualified_name(statement, at).map(|(name, _)| (thing, name))
}

fn prepared(statement: &Statement<'_>) -> Option<Effect> {
    let (_, name) = statement.token(2).filter(|(kind, _)| *kind == Kind::Text)?;
    Some(Effect::Removes { thing: Thing::PreparedTransaction, name: name.to_owned() })
}

/// A name with dots from token `at` on, as written, and the number of the token behind it.
pub(super) fn qualified_name(statement: &Statement<'_>, at: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut at = at;
    loop {
        let (kind, text) = statement.token(at)?;
        if !matches!(kind, Kind::Word | Kind::Name) || text.eq_ignore_ascii_case("on") {
            return None;
        }
        name.push_str(text);
        at += 1;
        match statement.token(at) {
            Some((Kind::Symbol, ".")) => name.push('.'),
            _ => return Some((name, at)),
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::lexer::Dialect;
    use crate::script::statement::statements;

    fn of(text: &str) -> Effect {
        effect(&statements(text, Dialect::Postgres).0[0])
    }

    #[test]
    fn the_index_of_a_concurrent_statement_is_known_as_written() {
        let builds = |name: Option<&str>, table: &str| Effect::BuildsIndex {
            name: name.map(str::to_owned),
            table: table.to_owned(),
        };
        assert_eq!(of("CREATE INDEX CONCURRENTLY i ON t (a)"), builds(Some("i"), "t"));
        assert_eq!(
            of("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I x\" ON ONLY \"S\" . t USING btree (a)"),
            builds(Some("\"I x\""), "\"S\".t")
        );
        assert_eq!(of("CREATE INDEX CONCURRENTLY ON t (a)"), builds(None, "t"));
        let drops = Effect::DropsIndex { name: "a.\"b\"".to_owned() };
        assert_eq!(of("DROP INDEX CONCURRENTLY IF EXISTS a.\"b\" CASCADE;"), drops);
        assert_eq!(of("DROP INDEX CONCURRENTLY a, b"), Effect::Repeatable);
    }

    #[test]
    fn a_partition_that_is_detached_is_known() {
        let detaches = Effect::Detaches { table: "s.t".to_owned(), partition: "\"P\"".to_owned() };
        assert_eq!(of("ALTER TABLE IF EXISTS ONLY s.t DETACH PARTITION \"P\" CONCURRENTLY;"), detaches);
    }

    #[test]
    fn what_is_reindexed_is_known() {
        let table = Effect::Reindexes { kind: Reindexed::Table, name: "t".to_owned() };
        assert_eq!(of("REINDEX (VERBOSE, CONCURRENTLY) TABLE t"), table);
        assert_eq!(of("REINDEX TABLE CONCURRENTLY t"), table);
        let index = Effect::Reindexes { kind: Reindexed::Index, name: "s.i".to_owned() };
        assert_eq!(of("REINDEX INDEX CONCURRENTLY s.i;"), index);
        let schema = Effect::Reindexes { kind: Reindexed::Schema, name: "s".to_owned() };
        assert_eq!(of("REINDEX SCHEMA CONCURRENTLY s"), schema);
        let database = Effect::Reindexes { kind: Reindexed::Database, name: "d".to_owned() };
        assert_eq!(of("REINDEX DATABASE CONCURRENTLY d"), database);
        assert_eq!(of("REINDEX DATABASE CONCURRENTLY"), Effect::Repeatable);
        assert_eq!(of("REINDEX SCHEMA s"), Effect::Repeatable);
    }

    #[test]
    fn what_is_there_or_gone_afterwards_is_known() {
        let creates = |thing, name: &str| Effect::Creates { thing, name: name.to_owned() };
        let removes = |thing, name: &str| Effect::Removes { thing, name: name.to_owned() };
        assert_eq!(of("CREATE DATABASE other OWNER me"), creates(Thing::Database, "other"));
        assert_eq!(of("DROP DATABASE IF EXISTS \"O\""), removes(Thing::Database, "\"O\""));
        assert_eq!(of("COMMIT PREPARED 'x'"), removes(Thing::PreparedTransaction, "'x'"));
    }

    #[test]
    fn what_nobody_can_find_out_is_called_unknown() {
        for text in ["CALL p()", "ALTER SUBSCRIPTION s ADD PUBLICATION p", "DO $$ BEGIN COMMIT; END $$"] {
            assert_eq!(of(text), Effect::Unknown, "{text}");
        }
        for text in ["VACUUM t", "ALTER SYSTEM SET work_mem = 1", "CLUSTER", "DISCARD ALL"] {
            assert_eq!(of(text), Effect::Repeatable, "{text}");
        }
    }
}
