//! How PostgreSQL can run a script.
//!
//! PostgreSQL itself has the last word: what this module does not know to refuse a transaction is refused by the
//! server, with nothing done.

mod alone;
mod code;
mod cut;
mod effect;
mod index;
pub mod refusing;
mod session;
mod strings;

use std::ops::Range;

use super::lexer::{Dialect, Kind, Lexer};
use super::statement::{Statement, statements};
use super::values::{self, Part};
use super::{Atomic, Control, Controlled, Reason, Refusal, Segmented, Shape, blanked, controlled};
use cut::{inside_block, refusing, segmented};
use refusing::needs_psql;

pub use alone::{may_change_session, needs_own_connection, plain};
pub use code::{Code, Ran, ran};
pub use cut::{apart, divided, outside, texts};
pub use index::{SameIndex, same_index_in};
pub use session::{Lost, carried};
pub use strings::backslash_in_string;

/// Says how a script has to be run.
pub fn shape(text: &str) -> Shape<'_> {
    let (statements, unterminated) = statements(text, Dialect::Postgres);
    shape_of(text, &statements, unterminated)
}

fn shape_of<'a>(
    text: &'a str,
    statements: &[Statement<'_>],
    unterminated: Option<Range<usize>>,
) -> Shape<'a> {
    if let Some(refusal) = needs_psql(statements) {
        return Shape::Refused(refusal);
    }
    let mut refusing = refusing(statements);
    let merge = |blank: &[Range<usize>], single: bool| Atomic {
        body: blanked(text, blank),
        unterminated: unterminated.clone(),
        merged: !single,
        sets_transaction: sets_transaction(statements),
        statements: statements.len(),
    };
    match controlled(statements, control) {
        Controlled::LeftOpen { span } => Shape::Refused(Refusal::LeftOpen { span }),
        // In one message with others it would fail, but only after a COMMIT of theirs had taken effect.
        Controlled::ByItself { .. } if !refusing.is_empty() => {
            Shape::Refused(Refusal::Mixed(refusing.swap_remove(0)))
        }
        Controlled::ByItself { because } => {
            Shape::SelfManaged { because: Reason { span: because, what: "transaction control" } }
        }
        Controlled::Not if refusing.is_empty() => Shape::Atomic(merge(&[], true)),
        Controlled::Blocks { blank, single }
            if refusing.is_empty() && (single || mergeable(text, statements)) =>
        {
            Shape::Atomic(merge(&blank, single))
        }
        Controlled::Blocks { blank, .. } if refusing.is_empty() => {
            let several = Reason { span: blank[0].clone(), what: "several transactions" };
            cuttable(segmented(text, statements, vec![several]), unterminated)
        }
        Controlled::Not | Controlled::Blocks { .. } => match inside_block(statements) {
            Some(inside) => Shape::Refused(Refusal::InsideBlock(inside)),
            None => cuttable(segmented(text, statements, refusing), unterminated),
        },
    }
}

/// Where the statements of a script are, in order: each from its first token to the semicolon that ends it.
pub fn statement_spans(text: &str) -> Vec<Range<usize>> {
    statements(text, Dialect::Postgres).0.iter().map(Statement::span).collect()
}

/// What another session executes, or the beginning of it, as it may be shown: with a `?` for each string and number.
pub fn without_values(text: &str) -> String {
    let part = |kind| match kind {
        Kind::Text | Kind::Unterminated => Part::Text,
        Kind::Number => Part::Number,
        _ => Part::Shown,
    };
    values::without_values(
        text,
        Lexer::new(text, Dialect::Postgres).map(|token| (part(token.kind), token.span)),
    )
}

