//! The one run loop. The command line, the tests and whatever else starts a run all call [`deploy`].

mod applying;
mod attempt;
mod connecting;
mod work;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use plimsoll_core::history::{History, Snapshot};
use plimsoll_core::plan::{self, Blocked, Plan, Step};
use plimsoll_core::{Code, Diagnostic, Migration, Report};
use tokio_util::sync::CancellationToken;

use crate::ahead::Ahead;
use crate::backend::{Backend, Session};
use crate::cancel::{interrupted, repeatable, sleep};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Observe};
use crate::limits::within;
use crate::lock::{self, Goal, Patience};
use crate::options::Options;
use applying::Course;
use attempt::Attempt;
pub use work::{Failure, Work};

/// How often a session may find the history changed under its hands. More than there are migrations in any project that
/// two runners could take turns in; it only keeps a database that contradicts itself from holding a pod for ever.
const MOST_OVERTAKEN: u32 = 10_000;

/// Brings a database to the project's migrations.
///
/// Waits for the database, reads the history, and stops there if nothing is to be done; otherwise takes the lock, reads
/// and plans again, and applies one migration after the other. When `cancel` is triggered, or the time of the run is over,
/// the statement under way is cancelled and rolled back.
pub async fn deploy<B: Backend>(
    backend: &B,
    work: Work<'_>,
    options: &Options,
    observer: &mut dyn Observe,
    cancel: &CancellationToken,
) -> std::result::Result<Report, Failure> {
    let stop = cancel.child_token();
    let mut run = Run {
        backend,
        work,
        options,
        observer,
        cancel: &stop,
        report: Report::default(),
        reconnects: 0,
        refused: None,
        ready: false,
        announced: None,
        in_flight: VecDeque::new(),
        course: Course::new(options),
        together: true,
        ahead: Ahead::new(options.lock_wait),
    };
    // On the heap: whoever watches it would move it, and hold it twice.
    match within(options.deadline, &stop, Box::pin(run.deploy())).await {
        Ok(()) => Ok(run.report),
        Err(error) => {
            let diagnostic = with_what_is_left(error, &run.report).diagnostic;
            Err(Failure { diagnostic, report: run.report })
        }
    }
}

/// Whoever reads that the time of a run was over has to know what it was too short for.
fn with_what_is_left(error: Error, report: &Report) -> Error {
    if error.diagnostic.code != Code::TimedOut || report.pending.is_empty() {
        return error;
    }
    let left = format!("not known to be applied: {}", report.pending.join(", "));
    Error { diagnostic: Box::new(error.diagnostic.help(left)), ..error }
}

struct Run<'a, B> {
    backend: &'a B,
    work: Work<'a>,
    options: &'a Options,
    observer: &'a mut dyn Observe,
    cancel: &'a CancellationToken,
    report: Report,
    /// Connections lost since a migration was last applied.
    reconnects: u32,
    /// Since when a database that answers has been one that is not there yet: a standby, before it is promoted.
    refused: Option<Instant>,
    /// Whether the history has been read.
    ready: bool,
    /// The migration whose name has been said last.
    announced: Option<String>,
    /// The migrations that are being applied, in their order, until their outcomes are known.
    in_flight: VecDeque<Attempt>,
    /// How it goes with the first of them.
    course: Course,
    /// Whether several may be on the way at once: not behind trouble that has to be laid at one's door.
    together: bool,
    ahead: Ahead,
}

