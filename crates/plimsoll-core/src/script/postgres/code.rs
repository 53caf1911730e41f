//! Which statements of a script run code that may change its session in ways that their own words do not show.

use std::borrow::Cow;
use std::ops::Range;

use crate::script::lexer::{Dialect, Kind};
use crate::script::statement::{Statement, statements};

use super::session::behind_discard;

/// A statement that may call functions, or is a block of code itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran<'a> {
    /// Where it is in the script.
    pub span: Range<usize>,
    /// Its text, or the names of what it calls.
    pub text: Cow<'a, str>,
    /// What of its text is code.
    pub code: Code,
}

/// What of a statement is code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// All of it: a `DO`.
    Block,
    /// What it calls.
    Calls,
}

/// The statements among the first `done` ones whose code may have left something in their session, in order.
pub fn ran(text: &str, done: usize) -> Vec<Ran<'_>> {
    let (statements, _) = statements(text, Dialect::Postgres);
    let ran = behind_discard(&statements, done).iter().filter(|statement| calls(statement));
    ran.map(|statement| {
        let span = statement.span();
        match statement.word(0) {
            "do" => Ran { text: text[span.clone()].into(), span, code: Code::Block },
            _ => Ran { text: called(statement).into(), span, code: Code::Calls },
        }
    })
    .collect()
}

/// Whether a statement runs functions. Many others only name some: triggers, rights, policies, remarks.
fn calls(statement: &Statement<'_>) -> bool {
    match statement.word(0) {
        "select" | "with" | "do" | "call" | "values" | "insert" | "update" | "delete" | "merge"
        | "execute" => true,
        "create" => {
            statement.has("as")
                && (statement.has("table") || statement.has("materialized"))
                && !defines(statement)
        }
        _ => false,
    }
}

/// The names in a statement that a parenthesis follows: those of the functions that it calls are among them.
fn called(statement: &Statement<'_>) -> String {
    let name = |at: usize| match (statement.token(at)?, statement.token(at + 1)?) {
        ((Kind::Word | Kind::Name, name), (_, "(")) => Some(name.trim_matches('"')),
        _ => None,
    };
    (0..statement.len()).filter_map(name).collect::<Vec<_>>().join(" ")
}

/// The last of the first `done` statements that may have drawn a number from a sequence, if the rest of the script asks for the
/// number that its own session has drawn last.
pub(super) fn drew(text: &str, all: &[Statement<'_>], done: usize) -> Option<Range<usize>> {
    let rest = all.get(done..).unwrap_or_default();
    let asks = rest.iter().position(|statement| asks(&text[statement.span()]))?;
    let draws_itself = |statement: &Statement<'_>| statement.word(0) == "insert" || statement.has("nextval");
    if rest[..asks].iter().any(draws_itself) {
        return None;
    }
    let draws = |statement: &&Statement<'_>| {
        let word = statement.word(0);
        let may = matches!(
            word,
            "insert" | "select" | "with" | "do" | "call" | "copy" | "merge" | "update" | "execute"
        );
        let serial = ["serial", "bigserial", "smallserial", "identity", "nextval"];
        may || !defines(statement) && word != "drop" && serial.iter().any(|word| statement.has(word))
    };
    behind_discard(all, done).iter().rfind(draws).map(Statement::span)
}

/// Whether a text, code in it included, asks for the number that its session has drawn last.
fn asks(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["currval", "lastval"].iter().any(|name| {
        let mut behind = text.match_indices(name).map(|(at, _)| &text[at + name.len()..]);
        behind.any(|behind| behind.trim_start().starts_with('('))
    })
}

/// Whether a statement holds code that it does not run.
fn defines(statement: &Statement<'_>) -> bool {
    let at = if statement.word(1) == "or" { 3 } else { 1 };
    statement.word(0) == "create" && matches!(statement.word(at), "function" | "procedure")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::postgres::carried;

    #[test]
    fn code_that_is_only_defined_is_not_run() {
        let text = "CREATE OR REPLACE FUNCTION f() RETURNS int AS 'x' LANGUAGE sql; DO $$BEGIN END$$; SELECT f(); VACUUM";
        let codes: Vec<_> = ran(text, 3).into_iter().map(|ran| (ran.text.into_owned(), ran.code)).collect();
        assert_eq!(codes, [("DO $$BEGIN END$$;".to_owned(), Code::Block), ("f".to_owned(), Code::Calls)]);
        assert_eq!(ran("DO 'x'; DISCARD ALL; VACUUM", 2), []);
    }

    #[test]
    fn code_that_is_only_named_is_not_run() {
        for named in [
            "GRANT EXECUTE ON FUNCTION f(text) TO app",
            "CREATE TRIGGER t BEFORE INSERT ON s FOR EACH ROW EXECUTE FUNCTION f()",
            "COMMENT ON FUNCTION f(text) IS 'f()'",
            "CREATE VIEW v AS SELECT f('x')",
        ] {
            assert_eq!(ran(&format!("{named}; VACUUM"), 1), [], "{named}");
        }
        for (text, names) in
            [("INSERT INTO s VALUES ('f(1)')", "VALUES"), ("CREATE TABLE s AS SELECT a.\"f\" ('x')", "f")]
        {
            let text = format!("{text}; VACUUM");
            assert_eq!(ran(&text, 1).first().map(|ran| ran.text.as_ref()), Some(names), "{text}");
        }
    }

    #[test]
    fn a_number_that_the_rest_draws_itself_is_not_lost() {
        for rest in [
            "INSERT INTO orders DEFAULT VALUES; INSERT INTO items VALUES (currval('orders_id_seq'))",
            "SELECT nextval('s'); SELECT lastval()",
            "ALTER TABLE \"Sensor\" ADD COLUMN \"lastValue\" INT",
        ] {
            let text = format!("UPDATE a SET b = 1; VACUUM; {rest}");
            assert_eq!(carried(&text, 2), Ok(Vec::new()), "{rest}");
        }
    }

    #[test]
    fn a_number_that_another_session_drew_is_lost() {
        for drawn in ["INSERT INTO t DEFAULT VALUES", "SELECT nextval('s')", "ALTER TABLE t ADD n SERIAL"] {
            for asked in ["currval('s')", "pg_catalog . LastVal ()"] {
                let text = format!("{drawn}; VACUUM; SELECT {asked}");
                let lost = carried(&text, 2).unwrap_err();
                assert_eq!(
                    (lost.span.start, lost.what.as_str()),
                    (0, "the last number that it drew from a sequence")
                );
            }
            assert_eq!(carried(&format!("{drawn}; VACUUM; SELECT 1"), 2), Ok(Vec::new()));
        }
        let text = "CREATE INDEX CONCURRENTLY i ON t (a); INSERT INTO t DEFAULT VALUES; SELECT lastval()";
        assert_eq!(carried(text, 1), Ok(Vec::new()));
    }
}
