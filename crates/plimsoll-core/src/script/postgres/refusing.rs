//! What PostgreSQL refuses: inside a transaction, or because only `psql` understands it.

use std::ops::Range;

use crate::script::Refusal;
use crate::script::lexer::Kind;
use crate::script::statement::Statement;

/// The statements of which PostgreSQL's sources say `PreventInTransactionBlock`, as far as their first words show it.
pub(super) fn refuses_transaction(statement: &Statement<'_>) -> Option<&'static str> {
    const ALWAYS: &[(&[&str], &str)] = &[
        (&["create", "index", "concurrently"], "CREATE INDEX CONCURRENTLY"),
        (&["create", "unique", "index", "concurrently"], "CREATE INDEX CONCURRENTLY"),
        (&["drop", "index", "concurrently"], "DROP INDEX CONCURRENTLY"),
        (&["vacuum"], "VACUUM"),
        (&["alter", "system"], "ALTER SYSTEM"),
        (&["create", "database"], "CREATE DATABASE"),
        (&["drop", "database"], "DROP DATABASE"),
        (&["create", "tablespace"], "CREATE TABLESPACE"),
        (&["drop", "tablespace"], "DROP TABLESPACE"),
        (&["reindex", "database"], "REINDEX DATABASE"),
        (&["reindex", "schema"], "REINDEX SCHEMA"),
        (&["reindex", "system"], "REINDEX SYSTEM"),
        (&["discard", "all"], "DISCARD ALL"),
        (&["commit", "prepared"], "COMMIT PREPARED"),
        (&["rollback", "prepared"], "ROLLBACK PREPARED"),
    ];
    let always = ALWAYS.iter().find(|(words, _)| statement.begins_with(words)).map(|(_, what)| *what);
    always.or_else(|| {
        if statement.begins_with(&["reindex"]) && statement.has("concurrently") {
            Some("REINDEX CONCURRENTLY")
        } else if statement.begins_with(&["alter", "table"])
            && statement.has("detach")
            && statement.has("concurrently")
        {
            Some("ALTER TABLE … DETACH PARTITION … CONCURRENTLY")
        } else if statement.is(&["cluster"]) || statement.is(&["cluster", "verbose"]) {
            Some("CLUSTER")
        } else {
            None
        }
    })
}

/// The first thing in a script that only `psql` could carry out; nothing behind it can be read for sure.
pub(super) fn needs_psql(statements: &[Statement<'_>]) -> Option<Refusal> {
    statements.iter().find_map(|statement| match meta_command(statement) {
        _ if copies_through_client(statement) => Some(Refusal::NeedsClient { span: statement.span() }),
        Some(span) => Some(Refusal::MetaCommand { span }),
        None => None,
    })
}

fn copies_through_client(statement: &Statement<'_>) -> bool {
    let mut words = statement.words().collect::<Vec<_>>().into_iter().rev();
    statement.begins_with(&["copy"]) && words.any(|word| word == "stdin" || word == "stdout")
}

/// The place of a command of `psql`, to the end of its line: outside of quotes a backslash is never SQL.
fn meta_command(statement: &Statement<'_>) -> Option<Range<usize>> {
    let start = statement.find(Kind::Symbol, "\\")?.start;
    let text = statement.text();
    let line = text[start..].find(['\n', '\r']).unwrap_or(text.len() - start);
    Some(start..start + text[start..start + line].trim_end().len())
}
