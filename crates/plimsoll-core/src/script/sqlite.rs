//! How SQLite can run a script.

use super::lexer::{Dialect, Kind};
use super::statement::{Statement, statements};
use super::{
    Atomic, Control, Controlled, Effect, Reason, Refusal, Segment, Segmented, Shape, Way, blanked, controlled,
};

/// Whether foreign keys are enforced while a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignKeys {
    /// As in Prisma's engine, whose SQLite is built with enforcement on.
    Enforced,
    /// The script switches them off, as Prisma's table rebuilds do. SQLite ignores that inside a transaction, so that it
    /// has to be done before; whether the script kept its promise is checked before the commit.
    CheckedAtTheEnd,
}

/// Says how a script has to be run, and with which foreign keys.
pub fn shape(text: &str) -> (Shape<'_>, ForeignKeys) {
    let (statements, unterminated) = statements(text, Dialect::Sqlite);
    let foreign_keys = foreign_keys(&statements);
    let refusing = statements.iter().find_map(|statement| Some((statement, refuses_transaction(statement)?)));
    let atomic = |blank: &[std::ops::Range<usize>]| {
        Shape::Atomic(Atomic {
            body: blanked(text, blank),
            unterminated: unterminated.clone(),
            merged: false,
            sets_transaction: false,
            statements: statements.len(),
        })
    };
    let shape = match (refusing, controlled(&statements, control)) {
        (_, Controlled::ByItself { because }) => {
            Shape::SelfManaged { because: Reason { span: because, what: "transaction control" } }
        }
        (_, Controlled::LeftOpen { span }) => Shape::Refused(Refusal::LeftOpen { span }),
        (Some((statement, what)), _) if statements.len() == 1 => alone(text, statement, what),
        (Some((statement, what)), _) => {
            Shape::Refused(Refusal::Mixed(Reason { span: statement.span(), what }))
        }
        (None, Controlled::Not) => atomic(&[]),
        (None, Controlled::Blocks { blank, .. }) => atomic(&blank),
    };
    (shape, foreign_keys)
}

/// All statements of this kind (`VACUUM`, settings of the file) may run twice.
fn alone<'a>(text: &'a str, statement: &Statement<'_>, what: &'static str) -> Shape<'a> {
    let span = statement.span();
    let because = vec![Reason { span: span.clone(), what }];
    let segment = Segment {
        statements: 0..1,
        body: text[span.clone()].into(),
        span,
        way: Way::Outside(Effect::Repeatable),
        sets_transaction: false,
    };
    Shape::Segmented(Segmented { segments: vec![segment], because })
}

/// Where the statements of a script are, in order.
pub fn statement_spans(text: &str) -> Vec<std::ops::Range<usize>> {
    statements(text, Dialect::Sqlite).0.iter().map(Statement::span).collect()
}

fn foreign_keys(statements: &[Statement<'_>]) -> ForeignKeys {
    let off = statements.iter().any(|statement| {
        pragma(statement).is_some_and(|(name, value)| {
            // SQLite takes every word that it does not know for OFF.
            let on = matches!(value.as_str(), "on" | "yes" | "true")
                || value.parse::<u64>().is_ok_and(|number| number != 0);
            name == "foreign_keys" && !value.is_empty() && !on
        })
    });
    if off { ForeignKeys::CheckedAtTheEnd } else { ForeignKeys::Enforced }
}

/// The name of a pragma and the value that it is given, both in lower case.
fn pragma(statement: &Statement<'_>) -> Option<(String, String)> {
    if statement.word(0) != "pragma" {
        return None;
    }
    let qualified = matches!(statement.token(2), Some((Kind::Symbol, ".")));
    let at = if qualified { 3 } else { 1 };
    let lower = |n: usize| {
        statement.token(n).map(|(_, text)| text.trim_matches(['"', '\'', '`', '[', ']']).to_ascii_lowercase())
    };
    Some((lower(at)?, lower(at + 2).unwrap_or_default()))
}

/// What SQLite's documentation says cannot be done inside a transaction.
fn refuses_transaction(statement: &Statement<'_>) -> Option<&'static str> {
    match statement.word(0) {
        "vacuum" => Some("VACUUM"),
        "attach" => Some("ATTACH"),
        "detach" => Some("DETACH"),
        _ => match pragma(statement) {
            Some((name, value)) if !value.is_empty() => match name.as_str() {
                "journal_mode" => Some("PRAGMA journal_mode"),
                "synchronous" => Some("PRAGMA synchronous"),
                "temp_store" => Some("PRAGMA temp_store"),
                _ => None,
            },
            _ => None,
        },
    }
}

fn control(statement: &Statement<'_>) -> Option<Control> {
    let plain = |word: &str| statement.is(&[word]) || statement.is(&[word, "transaction"]);
    match statement.word(0) {
        "begin" => Some(Control::Begin),
        "commit" | "end" if plain("commit") || plain("end") => Some(Control::Commit),
        "rollback" if statement.word(1) == "to" || statement.word(2) == "to" => None,
        "commit" | "end" | "rollback" => Some(Control::Other),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_rebuild_runs_with_foreign_keys_off_and_checked() {
        let text =
            "PRAGMA defer_foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\nDROP TABLE a;\nPRAGMA foreign_keys=ON;";
        let (shape, foreign_keys) = shape(text);
        assert!(matches!(shape, Shape::Atomic(_)));
        assert_eq!(foreign_keys, ForeignKeys::CheckedAtTheEnd);
        assert_eq!(super::shape("PRAGMA main.foreign_keys(0)").1, ForeignKeys::CheckedAtTheEnd);
        assert_eq!(super::shape("PRAGMA [foreign_keys]=`off`").1, ForeignKeys::CheckedAtTheEnd);
        assert_eq!(super::shape("PRAGMA foreign_keys=nope").1, ForeignKeys::CheckedAtTheEnd);
        for on in ["PRAGMA foreign_keys=ON", "PRAGMA foreign_keys = 2", "PRAGMA foreign_keys"] {
            assert_eq!(super::shape(on).1, ForeignKeys::Enforced, "{on}");
        }
    }

    #[test]
    fn a_transaction_of_its_own_becomes_ours() {
        let (shape, _) = shape("BEGIN IMMEDIATE; SELECT 1; COMMIT; SELECT 2;");
        let Shape::Atomic(atomic) = shape else { panic!("{shape:?}") };
        assert_eq!(atomic.body, "                 SELECT 1;         SELECT 2;");
    }

    #[test]
    fn what_cannot_be_in_a_transaction_runs_alone_or_is_refused() {
        assert!(matches!(shape("VACUUM;").0, Shape::Segmented(_)));
        assert!(matches!(shape("PRAGMA journal_mode=WAL;").0, Shape::Segmented(_)));
        assert!(matches!(shape("PRAGMA journal_mode;").0, Shape::Atomic(_)));
        assert!(matches!(shape("VACUUM; SELECT 1").0, Shape::Refused(Refusal::Mixed(_))));
        assert!(matches!(shape("BEGIN; SELECT 1").0, Shape::Refused(Refusal::LeftOpen { .. })));
        assert!(matches!(shape("COMMIT; SELECT 1").0, Shape::SelfManaged { .. }));
    }
}