impl<B: Backend> Run<'_, B> {
    async fn deploy(&mut self) -> Result<()> {
        if let Some(blocked) = plan::check_provider(self.work.migrations, self.work.provider) {
            return Err(Error::never(blocked.diagnostic()));
        }
        loop {
            let mut session = self.connect().await?;
            let result = self.bring_up_to_date(&mut session).await;
            session.close().await;
            match result {
                Err(error) if error.kind == Kind::NotYet && self.may_wait() => {
                    sleep(Duration::from_millis(500), self.cancel).await?;
                }
                Err(error) if error.kind == Kind::Ahead && self.ahead.has_time() => {
                    self.ahead.pause(&self.report, self.observer, self.cancel).await?;
                    // The database was there: what goes wrong from now on is another trouble, with patience of its own.
                    (self.refused, self.reconnects) = (None, 0);
                }
                Err(error) if error.kind == Kind::Lost && self.may_connect_again() => {
                    self.refused = None;
                    self.observer.see(Event::Reconnecting { why: &error.diagnostic });
                    sleep(Duration::from_millis(fastrand::u64(500..1500)), self.cancel).await?;
                }
                Err(error) if error.kind == Kind::Lost => return Err(self.lost_for_good(error)),
                result => return result,
            }
        }
    }

    /// Read, plan, and if there is anything to do: lock, read and plan again, apply.
    async fn bring_up_to_date(&mut self, session: &mut B::Session) -> Result<()> {
        let (mut locked, mut done) = (false, None);
        let mut overtaken = 0;
        let mut patience = Patience::new(self.options.lock_wait);
        loop {
            let snapshot = match done.take() {
                Some(done) => done,
                None => lock::read(session, &mut patience, self.observer, self.cancel).await?,
            };
            self.ready();
            let plan = self.work.plan(&snapshot, self.options.if_ahead);
            self.describe(&plan);
            self.look_after_attempts(&snapshot);
            if plan.is_up_to_date() {
                return Ok(());
            }
            if let Some(blocked @ Blocked::AheadForNow(_)) = &plan.blocked {
                return Err(Error::new(Kind::Ahead, blocked.diagnostic()));
            }
            // A plan made anew may need more of the connection than the one for which the lock was taken.
            if !locked || !session.serves(&plan) {
                // What another runner has under way looks like a failure from outside: only the lock tells.
                done = self.take_lock(session, &plan).await?;
                locked = done.is_none();
                continue;
            }
            // Not before: a standby that lags does not know it yet, and has no lock to give.
            self.forget_what_is_gone(&snapshot);
            if let Some(blocked) = &plan.blocked {
                return Err(Error::never(blocked.diagnostic()));
            }
            Self::look_before_leaping(session, &plan)?;
            if let Snapshot::Unmanaged { .. } = snapshot {
                done = self.create_history(session, &mut patience, &mut overtaken).await?;
                continue;
            }
            let (applied, attempted) = (self.report.applied.len(), Instant::now());
            let result = self.apply_all(session, &plan.steps, snapshot.history()).await;
            if self.report.applied.len() > applied {
                patience = Patience::new(self.options.lock_wait);
            }
            match result {
                Err(error) if error.kind == Kind::Overtaken => self.overtaken(&mut overtaken, error).await?,
                Err(error) if error.kind == Kind::Busy => {
                    // Not what was applied before it: that was no waiting.
                    let sent = self.in_flight.front().map_or(attempted, |attempt| attempt.begun);
                    patience.began(sent).pause(&error, self.observer, self.cancel).await?;
                }
                result => return result,
            }
        }
    }

    /// Takes the lock, unless the work turns out to be done by then: that is seen in this history.
    async fn take_lock(&mut self, session: &mut B::Session, plan: &Plan<'_>) -> Result<Option<Snapshot>> {
        let (work, options) = (self.work, self.options);
        let is_done = |seen: &Snapshot| work.plan(seen, options.if_ahead).is_up_to_date();
        let goal = Goal { least: work.migrations.list().len(), is_done: &is_done };
        lock::take(session, Some(plan), options.lock_wait, self.observer, self.cancel, Some(goal)).await
    }

    /// Creates the history, which is empty then; or gives whoever keeps it out some time, after which it is looked for again.
    async fn create_history(
        &mut self,
        session: &mut B::Session,
        patience: &mut Patience,
        overtaken: &mut u32,
    ) -> Result<Option<Snapshot>> {
        let (asked, canceller) = (Instant::now(), session.canceller());
        match repeatable(self.cancel, &canceller, session.create_history()).await {
            // A backup keeps out whoever creates tables, another runner its own table, until it commits.
            Err(error) if matches!(error.kind, Kind::Busy | Kind::Again) => {
                patience.began(asked).pause(&error, self.observer, self.cancel).await?;
            }
            // Somebody else has created it since it was looked for.
            Err(error) if error.kind == Kind::Overtaken => self.overtaken(overtaken, error).await?,
            Err(error) => return Err(error),
            // Created all the same. The request to cancel that may still be on its way, and would meet what is said next.
            Ok(()) if self.cancel.is_cancelled() => return Err(interrupted()),
            Ok(()) => return Ok(Some(Snapshot::Managed(History::default()))),
        }
        Ok(None)
    }

    /// Another runner was faster: that is progress, unless it happens without any.
    async fn overtaken(&self, times: &mut u32, error: Error) -> Result<()> {
        if *times >= MOST_OVERTAKEN {
            return Err(error);
        }
        *times += 1;
        sleep(Duration::from_millis(fastrand::u64(10..50)), self.cancel).await
    }

    fn ready(&mut self) {
        if !self.ready {
            self.ready = true;
            self.observer.see(Event::Ready);
        }
    }

    fn describe(&mut self, plan: &Plan<'_>) {
        self.report.edited = plan.edited.iter().map(ToString::to_string).collect();
        self.report.ahead.clone_from(&plan.ahead);
        self.report.unfinished.clone_from(&plan.unfinished);
        self.report.pending = plan.steps.iter().map(|step| step.migration.name().to_owned()).collect();
    }

    /// Refuses before the first statement what would be refused at a later one.
    fn look_before_leaping(session: &B::Session, plan: &Plan<'_>) -> Result<()> {
        let check = |step: &Step<'_>| match step.migration.script() {
            Ok(script) => session.check(step.migration, script),
            Err(why) => Err(script_missing(step.migration, why)),
        };
        plan.steps.iter().try_for_each(check).map_err(Error::never)
    }
}

fn script_missing(migration: &Migration, why: &str) -> Diagnostic {
    let message = format!(
        "Could not find the migration file at {}. Please delete the directory or restore the migration file.",
        migration.path()
    );
    Diagnostic::new(Code::ScriptMissing, message).help(why).help("nothing was applied")
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    fn sources(directory: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn only_the_run_loop_applies() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        // Put together here, so that this line is not what is found.
        let call = format!("session{}apply", '.');
        let calls = |path: &PathBuf| std::fs::read_to_string(path).unwrap_or_default().contains(&call);
        let all: Vec<_> = ["plimsoll-engine", "plimsoll-cli"]
            .iter()
            .flat_map(|name| sources(&crates.join(name).join("src")))
            .collect();
        let callers: Vec<_> =
            all.iter().filter(|path| calls(path)).map(|path| path.file_name().unwrap()).collect();
        assert_eq!(callers, ["applying.rs"]);
    }
}
