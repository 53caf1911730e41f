//! How PostgreSQL can run a script.
//!
//! PostgreSQL itself has the last word: what this module does not know to refuse a transaction is refused by the
//! server, with nothing done.

mod refusing;

use std::ops::Range;

use super::lexer::{Dialect, Kind};
use super::statement::{Statement, statements};
use super::{Alone, Atomic, ConcurrentIndex, Control, Controlled, Refusal, Shape, blanked, controlled};
use refusing::{needs_psql, refuses_transaction};

/// Says how a script has to be run.
pub fn shape(text: &str) -> Shape<'_> {
    let (statements, unterminated) = statements(text, Dialect::Postgres);
    if let Some(refusal) = needs_psql(&statements) {
        return Shape::Refused(refusal);
    }
    let refusing = statements.iter().find_map(|statement| Some((statement, refuses_transaction(statement)?)));
    let merge = |blank: &[Range<usize>], single: bool| Atomic {
        body: blanked(text, blank),
        unterminated: unterminated.clone(),
        merged: !single,
        sets_transaction: statements.first().is_some_and(sets_transaction),
        statements: statements.len(),
    };
    match (refusing, controlled(&statements, control)) {
        (Some((statement, what)), _) if statements.len() == 1 => alone(statement, what),
        // In one message with others it would fail, but only after a COMMIT of theirs had taken effect.
        (Some((statement, what)), _) => Shape::Refused(Refusal::Mixed { span: statement.span(), what }),
        (None, Controlled::Not) => Shape::Atomic(merge(&[], true)),
        (None, Controlled::Blocks { blank, single }) if single || mergeable(text) => {
            Shape::Atomic(merge(&blank, single))
        }
        (_, Controlled::Blocks { blank, .. }) => Shape::SelfManaged { because: blank[0].clone() },
        (_, Controlled::LeftOpen { span }) => Shape::Refused(Refusal::LeftOpen { span }),
        (_, Controlled::ByItself { because }) => Shape::SelfManaged { because },
    }
}

/// Where the statements of a script are, in order: each from its first token to the semicolon that ends it.
pub fn statement_spans(text: &str) -> Vec<Range<usize>> {
    statements(text, Dialect::Postgres).0.iter().map(Statement::span).collect()
}

/// A statement that is sent alone, if it may run twice; otherwise what its started row says is all that is known of it.
fn alone(statement: &Statement<'_>, what: &'static str) -> Shape<'static> {
    const MAY_RUN_TWICE: &[&str] = &["vacuum", "alter system", "reindex", "cluster", "discard"];
    let index = concurrent_index(statement);
    let head = format!("{} {}", statement.word(0), statement.word(1));
    if index.is_none() && !MAY_RUN_TWICE.iter().any(|words| head.starts_with(words)) {
        return Shape::SelfManaged { because: statement.span() };
    }
    Shape::Alone(Alone { span: statement.span(), what, index })
}

/// `SET TRANSACTION …`, `SET LOCAL TRANSACTION …`, `SET transaction_isolation = …`.
fn sets_transaction(statement: &Statement<'_>) -> bool {
    let at = if statement.word(1) == "local" { 2 } else { 1 };
    statement.word(0) == "set" && statement.word(at).starts_with("transaction")
}

/// Whether several transactions of a script can be made one without changing what it does.
///
/// They cannot where something lasts until the end of a transaction: `SET LOCAL`, `ON COMMIT`, deferred constraints,
/// or a setting made through a function. Words in strings count, since bodies of functions are strings.
fn mergeable(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    !["local", "on commit", "deferr", "set_config", "set constraints", "set transaction"]
        .iter()
        .any(|word| lower.contains(word))
}