/// What does not end could hide statements. The server would say so too, but only behind the segments before.
fn cuttable(segmented: Segmented<'_>, unterminated: Option<Range<usize>>) -> Shape<'_> {
    match unterminated {
        Some(span) if segmented.segments.len() > 1 => Shape::Refused(Refusal::Unterminated { span }),
        _ => Shape::Segmented(segmented),
    }
}

/// Whether the modes of the transaction are set before its first query: PostgreSQL wants nothing that needs a snapshot
/// before that, which `SET`, `SHOW` and `LOCK` do not (`PlannedStmtRequiresSnapshot` in `tcop/pquery.c`).
fn sets_transaction(statements: &[Statement<'_>]) -> bool {
    let is_no_query = |statement: &&Statement<'_>| {
        matches!(statement.word(0), "begin" | "start" | "set" | "reset" | "show" | "lock")
    };
    statements.iter().take_while(is_no_query).any(sets_modes)
}

/// What `SET` names where it sets a mode of the transaction. `transaction_timeout`, which `pg_dump` sets, is none.
const MODES: [&str; 4] =
    ["transaction", "transaction_isolation", "transaction_read_only", "transaction_deferrable"];

/// `SET TRANSACTION …`, `SET LOCAL TRANSACTION …`, `SET transaction_isolation = …`.
fn sets_modes(statement: &Statement<'_>) -> bool {
    let at = if matches!(statement.word(1), "local" | "session") { 2 } else { 1 };
    statement.word(0) == "set" && MODES.contains(&statement.word(at))
}

/// Whether several transactions of a script can be made one without changing what it does.
///
/// They cannot where something lasts until the end of a transaction: `SET LOCAL`, `ON COMMIT`, deferred constraints,
/// or a setting made through a function. Words in strings count, since bodies of functions are strings.
fn mergeable(text: &str, statements: &[Statement<'_>]) -> bool {
    let lower = text.to_ascii_lowercase();
    let lasts = [
        "local",
        "on commit",
        "deferr",
        "set_config",
        "set constraints",
        "set transaction",
        // It is counted anew for each.
        "transaction_timeout",
    ];
    !lasts.iter().any(|word| lower.contains(word)) && !statements.iter().any(sets_modes)
}

fn control(statement: &Statement<'_>) -> Option<Control> {
    let plain = |word: &str| {
        statement.is(&[word]) || statement.is(&[word, "work"]) || statement.is(&[word, "transaction"])
    };
    match statement.word(0) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Segment, Way};

    fn what(text: &str) -> String {
        match shape(text) {
            Shape::Atomic(atomic) if atomic.merged => "merged".to_owned(),
            Shape::Atomic(atomic) if atomic.body == text => "atomic".to_owned(),
            Shape::Atomic(_) => "unwrapped".to_owned(),
            Shape::Segmented(segmented) => parts(&segmented),
            Shape::SelfManaged { because } => format!("self-managed: {}", &text[because.span]),
            Shape::Refused(Refusal::Mixed(why)) => format!("mixed: {}: {}", why.what, &text[why.span]),
            Shape::Refused(Refusal::InsideBlock(why)) => format!("inside: {}: {}", why.what, &text[why.span]),
            Shape::Refused(Refusal::Unterminated { span }) => format!("unterminated: {}", &text[span]),
            Shape::Refused(Refusal::LeftOpen { span }) => format!("left open: {}", &text[span]),
            Shape::Refused(Refusal::NeedsClient { span }) => format!("client: {}", &text[span]),
            Shape::Refused(Refusal::MetaCommand { span }) => format!("psql: {}", &text[span]),
        }
    }

    /// Each segment by its text, with a sign for its way.
    fn parts(segmented: &Segmented<'_>) -> String {
        let part = |segment: &Segment<'_>| {
            let sign = match segment.way {
                Way::Together => "+",
                Way::Block => "=",
                Way::Outside(_) => "!",
            };
            format!("{sign}{}", segment.body.trim())
        };
        segmented.segments.iter().map(part).collect::<Vec<_>>().join(" | ")
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
    fn a_statement_that_refuses_a_transaction_is_a_segment_of_its_own() {
        for (text, expected) in [
            ("-- why\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (a);", "CREATE INDEX CONCURRENTLY"),
            ("drop index concurrently if exists i", "DROP INDEX CONCURRENTLY"),
            ("REINDEX (VERBOSE, CONCURRENTLY) TABLE t", "REINDEX CONCURRENTLY"),
            ("VACUUM (ANALYZE) t;", "VACUUM"),
            ("ALTER SYSTEM SET work_mem = 1", "ALTER SYSTEM"),
            ("CREATE DATABASE other", "CREATE DATABASE"),
            ("CLUSTER", "CLUSTER"),
        ] {
            let Shape::Segmented(segmented) = shape(text) else { panic!("{}", what(text)) };
            let [because] = &*segmented.because else { panic!("{segmented:?}") };
            assert_eq!((because.what, segmented.segments.len()), (expected, 1));
        }
    }

    #[test]
    fn a_script_is_cut_before_and_behind_what_refuses_a_transaction() {
        assert_eq!(what("SELECT 1; VACUUM; VACUUM a;"), "+SELECT 1; | !VACUUM; | !VACUUM a;");
        assert_eq!(
            what("SELECT 1; SELECT 2; -- x\nVACUUM; SELECT 3"),
            "+SELECT 1; SELECT 2; | !VACUUM; | +SELECT 3"
        );
        assert_eq!(
            what("SELECT 0; BEGIN; SELECT 1; COMMIT; BEGIN; COMMIT; SELECT 2; VACUUM;"),
            "+SELECT 0; | =SELECT 1; | = | +SELECT 2; | !VACUUM;"
        );
    }

    #[test]
    fn every_statement_is_in_exactly_one_segment() {
        let text = "SELECT 0; BEGIN; SELECT 1; COMMIT; VACUUM; SELECT 2; SELECT 3;";
        let Shape::Segmented(segmented) = shape(text) else { panic!("{}", what(text)) };
        let statements: Vec<usize> =
            segmented.segments.iter().flat_map(|one| one.statements.clone()).collect();
        assert_eq!(statements, (0..texts(text).len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_script_that_the_server_does_not_take_as_one_is_cut_between_all_statements() {
        let text = "SELECT 1; BEGIN; SELECT 2; SELECT 3; COMMIT; SELECT 4;";
        assert_eq!(parts(&apart(text)), "+SELECT 1; | =SELECT 2; SELECT 3; | +SELECT 4;");
        let Shape::Segmented(segmented) = shape("SELECT 1; SELECT 2; VACUUM") else { panic!() };
        let singles = divided("SELECT 1; SELECT 2; VACUUM", &segmented.segments[0]);
        assert_eq!(parts(&Segmented { segments: singles, because: Vec::new() }), "+SELECT 1; | +SELECT 2;");
    }

    #[test]
    fn the_steps_of_a_script_are_those_of_the_same_script_with_other_line_ends() {
        assert_eq!(texts("SELECT\r\n1;\r\nVACUUM;"), texts("SELECT\n1;\n-- x\nVACUUM;"));
    }

    #[test]
    fn what_cannot_be_cut_is_refused_with_its_place() {
        assert_eq!(what("BEGIN; VACUUM; COMMIT;"), "inside: VACUUM: VACUUM;");
        assert_eq!(what("SELECT 1; BEGIN; ROLLBACK; VACUUM;"), "mixed: VACUUM: VACUUM;");
        assert_eq!(what("VACUUM; SELECT 'abc"), "unterminated: 'abc");
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
    fn the_modes_of_a_transaction_are_seen_behind_what_is_no_query() {
        let sets = |text: &str| match shape(text) {
            Shape::Atomic(atomic) => atomic.sets_transaction,
            Shape::Segmented(segmented) => segmented.segments.iter().any(|one| one.sets_transaction),
            _ => panic!("{text}: {}", what(text)),
        };
        for text in [
            "SET TRANSACTION READ WRITE; SELECT 1",
            "BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1; COMMIT",
            "SET lock_timeout = 1; LOCK t; SHOW search_path; SET LOCAL transaction_isolation = 'serializable'",
            "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1",
            "BEGIN; SET  TRANSACTION READ WRITE; COMMIT; BEGIN; SELECT 1; COMMIT",
            "VACUUM; SET LOCAL lock_timeout = 1; SET TRANSACTION READ WRITE; SELECT 1",
        ] {
            assert!(sets(text), "{text}");
        }
        for text in [
            "SELECT 1",
            "BEGIN; SET LOCAL lock_timeout = 1; COMMIT",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
            "SET transaction_timeout = 0; SELECT 1",
        ] {
            assert!(!sets(text), "{text}");
        }
    }

    #[test]
    fn several_transactions_are_made_one_unless_something_lasts_to_the_end_of_one() {
        assert_eq!(what("BEGIN; SELECT 1; COMMIT; SELECT 2;"), "merged");
        assert_eq!(what("BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT"), "merged");
        assert_eq!(what("BEGIN; SET LOCAL a = 1; COMMIT; SELECT 2"), "=SET LOCAL a = 1; | +SELECT 2");
        let blocks = "BEGIN; SET  TRANSACTION READ WRITE; COMMIT; BEGIN; SELECT 2; COMMIT";
        assert_eq!(what(blocks), "=SET  TRANSACTION READ WRITE; | =SELECT 2;");
        let timed = "BEGIN; SET transaction_timeout = 9; COMMIT; BEGIN; SELECT 2; COMMIT";
        assert_eq!(what(timed), "=SET transaction_timeout = 9; | =SELECT 2;");
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
    fn what_does_not_end_is_known() {
        let Shape::Atomic(atomic) = shape("SELECT 1; SELECT 'abc") else { panic!() };
        assert_eq!(atomic.unterminated, Some(17..21));
    }
}
