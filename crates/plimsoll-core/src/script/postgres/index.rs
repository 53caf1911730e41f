//! The parts of a statement that builds an index concurrently.

use super::effect::qualified_name;
use crate::script::lexer::Dialect;
use crate::script::statement::{Statement, statements};

/// `CREATE [UNIQUE] INDEX CONCURRENTLY [[IF NOT EXISTS] name] ON [ONLY] table …`
pub(super) struct Built {
    /// The index as written, if it has a name.
    pub(super) name: Option<String>,
    /// The table as written.
    pub(super) table: String,
    /// The token behind the table.
    rest: usize,
}

impl Built {
    /// The parts of a statement that begins like that.
    pub(super) fn by(statement: &Statement<'_>) -> Option<Self> {
        let mut at = if is_unique(statement) { 4 } else { 3 };
        if statement.word(at) == "if" {
            at += 3;
        }
        let (name, on) = match statement.word(at) {
            "on" => (None, at),
            _ => qualified_name(statement, at).map(|(name, next)| (Some(name), next))?,
        };
        if statement.word(on) != "on" {
            return None;
        }
        let table_at = if statement.word(on + 1) == "only" { on + 2 } else { on + 1 };
        let (table, rest) = qualified_name(statement, table_at)?;
        Some(Self { name, table, rest })
    }
}

fn is_unique(statement: &Statement<'_>) -> bool {
    statement.word(1) == "unique"
}

/// A statement that makes the same index on another table, and that table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameIndex {
    /// The table: it has the name of the first one, which expressions may use, in the schema that was asked for.
    pub table: String,
    /// The statement. It gives the index no name, and does not refuse a transaction.
    pub statement: String,
}

/// The index of `CREATE INDEX CONCURRENTLY …` on a table in another schema: with it a server can say what such an index is made
/// of. Nothing if the text is another statement.
pub fn same_index_in(schema: &str, text: &str) -> Option<SameIndex> {
    let (statements, _) = statements(text, Dialect::Postgres);
    let statement = statements.first()?;
    let built = Built::by(statement)?;
    let (_, name) = statement.token(built.rest - 1)?;
    let (first, last) = (statement.place(built.rest)?, statement.place(statement.len() - 1)?);
    let kind = if is_unique(statement) { "UNIQUE INDEX" } else { "INDEX" };
    let table = format!("{schema}.{name}");
    let statement = format!("CREATE {kind} ON {table} {}", &text[first.start..last.end]);
    Some(SameIndex { table, statement })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_index_on_another_table_has_the_same_parts() {
        for (text, table, statement) in [
            ("CREATE INDEX CONCURRENTLY ON t (a);", "x.t", "CREATE INDEX ON x.t (a)"),
            (
                "/* ; */ create unique index concurrently ON ONLY s.\"T.t\" /* all */ USING btree (lower(a) DESC)\n WHERE b <> ';' -- ;",
                "x.\"T.t\"",
                "CREATE UNIQUE INDEX ON x.\"T.t\" USING btree (lower(a) DESC)\n WHERE b <> ';'",
            ),
            (
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t(a) INCLUDE (b)",
                "x.t",
                "CREATE INDEX ON x.t (a) INCLUDE (b)",
            ),
        ] {
            let expected = SameIndex { table: table.to_owned(), statement: statement.to_owned() };
            assert_eq!(same_index_in("x", text), Some(expected), "{text}");
        }
        assert_eq!(same_index_in("x", "CREATE INDEX CONCURRENTLY ON t"), None);
        assert_eq!(same_index_in("x", ""), None);
    }
}
