//! What PostgreSQL refuses: inside a transaction, or because only `psql` understands it.
//!
//! Some statements refuse a transaction for a reason that no text shows: `REINDEX TABLE` and `REINDEX INDEX` (14 and newer)
//! and `CLUSTER` (15 and newer) of something that is partitioned, `CALL` and `DO` of a body that commits. Of those the
//! server says so itself, with SQLSTATE 25001 or 2D000, before they have done anything.

mod table;

use std::ops::Range;

use crate::script::Refusal;
use crate::script::lexer::{Dialect, Kind};
use crate::script::statement::{Statement, statements};

pub use table::{Refusing, TABLE};

/// What a statement is called that refuses to run inside a transaction, in the words of SQL.
///
/// It is told by its text alone, for every version: one that only newer servers refuse runs outside of a transaction on
/// older ones too, where that does no harm.
pub(super) fn refuses_transaction(statement: &Statement<'_>) -> Option<&'static str> {
    TABLE.iter().find(|row| row.fits(statement)).map(Refusing::what)
}

/// The same for the first statement of a script that refuses.
pub fn first_refusing(text: &str) -> Option<&'static str> {
    statements(text, Dialect::Postgres).0.iter().find_map(refuses_transaction)
}

/// The first thing in a script that only `psql` could carry out; nothing behind it can be read for sure.
pub(super) fn needs_psql(statements: &[Statement<'_>]) -> Option<Refusal> {
    statements.iter().find_map(|statement| match meta_command(statement) {
        _ if copies_through_client(statement) => Some(Refusal::NeedsClient { span: statement.span() }),
        Some(span) => Some(Refusal::MetaCommand { span }),
        None => None,
    })
}

/// `COPY … FROM STDIN` or `COPY … TO STDOUT`. A table, a column or a file may have one of these names.
fn copies_through_client(statement: &Statement<'_>) -> bool {
    if statement.word(0) != "copy" {
        return false;
    }
    let direction = (1..statement.len()).find(|at| {
        matches!(statement.word(*at), "from" | "to")
            && statement.depth(*at) == 0
            && statement.token(at - 1) != Some((Kind::Symbol, "."))
    });
    direction.is_some_and(|at| matches!(statement.word(at + 1), "stdin" | "stdout"))
}

/// The place of a command of `psql`, to the end of its line: outside of quotes a backslash is never SQL.
fn meta_command(statement: &Statement<'_>) -> Option<Range<usize>> {
    let start = statement.find(Kind::Symbol, "\\")?.start;
    let text = statement.text();
    let line = text[start..].find(['\n', '\r']).unwrap_or(text.len() - start);
    Some(start..start + text[start..start + line].trim_end().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::{Migration, Script};

    fn first(text: &str) -> Option<Refusal> {
        needs_psql(&statements(text, Dialect::Postgres).0)
    }

    #[test]
    fn copying_through_the_client_is_known_by_the_place_of_the_word() {
        for text in [
            "COPY t FROM stdin",
            "copy t (a, \"from\") FROM STDIN WITH (FORMAT csv, DELIMITER ';')",
            "COPY s.from FROM stdin CSV HEADER",
            "COPY (SELECT a FROM t) TO stdout",
            "COPY BINARY t TO /* here */ STDOUT",
            "COPY t FROM STDIN WHERE a > 1;\n1\tit's; \\N\n\\.\n",
        ] {
            assert!(matches!(first(text), Some(Refusal::NeedsClient { .. })), "{text}");
        }
        for text in [
            "COPY stdin FROM '/tmp/x'",
            "COPY t (stdin) FROM '/tmp/stdin' WHERE stdout > 1",
            "COPY (SELECT stdin FROM stdin) TO PROGRAM 'cat'",
            "SELECT 'COPY t FROM stdin'; COPY t FROM '/tmp/x' (FORMAT csv)",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    #[test]
    fn a_command_of_psql_is_refused_with_its_place_and_a_way_on() {
        let script = Script::new("SELECT 1;\n  \\i other.sql\n");
        let migration = Migration::new("1_init", "migrations/1_init/migration.sql", script);
        let refusal = first("SELECT 1;\n  \\i other.sql\n").unwrap();
        let diagnostic = format!("{:?}", refusal.diagnostic(&migration));
        for part in
            ["MetaCommand", "migration `1_init` has a command of psql", "leave this line out", "span: 12..24"]
        {
            assert!(diagnostic.contains(part), "{part} is not in {diagnostic}");
        }
    }

    #[test]
    fn a_backslash_outside_of_quotes_is_a_command_of_psql() {
        for (text, command) in [
            ("\\connect other\nSELECT 1;", "\\connect other"),
            ("SELECT 1;\n  \\i 'a file.sql'  \r\nSELECT 2;", "\\i 'a file.sql'"),
            ("SELECT 'DROP TABLE a' \\gexec", "\\gexec"),
            ("\\copy t FROM 'x' CSV", "\\copy t FROM 'x' CSV"),
            ("SELECT 1; \\.", "\\."),
        ] {
            let Some(Refusal::MetaCommand { span }) = first(text) else { panic!("{text}") };
            assert_eq!(&text[span], command);
        }
        for text in ["SELECT '\\i', E'\\\\', $$\\i$$, \"\\i\" -- \\i\n/* \\i */", "SELECT U&'\\0061'"] {
            assert_eq!(first(text), None, "{text}");
        }
    }
}
