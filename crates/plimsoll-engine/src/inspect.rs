//! Looking without touching: what `status`, `plan` and `wait` need. Nothing here writes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use plimsoll_core::history::{RowState, Snapshot};
use plimsoll_core::plan::{self, Blocked, IfAhead, Plan};
use plimsoll_core::script::How;
use plimsoll_core::{Code, Diagnostic, Migration, Migrations};
use tokio_util::sync::CancellationToken;

use crate::backend::{Backend, Session};
use crate::cancel::sleep;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Observe};
use crate::lock::{self, Patience};
use crate::run::Work;
use crate::wait;

/// Reads what a database holds, waiting for one that is not up.
pub async fn read<B: Backend>(
    backend: &B,
    wait: Duration,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> Result<Snapshot> {
    look(backend, wait, observer, cancel, |_, snapshot| snapshot).await
}

/// The same, and how the scripts of these migrations that are not applied would be run there, by their names.
pub async fn read_for_plan<B: Backend>(
    backend: &B,
    migrations: &Migrations,
    wait: Duration,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> Result<(Snapshot, HashMap<String, How>)> {
    let see = |session: &B::Session, snapshot: Snapshot| {
        let applied = |migration: &&Migration| {
            snapshot.history().rows_of(migration.name()).any(|row| row.state() == RowState::Applied)
        };
        let how = |migration: &Migration| {
            let script = migration.script().ok()?;
            // What a run would refuse has no other shape, whatever it looks like.
            let refused = session.check(migration, script).err().map(How::refused);
            Some((migration.name().to_owned(), refused.unwrap_or_else(|| session.how(migration, script))))
        };
        let hows = migrations.list().iter().filter(|migration| !applied(migration)).filter_map(how).collect();
        (snapshot, hows)
    };
    look(backend, wait, observer, cancel, see).await
}

/// Reads what a database holds, and makes something of it while the session is there to be asked.
async fn look<B: Backend, T>(
    backend: &B,
    wait: Duration,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
    see: impl FnOnce(&B::Session, Snapshot) -> T,
) -> Result<T> {
    let mut session = wait::connect(backend, None, wait, observer, cancel).await?;
    let mut patience = Patience::new(wait);
    let snapshot = tokio::select! {
        read = lock::read(&mut session, &mut patience, observer, cancel) => read,
        () = cancel.cancelled() => Err(crate::cancel::interrupted()),
    };
    let seen = snapshot.map(|snapshot| see(&session, snapshot));
    session.close().await;
    seen
}

/// Waits until the database stands at the project's migrations, for up to `at_most` in all. Applies nothing.
///
/// A database that does not exist yet is waited for too: creating it is
/// the business of the runner that is waited for.
pub async fn wait_until_current<B: Backend>(
    backend: &B,
    work: Work<'_>,
    at_most: Duration,
    if_ahead: IfAhead,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> Result<()> {
    // Nothing that another runner does can make this one come true.
    if let Some(blocked) = plan::check_provider(work.migrations, work.provider) {
        return Err(Error::never(blocked.diagnostic()));
    }
    let begun = Instant::now();
    let mut said = false;
    loop {
        let left = at_most.saturating_sub(begun.elapsed());
        let last = match read(backend, left, observer, cancel).await {
            Ok(snapshot) => {
                let plan = work.plan(&snapshot, if_ahead);
                if plan.is_up_to_date() {
                    return Ok(());
                }
                not_current(&plan)
            }
            Err(error) if matches!(error.kind, Kind::Missing | Kind::Lost | Kind::NotYet) => error,
            Err(error) => return Err(error),
        };
        if begun.elapsed() >= at_most {
            return Err(last);
        }
        if !said {
            observer.see(Event::Waiting { why: &last.diagnostic, at_most });
            said = true;
        }
        sleep(Duration::from_millis(fastrand::u64(250..500)), cancel).await?;
    }
}

fn not_current(plan: &Plan<'_>) -> Error {
    Error::never(match &plan.blocked {
        // Nothing is pending: what is said of a database that is ahead is what helps.
        Some(Blocked::AheadForNow(beyond)) => {
            let ahead = Blocked::Ahead(beyond.clone()).diagnostic();
            let longer = "or wait longer with `--wait`: the next start waits again";
            Diagnostic { code: Code::NotUpToDate, ..ahead }.help(longer)
        }
        Some(blocked) => Diagnostic { code: Code::NotUpToDate, ..blocked.diagnostic() },
        None => pending(plan),
    })
}

fn pending(plan: &Plan<'_>) -> Diagnostic {
    let names: Vec<String> = plan.steps.iter().map(|step| format!("`{}`", step.migration.name())).collect();
    let why = format!("{} of this project's migrations are not applied: {}", names.len(), names.join(", "));
    Diagnostic::new(Code::NotUpToDate, why).help("`plimsoll deploy` applies them; this command only waits")
}
