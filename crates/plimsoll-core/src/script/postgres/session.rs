//! What statements that are done have left in their session, for whoever carries on in another one.

use std::ops::Range;

use crate::script::lexer::{Dialect, Kind};
use crate::script::statement::{Statement, statements};

use super::code::drew;
use super::effect::qualified_name;
use super::rolls_back_to_savepoint;

/// Something that ends with its session, and that the rest of a script speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The statement that made it.
    pub span: Range<usize>,
    /// What it made, in words.
    pub what: String,
}

/// The statements among the first `done` ones whose settings hold for the rest of a script, in order.
///
/// A new session runs them again: `SET` and `RESET`, not `SET LOCAL`. Fails if the rest of the script may need something
/// else that ended with the session: a temporary table, a prepared statement, a cursor.
pub fn carried(text: &str, done: usize) -> Result<Vec<&str>, Lost> {
    let (statements, _) = statements(text, Dialect::Postgres);
    let rest = rest_behind(text, &statements, done);
    let mut settings = Vec::new();
    for statement in behind_discard(&statements, done) {
        if sets(statement) {
            settings.push(&text[statement.span()]);
        } else if let Some(what) = ends_with_session(statement, &rest) {
            return Err(Lost { span: statement.span(), what });
        } else if rolls_back_to_savepoint(statement) && !settings.is_empty() {
            let what = "settings, some of which it may have rolled back".to_owned();
            return Err(Lost { span: statement.span(), what });
        }
    }
    match drew(text, &statements, done) {
        Some(span) => Err(Lost { span, what: "the last number that it drew from a sequence".to_owned() }),
        None => Ok(settings),
    }
}

/// Those of the first `done` statements whose session has not been emptied by a later one.
pub(super) fn behind_discard<'a, 't>(all: &'a [Statement<'t>], done: usize) -> &'a [Statement<'t>] {
    let done = &all[..done.min(all.len())];
    let discards = |statement: &Statement<'_>| statement.begins_with(&["discard", "all"]);
    &done[done.iter().rposition(discards).map_or(0, |at| at + 1)..]
}

