//! `resolve`: what a person has to say about a migration.

use std::time::Duration;

use plimsoll_core::history::{Row, RowState, Snapshot};
use plimsoll_core::plan;
use plimsoll_core::{Code, Diagnostic, Migration};
use tokio_util::sync::CancellationToken;

use crate::backend::{Backend, Session};
use crate::cancel::repeatable;
use crate::error::{Error, Kind, Result};
use crate::event::Observe;
use crate::lock::{self, Patience};
use crate::options::Waits;
use crate::run::Work;
use crate::wait;

mod resume;

/// What a person says about a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the database, whatever the history says.
    Applied,
    /// It is not, and its failed attempts do not count.
    RolledBack,
    /// Its failed attempt is to be carried on by the next run, where it failed.
    Resume,
}

/// Records the verdict under the lock, with the rules and errors of Prisma where Prisma knows the verdict.
pub async fn resolve<B: Backend>(
    backend: &B,
    work: Work<'_>,
    name: &str,
    verdict: Verdict,
    waits: Waits,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> Result<()> {
    let decision = match verdict {
        Verdict::Applied => Decision::Applied(find_local(work, name)?),
        Verdict::RolledBack => Decision::RolledBack(name),
        Verdict::Resume => Decision::Resume(find_local(work, name)?),
    };
    let mut session = wait::connect(backend, None, waits.database, observer, cancel).await?;
    let canceller = session.canceller();
    let deciding = under_lock(&mut session, work, decision, waits.lock, observer, cancel);
    // On the heap: whoever watches it would move it, and hold it twice.
    let result = repeatable(cancel, &canceller, Box::pin(deciding)).await;
    session.close().await;
    result
}

/// A verdict with what it is about.
#[derive(Clone, Copy)]
enum Decision<'a> {
    Applied(&'a Migration),
    RolledBack(&'a str),
    Resume(&'a Migration),
}

async fn under_lock<S: Session>(
    session: &mut S,
    work: Work<'_>,
    decision: Decision<'_>,
    lock_wait: Duration,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> Result<()> {
    let mut patience = Patience::new(lock_wait);
    // Tells the session what it talks to: a standby is not asked for its lock.
    lock::read(session, &mut patience, observer, cancel).await?;
    lock::take(session, None, lock_wait, observer, cancel, None).await?;
    loop {
        let snapshot = lock::read(session, &mut patience, observer, cancel).await?;
        let recorded = match decision {
            Decision::Applied(migration) => applied(session, migration, &snapshot).await,
            Decision::RolledBack(name) => rolled_back(session, name, &snapshot).await,
            Decision::Resume(migration) => {
                resume::resume(session, work.migrations, migration, &snapshot).await
            }
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
        return Err(Error::never(already_applied(name)));
    }
    if let Snapshot::Unmanaged { .. } = snapshot {
        session.create_history().await.map_err(|error| match error.kind {
            // Somebody else has created it since it was looked for, and may have applied this one; or keeps us from it.
            Kind::Overtaken | Kind::Again => Error { kind: Kind::Busy, ..error },
            _ => error,
        })?;
        session.read().await?;
    }
    session.mark_applied(migration).await
}

async fn rolled_back<S: Session>(session: &mut S, name: &str, snapshot: &Snapshot) -> Result<()> {
    let rows: Vec<&Row> = snapshot.history().rows_of(name).collect();
    if rows.is_empty() {
        return Err(Error::never(never_applied(name, "rolled back")));
    }
    let failed: Vec<&Row> = rows.iter().copied().filter(|row| row.state() == RowState::Started).collect();
    if !failed.is_empty() {
        return session.mark_rolled_back(&failed).await;
    }
    // As in Prisma: saying it twice is no error.
    if rows.iter().any(|row| row.state() == RowState::RolledBack) {
        return Ok(());
    }
    Err(Error::never(not_failed(name, "rolled back")))
}

fn already_applied(name: &str) -> Diagnostic {
    let message = format!("The migration `{name}` is already recorded as applied in the database.");
    Diagnostic::new(Code::AlreadyApplied, message)
}

fn never_applied(name: &str, verdict: &str) -> Diagnostic {
    Diagnostic::new(
        Code::NeverApplied,
        format!(
            "Migration `{name}` cannot be {verdict} because it was never applied to the database. Hint: did you pass in the whole migration name? (example: \"20201207184859_initial_migration\")"
        ),
    )
}

fn not_failed(name: &str, verdict: &str) -> Diagnostic {
    let message = format!("Migration `{name}` cannot be {verdict} because it is not in a failed state.");
    Diagnostic::new(Code::NotFailed, message)
}
