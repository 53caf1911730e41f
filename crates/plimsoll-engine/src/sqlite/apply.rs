//! Applying one migration.

use std::collections::BTreeMap;
use std::ops::Range;

use plimsoll_core::history::{Attempt, Progress, failure_log, failure_text};
use plimsoll_core::plan::WayOn;
use plimsoll_core::script::sqlite::ForeignKeys;
use plimsoll_core::script::{Atomic, Shape, sqlite as script};
use plimsoll_core::{Code, DatabaseMessage, Diagnostic, Migration, Script};
use rusqlite::fallible_iterator::FallibleIterator as _;

use super::history::{self, NewRow};
use super::limits::Clock;
use super::{Worker, error, gone, limits, open, seen};
use crate::error::{Error, Kind, Result};
use crate::failure::{UNTOUCHED, left_open};

/// Applies one migration as its script demands.
pub(super) fn apply(
    worker: &mut Worker,
    migration: &Migration,
    id: &str,
    resume: Option<String>,
) -> Result<()> {
    let result = apply_script(worker, migration, id, resume);
    if migration.script().is_ok_and(|script| leaves_settings(script.text())) {
        return forget_settings(worker).and(result);
    }
    result
}

/// Pragmas, attached databases and temporary tables must not leak into the next script: a new connection has none. Without one nothing
/// goes on, whatever came of the script.
pub(super) fn forget_settings(worker: &mut Worker) -> Result<()> {
    let connection = open(&worker.path, worker.access).map_err(|found| gone(&found.to_string()))?;
    worker.canceller.now_cancels(&connection);
    worker.connection = connection;
    worker.seen.by_another_connection();
    Ok(())
}

fn leaves_settings(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["pragma", "attach", "temp"].iter().any(|word| lower.contains(word))
}

fn apply_script(worker: &mut Worker, migration: &Migration, id: &str, resume: Option<String>) -> Result<()> {
    let Ok(script) = migration.script() else { return Err(Error::overtaken()) };
    let (shape, foreign_keys) = script::shape(script.text());
    match shape {
        Shape::Atomic(atomic) => apply_atomic(worker, migration, id, &atomic, foreign_keys),
        Shape::Segmented(_) => apply_alone(worker, migration, script, id, resume),
        Shape::SelfManaged { .. } => apply_self_managed(worker, migration, script, id),
        Shape::Refused(refusal) => Err(Error::never(refusal.diagnostic(migration))),
    }
}

/// Script and history row as one transaction.
///
/// SQLite ignores `PRAGMA foreign_keys` inside a transaction. A table rebuild that relies on it would have its `DROP
/// TABLE` delete the rows of child tables, so that it is switched off before, and what the script left is checked
/// before the commit, as SQLite's documentation of `ALTER TABLE` prescribes.
fn apply_atomic(
    worker: &mut Worker,
    migration: &Migration,
    id: &str,
    atomic: &Atomic<'_>,
    foreign_keys: ForeignKeys,
) -> Result<()> {
    worker.execute(match foreign_keys {
        ForeignKeys::Enforced => "PRAGMA foreign_keys = ON",
        ForeignKeys::CheckedAtTheEnd => "PRAGMA foreign_keys = OFF",
    })?;
    let started_at = history::now();
    let result = worker.transaction(|worker| {
        seen::check_unchanged(worker)?;
        let before = match foreign_keys {
            ForeignKeys::Enforced => None,
            ForeignKeys::CheckedAtTheEnd => Some(violations(worker)?),
        };
        execute(worker, migration, &atomic.body, Transaction::Ours)?;
        if let Some(before) = before {
            check_violations(migration, &before, &violations(worker)?)?;
        }
        let row = NewRow {
            id,
            migration,
            started_at,
            finished_at: Some(history::now()),
            rolled_back_at: None,
            logs: None,
            steps: 1,
        };
        history::insert(worker, &row)?;
        Ok(row)
    });
    worker.execute("PRAGMA foreign_keys = ON")?;
    result
        .map(|row| worker.seen.append(&row))
        .map_err(|error| deferred_violation(migration, error))
        .map_err(untouched)
}

fn untouched(error: Error) -> Error {
    match error.kind {
        Kind::Script => Error { diagnostic: Box::new(error.diagnostic.help(UNTOUCHED)), ..error },
        _ => error,
    }
}