fn control(statement: &Statement<'_>) -> Option<Control> {
    let plain = |word: &str| {
        statement.is(&[word]) || statement.is(&[word, "work"]) || statement.is(&[word, "transaction"])
    };
    match statement.word(0).as_str() {
        "begin" => Some(if plain("begin") { Control::Begin } else { Control::Other }),
        "start" if statement.is(&["start", "transaction"]) => Some(Control::Begin),
        "start" if statement.begins_with(&["start", "transaction"]) => Some(Control::Other),
        "commit" if statement.word(1) == "prepared" => None,
        "commit" => Some(if plain("commit") { Control::Commit } else { Control::Other }),
        "end" => Some(if plain("end") { Control::Commit } else { Control::Other }),
        "rollback" if rolls_back_to_savepoint(statement) || statement.word(1) == "prepared" => None,
        "abort" | "rollback" => Some(Control::Other),
        "prepare" if statement.word(1) == "transaction" => Some(Control::Other),
        _ => None,
    }
}

fn rolls_back_to_savepoint(statement: &Statement<'_>) -> bool {
    statement.word(1) == "to" || statement.word(2) == "to"
}

/// The index of a concurrent `CREATE INDEX` or `DROP INDEX`, if the statement names exactly one.
fn concurrent_index(statement: &Statement<'_>) -> Option<ConcurrentIndex> {
    let mut at = if statement.word(1) == "unique" { 4 } else { 3 };
    let dropped = statement.word(0) == "drop";
    if statement.word(at) == "if" {
        at += if dropped { 2 } else { 3 };
    }
    let (name, next) = qualified_name(statement, at)?;
    if dropped {
        let rest = statement.word(next);
        let alone = next == statement.len() || rest == "cascade" || rest == "restrict";
        return alone.then_some(ConcurrentIndex::Dropped { name });
    }
    if statement.word(next) != "on" {
        return None;
    }
    let table_at = if statement.word(next + 1) == "only" { next + 2 } else { next + 1 };
    let (table, _) = qualified_name(statement, table_at)?;
    Some(ConcurrentIndex::Created { name, table })
}

