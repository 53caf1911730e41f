//! Applying one migration.

use plimsoll_core::plan::Step;
use plimsoll_core::{Code, Diagnostic, Migration, Script};

use super::{MysqlSession, lock, sql};
use crate::backend::Tell;
use crate::error::{Error, Result};

/// Refuses a script that could not be run, before anything is run.
pub(super) fn check(_: &MysqlSession, _: &Migration, _: &Script) -> std::result::Result<(), Diagnostic> {
    Ok(())
}

/// Applies one migration: a started row, its script as one message, the finished row.
pub(super) async fn apply(
    session: &mut MysqlSession,
    step: &Step<'_>,
    id: &str,
    _: &mut Tell<'_>,
) -> Result<()> {
    let Ok(script) = step.migration.script() else { return Err(Error::overtaken()) };
    let (table, id) = (session.history_table(), sql::text(id));
    session
        .execute(&format!(
            "INSERT INTO {table} (id, checksum, migration_name, started_at) \
             SELECT {id}, {}, {}, UTC_TIMESTAMP(3) FROM DUAL WHERE {}",
            sql::text(&script.checksum().to_string()),
            sql::text(step.migration.name()),
            lock::HELD
        ))
        .await?;
    session.execute(script.text()).await.map_err(|error| {
        let message = format!("A migration failed to apply: `{}`", step.migration.name());
        let said = error.diagnostic.database.clone();
        Error::never(Diagnostic { database: said, ..Diagnostic::new(Code::MigrationFailed, message) })
    })?;
    let finished = format!(
        "UPDATE {table} SET finished_at = UTC_TIMESTAMP(3), applied_steps_count = 1 WHERE id = {id} AND {}",
        lock::HELD
    );
    session.execute(&finished).await.map(drop)
}
