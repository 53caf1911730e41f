//! What a script needs that only a connection of its own can give.
//!
//! Behind a pooler that hands connections on after each transaction, a script has one transaction and nothing before or after it;
//! what it leaves in its session stays for somebody else.

use crate::script::lexer::Dialect;
use crate::script::statement::{Statement, statements};
use crate::script::{Atomic, Reason, Shape};

use super::{sets_modes, shape_of};

/// Why a script needs a connection that stays the same from its first statement to its last; nothing if one transaction is
/// all that it needs, or if it cannot be run at all.
pub fn needs_own_connection(text: &str) -> Option<Reason> {
    let (statements, unterminated) = statements(text, Dialect::Postgres);
    match shape_of(text, &statements, unterminated) {
        Shape::Segmented(parts) => {
            let several = || Reason { span: 0..text.len(), what: "several transactions" };
            Some(parts.because.into_iter().next().unwrap_or_else(several))
        }
        Shape::SelfManaged { because } => Some(because),
        Shape::Atomic(_) => statements
            .iter()
            .find_map(|statement| needs(statement).map(|what| Reason { span: statement.span(), what })),
        Shape::Refused(_) => None,
    }
}

/// What of a statement in one transaction goes beyond it: what it leaves cannot be undone for this script alone.
fn needs(statement: &Statement<'_>) -> Option<&'static str> {
    match statement.word(0) {
        "prepare" => Some("PREPARE"),
        "listen" => Some("LISTEN"),
        "load" => Some("LOAD"),
        // It has to come before any query, and so before the lock is taken and the history is looked at.
        "set" if sets_modes(statement) => Some("SET TRANSACTION"),
        "do" if locks_in(&statement.text()[statement.span()].to_ascii_lowercase()) => Some(SESSION_LOCK),
        _ => statement.has_any(&LOCKING).then_some(SESSION_LOCK),
    }
}

/// Whether a script may leave something in its session that can be taken back: settings, temporary tables, cursors.
///
/// What its words do not show, such as a setting that a trigger makes, is not found.
pub fn may_change_session(text: &str) -> bool {
    statements(text, Dialect::Postgres).0.iter().any(changes_session)
}

/// A script that is one transaction, needs nothing else, and leaves nothing in its session, as far as its words show.
pub fn plain(text: &str) -> Option<Atomic<'_>> {
    let (statements, unterminated) = statements(text, Dialect::Postgres);
    let is_plain = unterminated.is_none()
        && statements.iter().all(|statement| needs(statement).is_none() && !changes_session(statement));
    match is_plain.then(|| shape_of(text, &statements, None))? {
        Shape::Atomic(atomic) => Some(atomic),
        _ => None,
    }
}

fn changes_session(statement: &Statement<'_>) -> bool {
    statement.has_any(&["set_config", "temp", "temporary", "pg_temp"])
        || match statement.word(0) {
            // These end with the transaction.
            "set" => !matches!(statement.word(1), "local" | "transaction" | "constraints"),
            "reset" | "discard" | "do" | "call" | "execute" | "declare" => true,
            // A function for the sake of what it does.
            "select" => !statement.has("from"),
            _ => false,
        }
}

const SESSION_LOCK: &str = "a lock of the session";

/// The functions whose lock outlives the transaction.
const LOCKING: [&str; 4] =
    ["pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared"];

fn locks_in(body: &str) -> bool {
    LOCKING.iter().any(|word| body.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(text: &str) -> Option<&'static str> {
        needs_own_connection(text).map(|reason| reason.what)
    }

    #[test]
    fn one_transaction_is_enough_for_ordinary_scripts() {
        for text in [
            "CREATE TABLE t (a INT); INSERT INTO t VALUES (1);",
            "BEGIN; ALTER TABLE t ADD b INT; COMMIT;",
            "SET search_path = ''; CREATE TEMP TABLE x (a INT); SELECT pg_advisory_xact_lock(1);",
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_lock(1) $$;",
            "-- pg_advisory_lock\nSELECT 'LISTEN';",
            "DECLARE c CURSOR FOR SELECT 1;",
            "SET transaction_timeout = 0; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE;",
        ] {
            assert_eq!(needed(text), None, "{text}");
        }
    }

    #[test]
    fn what_may_change_its_session_is_told_from_what_does_not() {
        for text in [
            "SET search_path = ''; CREATE TABLE t (a INT);",
            "SELECT pg_catalog.set_config('search_path', '', false);",
            "WITH x AS (SELECT set_config('a.b', a, false) FROM t) SELECT * FROM x;",
            "CREATE TEMP TABLE x (a INT);",
            "SELECT 1 INTO TEMPORARY x;",
            "DO $$ BEGIN SET ROLE app; END $$;",
            "SELECT set_up();",
            "BEGIN; RESET ROLE; COMMIT;",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1;",
        ] {
            assert!(may_change_session(text), "{text}");
        }
        for text in [
            "CREATE TABLE t (a INT REFERENCES u ON DELETE SET NULL);",
            "BEGIN; UPDATE t SET a = 1; COMMIT;",
            "SET LOCAL lock_timeout = '1s'; ALTER TABLE t ALTER a SET NOT NULL;",
            "INSERT INTO t (a) SELECT count(*) FROM u;",
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SET a.b = 1 $$;",
        ] {
            assert!(!may_change_session(text), "{text}");
        }
    }

    #[test]
    fn what_needs_or_leaves_something_is_not_plain() {
        for text in [
            "CREATE TABLE t (a INT); CREATE INDEX i ON t (a); INSERT INTO t VALUES (1);",
            "SET LOCAL lock_timeout = '1s'; ALTER TABLE t ALTER a SET NOT NULL;",
            "",
        ] {
            assert!(plain(text).is_some_and(|atomic| !atomic.sets_transaction), "{text}");
        }
        for text in [
            "CREATE TABLE t (a INT); PREPARE p AS SELECT 1;",
            "SET search_path = ''; CREATE TABLE t (a INT);",
            "SELECT pg_advisory_unlock_all();",
            "INSERT INTO t SELECT pg_try_advisory_lock(1) FROM u;",
            "DO $$ BEGIN END $$;",
            "BEGIN; SET TRANSACTION READ WRITE; COMMIT;",
            "CREATE INDEX CONCURRENTLY i ON t (a);",
            "CREATE TABLE t (a INT); COMMIT;",
            "INSERT INTO t VALUES ('",
        ] {
            assert!(plain(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_outlives_a_transaction_is_named() {
        for (text, what) in [
            ("CREATE INDEX CONCURRENTLY i ON t (a);", "CREATE INDEX CONCURRENTLY"),
            ("CREATE TABLE t (a INT); PREPARE p AS SELECT 1;", "PREPARE"),
            ("LISTEN n;", "LISTEN"),
            ("LOAD 'auto_explain';", "LOAD"),
            ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1;", "SET TRANSACTION"),
            ("SET LOCAL TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1;", "SET TRANSACTION"),
            ("SET LOCAL transaction_isolation = 'repeatable read'; SELECT 1;", "SET TRANSACTION"),
            ("SET transaction_isolation TO serializable; SELECT 1;", "SET TRANSACTION"),
            ("BEGIN; SET SESSION transaction_read_only = off; COMMIT;", "SET TRANSACTION"),
            ("SELECT pg_catalog.pg_try_advisory_lock(1);", SESSION_LOCK),
            ("DO $$ BEGIN PERFORM pg_advisory_lock(1); END $$;", SESSION_LOCK),
            ("BEGIN; SELECT 1; ROLLBACK;", "transaction control"),
        ] {
            assert_eq!(needed(text), Some(what), "{text}");
        }
    }
}