/// A name with dots from token `at` on, as written, and the number of the token behind it.
fn qualified_name(statement: &Statement<'_>, at: usize) -> Option<(String, usize)> {
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

    fn what(text: &str) -> String {
        match shape(text) {
            Shape::Atomic(atomic) if atomic.merged => "merged".to_owned(),
            Shape::Atomic(atomic) if atomic.body == text => "atomic".to_owned(),
            Shape::Atomic(_) => "unwrapped".to_owned(),
            Shape::Alone(alone) => format!("alone: {}", alone.what),
            Shape::SelfManaged { because } => format!("self-managed: {}", &text[because]),
            Shape::Refused(Refusal::Mixed { span, what }) => format!("mixed: {what}: {}", &text[span]),
            Shape::Refused(Refusal::LeftOpen { span }) => format!("left open: {}", &text[span]),
            Shape::Refused(Refusal::NeedsClient { span }) => format!("client: {}", &text[span]),
            Shape::Refused(Refusal::MetaCommand { span }) => format!("psql: {}", &text[span]),
        }
    }

    #[test]
    fn ordinary_scripts_are_atomic() {
        for text in [
            "",
            "-- only a comment",
            "CREATE TABLE a(); INSERT INTO b VALUES ('COMMIT; VACUUM')",
            "DO $$ BEGIN PERFORM 1; END $$;",
            "SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a;",
            "CREATE TABLE vacuum_log (begin int, commit int); SELECT 1",
            "CREATE INDEX concurrently_built ON t (a)",
            "PREPARE x AS SELECT 1; DISCARD TEMP",
        ] {
            assert_eq!(what(text), "atomic", "{text}");
        }
    }

    #[test]
    fn a_statement_that_refuses_a_transaction_runs_alone() {
        for (text, expected) in [
            ("-- why\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (a);", "CREATE INDEX CONCURRENTLY"),
            ("drop index concurrently if exists i", "DROP INDEX CONCURRENTLY"),
            ("REINDEX (VERBOSE, CONCURRENTLY) TABLE t", "REINDEX CONCURRENTLY"),
            ("VACUUM (ANALYZE) t;", "VACUUM"),
            ("ALTER SYSTEM SET work_mem = 1", "ALTER SYSTEM"),
            ("CLUSTER", "CLUSTER"),
        ] {
            assert_eq!(what(text), format!("alone: {expected}"));
        }
    }

    #[test]
    fn one_that_must_not_run_twice_is_sent_as_it_is() {
        for text in [
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            "CREATE DATABASE other",
            "CREATE INDEX CONCURRENTLY ON t (a)",
            "COMMIT PREPARED 'x'",
        ] {
            assert_eq!(what(text), format!("self-managed: {text}"));
        }
    }

    #[test]
    fn beside_other_statements_it_is_refused_with_its_place() {
        assert_eq!(what("BEGIN; CREATE TABLE a (); COMMIT; VACUUM;"), "mixed: VACUUM: VACUUM;");
        assert_eq!(
            what("SELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a);"),
            "mixed: CREATE INDEX CONCURRENTLY: CREATE INDEX CONCURRENTLY i ON t (a);"
        );
    }

    #[test]
    fn one_transaction_around_everything_is_unwrapped() {
        let text = "-- AlterEnum\nBEGIN;\nCREATE TYPE a AS ENUM ();\nCOMMIT;\n";
        let Shape::Atomic(atomic) = shape(text) else { panic!("{}", what(text)) };
        assert_eq!(atomic.body, "-- AlterEnum\n      \nCREATE TYPE a AS ENUM ();\n       \n");
        assert!(!atomic.merged);
        assert_eq!(what("START TRANSACTION; SET LOCAL a = 1; END WORK"), "unwrapped");
    }

    #[test]
    fn several_transactions_are_made_one_unless_something_lasts_to_the_end_of_one() {
        assert_eq!(what("BEGIN; SELECT 1; COMMIT; SELECT 2;"), "merged");
        assert_eq!(what("BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT"), "merged");
        assert_eq!(what("BEGIN; SET LOCAL a = 1; COMMIT; SELECT 2"), "self-managed: BEGIN;");
    }

    #[test]
    fn other_transaction_control_is_left_to_the_script() {
        assert_eq!(
            what("BEGIN; SELECT 1; COMMIT; START TRANSACTION; SELECT 2"),
            "left open: START TRANSACTION;"
        );
        for text in [
            "COMMIT;",
            "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;",
            "BEGIN; SELECT 1; ROLLBACK;",
            "BEGIN; BEGIN; COMMIT;",
            "BEGIN; COMMIT AND CHAIN; COMMIT;",
        ] {
            assert!(what(text).starts_with("self-managed"), "{text}: {}", what(text));
        }
    }

    #[test]
    fn copying_through_the_client_is_refused() {
        assert_eq!(
            what("COPY t (a, b) FROM stdin WITH (FORMAT csv);"),
            "client: COPY t (a, b) FROM stdin WITH (FORMAT csv);"
        );
        assert_eq!(what("COPY t FROM '/tmp/stdin';"), "atomic");
    }

    #[test]
    fn the_index_of_a_concurrent_statement_is_known_as_written() {
        let index = |text| match shape(text) {
            Shape::Alone(alone) => alone.index,
            _ => None,
        };
        let created = |name: &str, table: &str| {
            Some(ConcurrentIndex::Created { name: name.to_owned(), table: table.to_owned() })
        };
        assert_eq!(index("CREATE INDEX CONCURRENTLY i ON t (a)"), created("i", "t"));
        assert_eq!(
            index("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I x\" ON ONLY \"S\" . t USING btree (a)"),
            created("\"I x\"", "\"S\".t")
        );
        assert_eq!(index("CREATE INDEX CONCURRENTLY ON t (a)"), None);
        assert_eq!(
            index("DROP INDEX CONCURRENTLY IF EXISTS a.\"b\" CASCADE"),
            Some(ConcurrentIndex::Dropped { name: "a.\"b\"".to_owned() })
        );
        assert_eq!(index("DROP INDEX CONCURRENTLY a, b"), None);
    }

    #[test]
    fn what_does_not_end_is_known() {
        let Shape::Atomic(atomic) = shape("SELECT 1; SELECT 'abc") else { panic!() };
        assert_eq!(atomic.unterminated, Some(17..21));
    }
}
