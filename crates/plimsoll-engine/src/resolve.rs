//! `resolve`: what a person has to say about a migration.

use std::time::Duration;

use plimsoll_core::history::{Row, RowState, Snapshot};
use plimsoll_core::plan;
use plimsoll_core::{Code, Diagnostic, Migration};
use tokio_util::sync::CancellationToken;

use crate::backend::{Backend, Session};
use crate::error::{Error, Kind, Result};
use crate::event::Observe;
use crate::lock::{self, Patience};
use crate::run::{Options, Work};
use crate::wait;

/// What a person says about a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the database, whatever the history says.
    Applied,
    /// It is not, and its failed attempts do not count.
    RolledBack,
}

/// Records the verdict under the lock, with the rules and errors of Prisma.
pub async fn resolve<B: Backend>(
    backend: &B,
    work: Work<'_>,
    name: &str,
    verdict: Verdict,
    options: &Options,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> Result<()> {
    let local = match verdict {
        Verdict::Applied => Some(find_local(work, name)?),
        Verdict::RolledBack => None,
    };
    let mut session = wait::connect(backend, options.wait, observer, cancel).await?;
    let result = tokio::select! {
        result = under_lock(&mut session, name, local, options.lock_wait, observer, cancel) => result,
        () = cancel.cancelled() => Err(crate::cancel::interrupted()),
    };
    session.close().await;
    result
}

async fn under_lock<S: Session>(
    session: &mut S,
    name: &str,
    local: Option<&Migration>,
    lock_wait: Duration,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> Result<()> {
    let mut patience = Patience::new(lock_wait);
    // Tells the session what it talks to: a standby is not asked for its lock.
    lock::read(session, &mut patience, observer, cancel).await?;
    lock::take(session, lock_wait, observer, cancel, |_| false).await?;
    loop {
        let snapshot = lock::read(session, &mut patience, observer, cancel).await?;
        let recorded = match local {
            Some(migration) => applied(session, migration, &snapshot).await,
            None => rolled_back(session, name, &snapshot).await,
        };
        match recorded {
            Err(error) if error.kind == Kind::Busy => patience.pause(&error, observer, cancel).await?,
            recorded => return recorded,
        }
    }
}

fn find_local<'a>(work: Work<'a>, name: &str) -> Result<&'a Migration> {
    if let Some(blocked) = plan::check_provider(work.migrations, work.provider) {
        return Err(Error::never(blocked.diagnostic()));
    }
    let found = work.migrations.find(name).filter(|migration| migration.script().is_ok());
    found.ok_or_else(|| {
        Error::never(Diagnostic::new(
            Code::MigrationNotFound,
            format!("The migration {name} could not be found. Please make sure that the migration exists, and that you included the whole name of the directory. (example: \"20201207184859_initial_migration\")"),
        ))
    })
}

async fn applied<S: Session>(session: &mut S, migration: &Migration, snapshot: &Snapshot) -> Result<()> {
    let name = migration.name();
    if snapshot.history().rows_of(name).any(|row| row.state() == RowState::Applied) {
        return Err(Error::never(Diagnostic::new(
            Code::AlreadyApplied,
            format!("The migration `{name}` is already recorded as applied in the database."),
        )));
    }
    if let Snapshot::Unmanaged { .. } = snapshot {
        session.create_history().await?;
        session.read().await?;
    }
    session.mark_applied(migration).await
}

async fn rolled_back<S: Session>(session: &mut S, name: &str, snapshot: &Snapshot) -> Result<()> {
    let rows: Vec<&Row> = snapshot.history().rows_of(name).collect();
    if rows.is_empty() {
        return Err(Error::never(Diagnostic::new(
            Code::NeverApplied,
            format!(
                "Migration `{name}` cannot be rolled back because it was never applied to the database. Hint: did you pass in the whole migration name? (example: \"20201207184859_initial_migration\")"
            ),
        )));
    }
    let failed: Vec<&Row> = rows.iter().copied().filter(|row| row.state() == RowState::Started).collect();
    if !failed.is_empty() {
        return session.mark_rolled_back(&failed).await;
    }
    // As in Prisma: saying it twice is no error.
    if rows.iter().any(|row| row.state() == RowState::RolledBack) {
        return Ok(());
    }
    Err(Error::never(Diagnostic::new(
        Code::NotFailed,
        format!("Migration `{name}` cannot be rolled back because it is not in a failed state."),
    )))
}