/// What is behind the first `done` statements, in small letters.
pub(super) fn rest_behind(text: &str, all: &[Statement<'_>], done: usize) -> String {
    let behind = all[..done.min(all.len())].last().map_or(0, |last| last.span().end);
    text[behind..].to_ascii_lowercase()
}

/// Whether a statement changes settings of the session and nothing else.
fn sets(statement: &Statement<'_>) -> bool {
    let second = statement.word(1);
    match statement.word(0) {
        "set" => !matches!(second, "local" | "transaction" | "constraints"),
        "reset" | "load" => true,
        "select" => sets_by_function(statement),
        _ => false,
    }
}

/// `SELECT [pg_catalog.]set_config('name', 'value', false)`, as `pg_dump` writes it.
fn sets_by_function(statement: &Statement<'_>) -> bool {
    let at = if statement.word(1) == "pg_catalog" { 3 } else { 1 };
    let text = |n: usize| matches!(statement.token(n), Some((Kind::Text, _)));
    statement.word(at) == "set_config"
        && text(at + 2)
        && text(at + 4)
        && statement.word(at + 6) == "false"
        && statement.len() == at + 8
}

/// What a statement has made that ends with its session, if the rest of the script may need it.
fn ends_with_session(statement: &Statement<'_>, rest: &str) -> Option<String> {
    if statement.has("set_config") {
        return Some("a setting that it computes".to_owned());
    }
    if ["pg_advisory_lock", "pg_try_advisory_lock"].iter().any(|word| statement.has(word)) {
        return Some("a lock of the session".to_owned());
    }
    let (kind, at) = temporary(statement)?;
    // Names that cannot be read are taken for needed: better one question too many than a statement in the wrong table.
    let Some((name, _)) = qualified_name(statement, at) else { return Some(format!("a {kind}")) };
    let last = name.rsplit('.').next().unwrap_or(&name).trim_matches('"').to_ascii_lowercase();
    rest.contains(&last).then(|| format!("the {kind} `{name}`"))
}

/// What kind of thing that ends with its session a statement makes, and at which token its name begins.
fn temporary(statement: &Statement<'_>) -> Option<(&'static str, usize)> {
    match statement.word(0) {
        "prepare" => Some(("prepared statement", 1)),
        "declare" if statement.has("hold") => Some(("cursor", 1)),
        _ => (0..statement.len()).find_map(|n| {
            let before = if n == 0 { "" } else { statement.word(n - 1) };
            let made = matches!(before, "create" | "replace" | "into" | "local" | "global");
            match statement.word(n) {
                "temp" | "temporary" if made => Some(("temporary table", name_behind(statement, n + 1))),
                "pg_temp" => Some(("temporary thing", n)),
                _ => None,
            }
        }),
    }
}

/// The token behind `RECURSIVE`, `TABLE`, `VIEW` or `SEQUENCE`, and `IF NOT EXISTS`.
fn name_behind(statement: &Statement<'_>, n: usize) -> usize {
    match statement.word(n) {
        "recursive" | "table" | "view" | "sequence" => name_behind(statement, n + 1),
        "if" => n + 3,
        _ => n,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_session_are_carried_over() {
        let text = "SET search_path = a; SET LOCAL b = 1; SET SESSION c = 2; RESET d; SET TRANSACTION READ ONLY; \
                    SELECT pg_catalog.set_config('e', '', false); SET f = 3";
        assert_eq!(
            carried(text, 6).unwrap(),
            [
                "SET search_path = a;",
                "SET SESSION c = 2;",
                "RESET d;",
                "SELECT pg_catalog.set_config('e', '', false);"
            ]
        );
        assert_eq!(carried("SET a = 1; DISCARD ALL; SET b = 2; SELECT 1", 3).unwrap(), ["SET b = 2;"]);
    }

    #[test]
    fn what_the_rest_needs_and_cannot_have_is_named() {
        for (text, what) in [
            ("CREATE TEMP TABLE Old (a int); VACUUM; SELECT * FROM old", "the temporary table `Old`"),
            (
                "CREATE LOCAL TEMPORARY VIEW IF NOT EXISTS v AS SELECT 1; VACUUM; TABLE v",
                "the temporary table `v`",
            ),
            (
                "SELECT 1 AS a INTO TEMP \"T\" ; VACUUM; DO $$ BEGIN PERFORM a FROM \"T\"; END $$",
                "the temporary table `\"T\"`",
            ),
            ("CREATE TABLE pg_temp.x (); VACUUM; TABLE x", "the temporary thing `pg_temp.x`"),
            ("PREPARE p AS SELECT 1; VACUUM; EXECUTE p", "the prepared statement `p`"),
            ("DECLARE c CURSOR WITH HOLD FOR SELECT 1; VACUUM; FETCH c", "the cursor `c`"),
            ("SELECT set_config('a', b, false) FROM t; VACUUM; SELECT 1", "a setting that it computes"),
            ("SELECT pg_advisory_lock(1); VACUUM; SELECT 1", "a lock of the session"),
        ] {
            assert_eq!(carried(text, 2).unwrap_err().what, what, "{text}");
        }
    }

    #[test]
    fn what_the_rest_does_not_need_is_no_obstacle() {
        let text = "CREATE TEMP TABLE old (a int); INSERT INTO t SELECT * FROM old; VACUUM; INSERT INTO u VALUES (1)";
        assert_eq!(carried(text, 3).unwrap(), Vec::<&str>::new());
        let text = "CREATE TABLE temp (a int); INSERT INTO temp VALUES (1); VACUUM; SELECT * FROM temp";
        assert_eq!(carried(text, 3).unwrap(), Vec::<&str>::new());
    }
}