/// A violation that the script deferred shows only at the commit: it is the script's all the same.
fn deferred_violation(migration: &Migration, error: Error) -> Error {
    let deferred = error
        .diagnostic
        .database
        .as_ref()
        .is_some_and(|said| said.message.contains("FOREIGN KEY constraint failed"));
    if error.diagnostic.code == Code::Database && deferred {
        let said = error.diagnostic.database.map(|said| *said).unwrap_or_default();
        return Error::new(Kind::Script, failed(migration, said));
    }
    error
}

/// A statement that refuses a transaction: a started row first, then the statement, then the row is finished. All
/// statements of this kind (`VACUUM`, settings of the file) may run twice, so that the next runner takes it up.
fn apply_alone(
    worker: &mut Worker,
    migration: &Migration,
    script: &Script,
    id: &str,
    resume: Option<String>,
) -> Result<()> {
    let logs = Progress::new(Attempt::Running, &worker.runner).running_log();
    let id = match resume {
        Some(id) => id,
        None => begin(worker, migration, script, id, logs)?,
    };
    match execute(worker, migration, script.text(), Transaction::Theirs) {
        Ok(()) => history::finish(worker, &id),
        Err(error) if error.kind == Kind::Script => {
            let logs = failure_log(migration.name(), &error.diagnostic, &worker.runner);
            history::store_failure(worker, &id, &logs, Some(history::now()))?;
            Err(Error { kind: Kind::Never, ..error })
        }
        Err(error) => Err(error),
    }
}

/// A script that manages its transactions by itself is sent as it is; history and script cannot be one.
fn apply_self_managed(worker: &mut Worker, migration: &Migration, script: &Script, id: &str) -> Result<()> {
    let logs = "The script manages its transactions by itself, so that Plimsoll cannot know how far it got.";
    let id = begin(worker, migration, script, id, logs.to_owned())?;
    let mut result = execute(worker, migration, script.text(), Transaction::Theirs);
    if !worker.connection.is_autocommit() {
        worker.execute("ROLLBACK")?;
        result = result.and(Err(left_open(migration)));
    }
    match result {
        Ok(()) => history::finish(worker, &id),
        Err(error) => {
            history::store_failure(worker, &id, &failure_text(migration.name(), &error.diagnostic), None)?;
            Err(Error::never(error.diagnostic.helps(WayOn::ByHand.on(migration.name()))))
        }
    }
}

/// Writes a started row, or takes that of an earlier failure for it; its id.
fn begin(
    worker: &mut Worker,
    migration: &Migration,
    script: &Script,
    id: &str,
    logs: String,
) -> Result<String> {
    worker.transaction(|worker| {
        seen::check_unchanged(worker)?;
        let id = if let Some(earlier) = history::earlier_failure(worker, migration, script)? {
            history::start_again(worker, &earlier, &logs)?;
            earlier
        } else {
            let row = NewRow {
                id,
                migration,
                started_at: history::now(),
                finished_at: None,
                rolled_back_at: None,
                logs: Some(logs),
                steps: 0,
            };
            history::insert(worker, &row)?;
            id.to_owned()
        };
        seen::remember(worker)?;
        Ok(id)
    })
}

/// Whose the transaction is in which statements are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transaction {
    /// The run's own: it must still be open after each statement.
    Ours,
    /// The script's, if there is any.
    Theirs,
}

/// Executes every statement of a text to its end; rows are dropped.
fn execute(worker: &mut Worker, migration: &Migration, text: &str, transaction: Transaction) -> Result<()> {
    let clock = Clock::watch(&mut worker.connection, worker.limits);
    let clock = clock.map_err(|found| worker.error(&found))?;
    let spans = script::statement_spans(text);
    let mut number = 0;
    let mut batch = rusqlite::Batch::new(&worker.connection, text);
    let mut run = || -> rusqlite::Result<Ran> {
        while let Some(mut statement) = batch.next()? {
            if worker.canceller.is_cancelled() {
                return Err(rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT),
                    None,
                ));
            }
            clock.start();
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            drop(rows);
            number += 1;
            if transaction == Transaction::Ours && worker.connection.is_autocommit() {
                return Ok(Ran::EndedTransaction);
            }
        }
        Ok(Ran::Everything)
    };
    let ran = run();
    limits::unwatch(&mut worker.connection).map_err(|found| worker.error(&found))?;
    match ran {
        Ok(Ran::Everything) => Ok(()),
        // Nothing may be executed outside the transaction that was to hold it.
        Ok(Ran::EndedTransaction) => Err(ended_by_script(migration)),
        Err(found) => Err(script_failed(worker, migration, text, &found, spans.get(number).cloned())),
    }
}

/// How far a script ran.
enum Ran {
    Everything,
    EndedTransaction,
}

