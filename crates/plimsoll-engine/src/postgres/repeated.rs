//! What is said around each of many migrations, as statements that the session has prepared.
//!
//! They say what the statements of [`apply`](super::apply) say around one. To plan these takes a server longer than to execute them, and a
//! prepared one is planned once. They are there from the end of the first migration that goes with others to that of the last.
//!
//! Code that a script calls can take them away. What follows is then refused, and nothing of it applied: the migration goes alone.

use tokio_postgres::error::{DbError, SqlState};

use super::apply::{IS_MARKED, MARK, Work, guard_that};
use super::error::ENDED;
use super::{LOCK_KEY, PostgresSession, quote_text};

/// The setting that says which migration this session has recorded last, or is about to.
pub(super) const RECORDED: &str = "plimsoll.recorded";

/// How their names begin.
const NAME: &str = "plimsoll_";

/// Prepares them. There must be none.
///
/// An error in one of them has its place in this message, and is met behind another. `behind` says how long such a message may be, in
/// characters: no place in here is one in there.
pub(super) fn prepare(session: &PostgresSession, behind: usize) -> String {
    let table = session.history_table();
    let turn = guard_that(&is_turn_behind("$1"));
    let new = guard_that(&format!(
        "pg_catalog.txid_current_snapshot()::pg_catalog.text = $2 OR NOT EXISTS (SELECT FROM {table} \
         WHERE \"migration_name\" = $1 AND \"rolled_back_at\" IS NULL)"
    ));
    let ours = still_ours("$1");
    format!(
        "{:behind$}PREPARE {NAME}turn(text) AS {turn}PREPARE {NAME}new(text, text) AS {new}PREPARE {NAME}ours(text) AS {ours}\
         PREPARE {NAME}record(text, text, text) AS INSERT INTO {table} \
         (\"id\", \"checksum\", \"started_at\", \"finished_at\", \"migration_name\", \"applied_steps_count\") \
         VALUES ($1, $2, now(), clock_timestamp(), $3, 1);",
        ""
    )
}

/// Takes them away, with whatever else somebody has prepared.
pub(super) const FORGET: &str = "DEALLOCATE ALL;";

/// Fails unless it is the turn of the migration behind the one with this id; takes the mark of the transaction.
pub(super) fn turn_behind(id: &str) -> String {
    format!("EXECUTE {NAME}turn('{id}');")
}

/// Fails if a migration is recorded already. It is not looked for if this is what the server says of its transactions.
pub(super) fn is_new(migration: &str, nobody_wrote: Option<&str>) -> String {
    format!("EXECUTE {NAME}new({}, '{}');", quote_text(migration), nobody_wrote.unwrap_or_default())
}

/// Fails if the transaction has ended in which the setting was made.
pub(super) fn is_ours(id: &str) -> String {
    format!("EXECUTE {NAME}ours('{id}');")
}

/// The finished history row.
pub(super) fn recorded(work: &Work<'_>) -> String {
    let name = quote_text(work.migration.name());
    format!("EXECUTE {NAME}record('{}', '{}', {name});", work.id, work.script.checksum())
}

/// Whether they were not there any more.
pub(super) fn are_gone(found: &DbError) -> bool {
    *found.code() == SqlState::INVALID_SQL_STATEMENT_NAME && found.message().contains(NAME)
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
    format!(
        "SELECT CASE WHEN pg_catalog.current_setting('{RECORDED}', true) = {id} OR {IS_MARKED} THEN 0 \
         ELSE ('{ENDED} ' || pg_catalog.pg_backend_pid())::pg_catalog.int4 END;"
    )
}
