//! Which statements of a script run code that may change its session in ways that their own words do not show.

use std::ops::Range;

use crate::script::lexer::Dialect;
use crate::script::statement::{Statement, statements};

use super::session::{behind_discard, rest_behind};

/// A statement that may call functions, or is a block of code itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran<'a> {
    /// Where it is in the script.
    pub span: Range<usize>,
    /// Its text.
    pub text: &'a str,
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
    let ran = behind_discard(&statements, done).iter().filter(|statement| !defines(statement));
    ran.map(|statement| {
        let code = if statement.word(0) == "do" { Code::Block } else { Code::Calls };
        Ran { span: statement.span(), text: &text[statement.span()], code }
    })
    .collect()
}

/// The last of the first `done` statements that may have drawn a number from a sequence, if the rest of the script asks for the
/// number that its own session has drawn last.
pub(super) fn drew(text: &str, all: &[Statement<'_>], done: usize) -> Option<Range<usize>> {
    let rest = rest_behind(text, all, done);
    let asks = ["currval", "lastval"].iter().any(|word| rest.contains(word));
    let draws = |statement: &&Statement<'_>| {
        let word = statement.word(0);
        let may = matches!(
            word.as_str(),
            "insert" | "select" | "with" | "do" | "call" | "copy" | "merge" | "update" | "execute"
        );
        let serial = ["serial", "bigserial", "smallserial", "identity", "nextval"];
        may || !defines(statement) && word != "drop" && serial.iter().any(|word| statement.has(word))
    };
    let last = behind_discard(all, done).iter().rfind(draws)?;
    asks.then(|| last.span())
}

/// Whether a statement holds code that it does not run.
fn defines(statement: &Statement<'_>) -> bool {
    let at = if statement.word(1) == "or" { 3 } else { 1 };
    statement.word(0) == "create" && matches!(statement.word(at).as_str(), "function" | "procedure")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::postgres::carried;

    #[test]
    fn code_that_is_only_defined_is_not_run() {
        let text = "CREATE OR REPLACE FUNCTION f() RETURNS int AS 'x' LANGUAGE sql; DO $$BEGIN END$$; SELECT f(); VACUUM";
        let codes: Vec<_> = ran(text, 3).into_iter().map(|ran| (ran.text, ran.code)).collect();
        assert_eq!(codes, [("DO $$BEGIN END$$;", Code::Block), ("SELECT f();", Code::Calls)]);
        assert_eq!(ran("DO 'x'; DISCARD ALL; VACUUM", 2), []);
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
