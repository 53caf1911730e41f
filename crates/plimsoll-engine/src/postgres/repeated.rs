//! What is said around each of many migrations, as statements that the session has prepared.
//!
//! They say what the statements of [`apply`](super::apply) say around one. To plan these takes a server longer than to execute them, and a
//! prepared one is planned once. They are there from before the first migration that goes with others until the last is
//! recorded; where a run ends before, they go with its session.
//!
//! Where they cannot be prepared, and where code that a script calls has taken them away, what follows is refused and rolled back: then the
//! migration goes alone.

use tokio_postgres::error::{DbError, SqlState};

use super::apply::{IS_MARKED, MARK, Work, guard_that, record, still_ours_if, unrecorded};
use super::{LOCK_KEY, PostgresSession, quote_text};

/// The setting that says which migration this session has recorded last, or is about to.
pub(super) const RECORDED: &str = "plimsoll.recorded";

/// Takes them away, with whatever else has been prepared.
pub(super) const FORGET: &str = "DEALLOCATE ALL;";

/// The messages that prepare them.
///
/// Each has one, since that is what a server calls the source of the statement: it logs it with each use, and counts the place of an error
/// in it. The types are those that the history's columns have, as for a literal.
pub(super) struct Prepared([String; 4]);

impl Prepared {
    pub(super) fn of(session: &PostgresSession) -> Self {
        let new = format!(
            "pg_catalog.txid_current_snapshot()::pg_catalog.text = $2 OR {}",
            unrecorded(session, "$1")
        );
        Self([
            format!("{FORGET}PREPARE plimsoll_turn AS {}", guard_that(&is_turn_behind("$1"))),
            format!("PREPARE plimsoll_new AS {}", guard_that(&new)),
            format!("PREPARE plimsoll_ours AS {}", still_ours("$1")),
            format!("PREPARE plimsoll_record AS {}", record(session, ["$1", "$2", "$3"])),
        ])
    }

    pub(super) fn messages(&self) -> &[String] {
        &self.0
    }

    /// How many characters have to stand before a script, so that no place in one of these is taken for one in the script.
    pub(super) fn longest(&self) -> usize {
        self.0.iter().map(|message| message.chars().count()).max().unwrap_or_default()
    }
}

/// Fails unless it is the turn of the migration behind the one with this id; takes the mark of the transaction.
pub(super) fn check_turn(id: &str) -> String {
    format!("EXECUTE plimsoll_turn('{id}');")
}

/// Fails if a migration is recorded already. It is not looked for if this is what the server says of its transactions.
pub(super) fn check_new(migration: &str, expected_snapshot: Option<&str>) -> String {
    format!("EXECUTE plimsoll_new({}, '{}');", quote_text(migration), expected_snapshot.unwrap_or_default())
}

/// Fails if the transaction has ended in which the setting was made.
pub(super) fn check_ours(id: &str) -> String {
    format!("EXECUTE plimsoll_ours('{id}');")
}

/// Inserts the finished history row.
pub(super) fn insert_row(work: &Work<'_>) -> String {
    let name = quote_text(work.migration.name());
    format!("EXECUTE plimsoll_record('{}', '{}', {name});", work.id, work.script.checksum())
}

/// Whether a statement was not there that should have been, or was that should not. No script that goes with others speaks of them: it is
/// about these, or about what code has prepared that a script calls, for which a session of many migrations is another one than its own.
pub(super) fn is_about_prepared(found: &DbError) -> bool {
    [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT].contains(found.code())
}

/// A condition that is true if the last thing that this session has done was to record the migration with this id, and nobody else
/// holds the lock.
///
/// A lock that this session holds already it gets once more, to the end of the transaction. What it protects is looked for behind it.
fn is_turn_behind(id: &str) -> String {
    format!(
        "pg_catalog.current_setting('{RECORDED}', true) = {id} \
         AND pg_catalog.pg_try_advisory_xact_lock({LOCK_KEY}) AND pg_catalog.pg_try_advisory_xact_lock_shared({MARK})"
    )
}

/// A statement that fails if the transaction has ended in which the setting was made to this text of SQL.
pub(super) fn still_ours(id: &str) -> String {
    still_ours_if(&format!("pg_catalog.current_setting('{RECORDED}', true) = {id} OR {IS_MARKED}"))
}