/// The error of a statement. SQLite tells the place of what it cannot understand; for what fails while it runs, the
/// whole statement is the place.
fn script_failed(
    worker: &Worker,
    migration: &Migration,
    text: &str,
    found: &rusqlite::Error,
    statement: Option<Range<usize>>,
) -> Error {
    let sorted = worker.error(found);
    // A file that is locked, full or read-only is not the script's fault.
    if !error::class(found).blames_script() {
        return sorted;
    }
    let said = error::message(found);
    let exact = match found {
        rusqlite::Error::SqlInputError { sql, offset, .. } => {
            // The text that SQLite was given is what was left of the script.
            usize::try_from(*offset)
                .ok()
                .map(|offset| text.len() - sql.len() + offset)
                .map(|at| word(text, at))
        }
        _ => None,
    };
    let diagnostic = failed(migration, said.clone());
    let place = exact.or(statement).and_then(|span| migration.place(span));
    let diagnostic = match place {
        Some(place) => diagnostic.at(place.labelled(said.message)),
        None => diagnostic,
    };
    let kind = if sorted.kind == Kind::Cancelled { Kind::Cancelled } else { Kind::Script };
    Error::new(kind, diagnostic)
}

fn word(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    at..at + length.max(1)
}

fn failed(migration: &Migration, said: DatabaseMessage) -> Diagnostic {
    Diagnostic::new(Code::MigrationFailed, format!("A migration failed to apply: `{}`", migration.name()))
        .said_by(said)
}

fn ended_by_script(migration: &Migration) -> Error {
    let said = DatabaseMessage::new("a statement rolled the whole transaction back without an error");
    Error::new(Kind::Script, failed(migration, said))
}

/// How many rows of which table point at nothing in which other table.
fn violations(worker: &Worker) -> Result<BTreeMap<(String, String), u64>> {
    let query = || -> rusqlite::Result<BTreeMap<(String, String), u64>> {
        let mut found = BTreeMap::new();
        let mut statement = worker.connection.prepare("PRAGMA foreign_key_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            *found.entry((row.get(0)?, row.get(2)?)).or_insert(0) += 1;
        }
        Ok(found)
    };
    query().map_err(|found| worker.error(&found))
}

/// Rows that pointed at nothing before are not the script's fault; more of them are.
fn check_violations(
    migration: &Migration,
    before: &BTreeMap<(String, String), u64>,
    after: &BTreeMap<(String, String), u64>,
) -> Result<()> {
    let worse = after.iter().find(|(tables, count)| before.get(tables).copied().unwrap_or(0) < **count);
    let Some(((child, parent), count)) = worse else { return Ok(()) };
    Err(Error::new(
        Kind::Script,
        Diagnostic::new(
            Code::ForeignKeysViolated,
            format!(
                "migration `{}` would leave {count} rows of `{child}` that point at nothing in `{parent}`",
                migration.name()
            ),
        )
        .help("it was rolled back: delete or repair these rows in the migration itself"),
    ))
}

#[cfg(test)]
mod tests {
    use plimsoll_core::Secret;
    use plimsoll_core::url::DatabaseUrl;

    use super::super::Sqlite;
    use super::*;
    use crate::backend::{Backend as _, Session as _};

    /// A script that leaves a setting and then fails must not leave it to whatever is said next, such as the record of its failure.
    #[tokio::test]
    async fn where_the_settings_of_a_script_cannot_be_forgotten_nothing_goes_on() {
        for (is_there, kind) in [(true, Kind::Script), (false, Kind::Lost)] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("a.db");
            let url = Secret::new(format!("file:{}", path.display()));
            let url = DatabaseUrl::parse(plimsoll_core::Provider::Sqlite, &url, directory.path());
            let Ok(DatabaseUrl::Sqlite(url)) = url else { panic!("it is a URL") };
            let database = Sqlite::new(url, "us", Vec::new());
            database.create_database().await.unwrap();
            let mut session = database.connect(None).await.unwrap();
            session.create_history().await.unwrap();
            session.read().await.unwrap();
            let failed = session
                .call(move |worker| {
                    let script =
                        Script::new("PRAGMA recursive_triggers = ON; INSERT INTO nowhere VALUES (1);");
                    let migration = Migration::new("1_fails", "1_fails/migration.sql", script);
                    if !is_there {
                        worker.path = directory.path().join("gone.db");
                    }
                    apply(worker, &migration, "1", None)
                })
                .await;
            assert_eq!(failed.unwrap_err().kind, kind);
        }
    }
}
