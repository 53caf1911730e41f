//! The statements of which PostgreSQL's sources say `PreventInTransactionBlock`.

use crate::script::lexer::Kind;
use crate::script::statement::Statement;

/// A statement that PostgreSQL refuses inside a transaction.
#[derive(Debug)]
pub struct Refusing {
    what: &'static str,
    since: u32,
    source: &'static str,
    fits: fn(&Statement<'_>) -> bool,
}

impl Refusing {
    /// What it does, in the words of SQL.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// The first major version that refuses it; 13 stands for every version that Plimsoll knows.
    pub fn since(&self) -> u32 {
        self.since
    }

    /// The file in PostgreSQL's sources that refuses it.
    pub fn source(&self) -> &'static str {
        self.source
    }

    pub(super) fn fits(&self, statement: &Statement<'_>) -> bool {
        (self.fits)(statement)
    }
}

const UTILITY: &str = "src/backend/tcop/utility.c";
const SUBSCRIPTIONS: &str = "src/backend/commands/subscriptioncmds.c";

/// A row of the table.
const fn row(
    what: &'static str,
    since: u32,
    source: &'static str,
    fits: fn(&Statement<'_>) -> bool,
) -> Refusing {
    Refusing { what, since, source, fits }
}

/// Every one that can be told by its text, for PostgreSQL 13 to 18.
pub const TABLE: &[Refusing] = &[
    row("CREATE INDEX CONCURRENTLY", 13, UTILITY, |it| {
        it.begins_with(&["create", "index", "concurrently"])
            || it.begins_with(&["create", "unique", "index", "concurrently"])
    }),
    row("DROP INDEX CONCURRENTLY", 13, UTILITY, |it| it.begins_with(&["drop", "index", "concurrently"])),
    row("REINDEX CONCURRENTLY", 13, "src/backend/commands/indexcmds.c", reindexes_concurrently),
    row("REINDEX SCHEMA", 13, "src/backend/commands/indexcmds.c", |it| reindexes(it, "schema")),
    row("REINDEX DATABASE", 13, "src/backend/commands/indexcmds.c", |it| reindexes(it, "database")),
    row("REINDEX SYSTEM", 13, "src/backend/commands/indexcmds.c", |it| reindexes(it, "system")),
    row("VACUUM", 13, "src/backend/commands/vacuum.c", |it| it.begins_with(&["vacuum"])),
    row("CLUSTER", 13, "src/backend/commands/cluster.c", clusters_everything),
    row("ALTER SYSTEM", 13, UTILITY, |it| it.begins_with(&["alter", "system"])),
    row("CREATE DATABASE", 13, UTILITY, |it| it.begins_with(&["create", "database"])),
    row("DROP DATABASE", 13, UTILITY, |it| it.begins_with(&["drop", "database"])),
    row("ALTER DATABASE … SET TABLESPACE", 13, "src/backend/commands/dbcommands.c", |it| {
        it.begins_with(&["alter", "database"]) && it.has_run(&["set", "tablespace"])
    }),
    row("CREATE TABLESPACE", 13, UTILITY, |it| it.begins_with(&["create", "tablespace"])),
    row("DROP TABLESPACE", 13, UTILITY, |it| it.begins_with(&["drop", "tablespace"])),
    row("ALTER TABLE … DETACH PARTITION … CONCURRENTLY", 14, UTILITY, detaches_concurrently),
    row("DISCARD ALL", 13, "src/backend/commands/discard.c", |it| it.begins_with(&["discard", "all"])),
    row("COMMIT PREPARED", 13, UTILITY, |it| it.begins_with(&["commit", "prepared"])),
    row("ROLLBACK PREPARED", 13, UTILITY, |it| it.begins_with(&["rollback", "prepared"])),
    row("CREATE SUBSCRIPTION", 13, SUBSCRIPTIONS, creates_slot),
    // One without a slot could be dropped inside a transaction; the text does not say whether this one has one.
    row("DROP SUBSCRIPTION", 13, SUBSCRIPTIONS, |it| it.begins_with(&["drop", "subscription"])),
    row("ALTER SUBSCRIPTION … REFRESH PUBLICATION", 14, SUBSCRIPTIONS, |it| {
        it.begins_with(&["alter", "subscription"]) && it.has_run(&["refresh", "publication"])
    }),
    row("ALTER SUBSCRIPTION … PUBLICATION", 14, SUBSCRIPTIONS, |it| {
        let changes = ["set", "add", "drop"].iter().any(|verb| it.has_run(&[verb, "publication"]));
        it.begins_with(&["alter", "subscription"]) && changes && !is_off(it, "refresh")
    }),
    row("ALTER SUBSCRIPTION … SET (failover)", 17, SUBSCRIPTIONS, |it| {
        it.begins_with(&["alter", "subscription"]) && option(it, "failover").is_some()
    }),
    // Switched on, it is changed only in the catalog.
    row("ALTER SUBSCRIPTION … SET (two_phase = false)", 18, SUBSCRIPTIONS, |it| {
        it.begins_with(&["alter", "subscription"]) && is_off(it, "two_phase")
    }),
];

/// Whether it is a `REINDEX` of this kind of object, which stands behind the options in parentheses.
fn reindexes(statement: &Statement<'_>, kind: &str) -> bool {
    statement.word(0) == "reindex" && statement.word(behind_options(statement)) == kind
}

/// Before 14 the word has only one place, behind the kind of object; an option can say `false`.
fn reindexes_concurrently(statement: &Statement<'_>) -> bool {
    statement.word(0) == "reindex"
        && (statement.word(behind_options(statement) + 1) == "concurrently"
            || (option(statement, "concurrently").is_some() && !is_off(statement, "concurrently")))
}

/// Without a table it means every table that was clustered before.
fn clusters_everything(statement: &Statement<'_>) -> bool {
    let at = behind_options(statement);
    statement.word(0) == "cluster" && (at == statement.len() || statement.is(&["cluster", "verbose"]))
}

fn detaches_concurrently(statement: &Statement<'_>) -> bool {
    let last = statement.len().saturating_sub(1);
    statement.begins_with(&["alter", "table"])
        && statement.has("concurrently")
        && statement.has_run(&["detach", "partition"])
        && statement.word(last) == "concurrently"
        && statement.token(last - 1) != Some((Kind::Symbol, "."))
}

/// It makes a slot on the other server, unless it is told not to, or not even to connect.
fn creates_slot(statement: &Statement<'_>) -> bool {
    statement.begins_with(&["create", "subscription"])
        && !is_off(statement, "create_slot")
        && !is_off(statement, "connect")
}

/// The number of the token behind the first word and the options in parentheses that may follow it.
fn behind_options(statement: &Statement<'_>) -> usize {
    let closes = |at: &usize| statement.token(*at).is_some_and(|(kind, _)| kind == Kind::Close);
    match statement.token(1) {
        Some((Kind::Open, _)) => (2..statement.len()).find(closes).map_or(statement.len(), |at| at + 1),
        _ => 1,
    }
}

/// The value of an option in parentheses, in lower case and without quotes; empty if it has a name only.
fn option(statement: &Statement<'_>, name: &str) -> Option<String> {
    let begins = |at: usize| matches!(statement.token(at), Some((Kind::Open, _) | (Kind::Symbol, ",")));
    let at = (1..statement.len())
        .rfind(|at| statement.word(*at) == name && statement.depth(*at) == 1 && begins(at - 1))?;
    let value = if statement.token(at + 1) == Some((Kind::Symbol, "=")) { at + 2 } else { at + 1 };
    let (kind, text) = statement.token(value)?;
    let is_value = !matches!((kind, text), (Kind::Close, _) | (Kind::Symbol, ","));
    Some(if is_value { text.trim_matches(['\'', '"']).to_ascii_lowercase() } else { String::new() })
}

fn is_off(statement: &Statement<'_>, name: &str) -> bool {
    option(statement, name).is_some_and(|value| matches!(value.as_str(), "false" | "off" | "0"))
}

#[cfg(test)]
mod tests {
    use crate::script::postgres::refusing::first_refusing;

    #[test]
    fn options_in_parentheses_are_read() {
        for (text, what) in [
            ("REINDEX (VERBOSE) SCHEMA s", Some("REINDEX SCHEMA")),
            ("REINDEX (VERBOSE, CONCURRENTLY) TABLE t", Some("REINDEX CONCURRENTLY")),
            ("REINDEX (CONCURRENTLY on) INDEX i", Some("REINDEX CONCURRENTLY")),
            ("REINDEX (CONCURRENTLY OFF) INDEX i", None),
            ("REINDEX TABLE s.concurrently", None),
            ("REINDEX (VERBOSE) TABLE database", None),
            ("REINDEX DATABASE", Some("REINDEX DATABASE")),
            ("CLUSTER (VERBOSE)", Some("CLUSTER")),
            ("CLUSTER (VERBOSE) t", None),
            ("CLUSTER verbose t", None),
            ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", Some("CREATE SUBSCRIPTION")),
            ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (create_slot = 'off')", None),
            (
                "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (enabled = false, connect = false)",
                None,
            ),
            ("ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)", None),
            (
                "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (copy_data)",
                Some("ALTER SUBSCRIPTION … PUBLICATION"),
            ),
        ] {
            assert_eq!(first_refusing(text), what, "{text}");
        }
    }

    #[test]
    fn words_in_other_places_refuse_nothing() {
        for text in [
            "ALTER TABLE t ADD COLUMN detach text; ALTER TABLE t DETACH PARTITION s.concurrently",
            "ALTER TABLE t DETACH PARTITION p FINALIZE",
            "CREATE INDEX concurrently_made ON t (a)",
            "CREATE TABLE vacuum_log (\"vacuum\" int); SELECT 'VACUUM', $$ VACUUM $$",
            "ALTER DATABASE d SET work_mem TO '1MB'",
            "ALTER TABLESPACE x SET (seq_page_cost = 1)",
            "ALTER SUBSCRIPTION s SET (two_phase = true); ALTER SUBSCRIPTION s DISABLE",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v; DISCARD PLANS; ANALYZE; CHECKPOINT",
            "PREPARE TRANSACTION 'x'",
        ] {
            assert_eq!(first_refusing(text), None, "{text}");
        }
    }
}
