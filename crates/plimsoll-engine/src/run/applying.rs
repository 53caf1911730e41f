//! Applying what is pending: in its order, and several on the way at once where the backend can.

use std::cell::RefCell;
use std::time::Instant;

use plimsoll_core::history::History;
use plimsoll_core::plan::Step;
use plimsoll_core::{Code, Diagnostic, Migration};

use super::Run;
use crate::again::Tries;
use crate::backend::{Backend, Next, Session, Told};
use crate::blockers::{Blocker, Looks, Seen, Witness, watched};
use crate::cancel::{by_others, canceller_of, interrupted, interruptible, sleep};
use crate::error::{CancelledBy, Error, Kind, Result};
use crate::event::{Event, Resent};
use crate::limits::Limits;
use crate::options::Options;
use crate::stopping;

/// How it goes with the first migration that is not applied yet. The next one has a course of its own.
pub(super) struct Course {
    tries: Tries,
    limits: Limits,
    blocking: Seen,
    again: Resent,
}

impl Course {
    pub(super) fn new(options: &Options) -> Self {
        let (tries, limits) = (Tries::new(options), options.limits);
        Self { tries, limits, blocking: Seen::default(), again: Resent::Whole }
    }
}

impl<B: Backend> Run<'_, B> {
    pub(super) async fn apply_all(
        &mut self,
        session: &mut B::Session,
        steps: &[Step<'_>],
        seen: &History,
    ) -> Result<()> {
        let mut left = steps;
        while !left.is_empty() {
            let number = if self.together { session.together(left).clamp(1, left.len()) } else { 1 };
            let before = self.report.applied.len();
            self.apply(session, &left[..number], seen).await?;
            left = &left[self.report.applied.len() - before..];
            if self.cancel.is_cancelled() && !left.is_empty() {
                return Err(interrupted());
            }
        }
        Ok(())
    }

    /// Applies the first of these at least, and looks who keeps it waiting: over one connection, however often it is tried.
    async fn apply(&mut self, session: &mut B::Session, steps: &[Step<'_>], seen: &History) -> Result<()> {
        let mut witness = session.witness();
        let result = self.apply_seen(session, steps, seen, &mut witness).await;
        // A server that does not answer any more is not waited for.
        let _silent = tokio::time::timeout(stopping::WITNESS, witness.close()).await;
        result
    }

    /// What fails for a reason that passes is tried again alone, for as long as [`Tries`] says.
    async fn apply_seen(
        &mut self,
        session: &mut B::Session,
        steps: &[Step<'_>],
        seen: &History,
        witness: &mut impl Witness,
    ) -> Result<()> {
        let mut sent = steps;
        self.course = Course::new(self.options);
        loop {
            self.course.blocking.next_try();
            self.begin(sent, seen);
            let result = self.send(session, sent, witness).await;
            let Err(error) = result else { return self.has_got_on(sent) };
            let Some(attempt) = self.in_flight.front() else { return Err(error) };
            let (step, begun) = (&sent[sent.len() - self.in_flight.len()], attempt.begun);
            match error {
                error
                    if error.kind == Kind::Again
                        && let Some(pause) = self.course.tries.pause() =>
                {
                    let (name, again) = (step.migration.name(), self.course.again);
                    self.course.limits = self.course.limits.behind(begun.elapsed());
                    self.observer.see(Event::Retrying { name, again, why: &error.diagnostic });
                    sleep(pause, self.cancel).await?;
                }
                error if matches!(error.kind, Kind::Again | Kind::Script | Kind::Cancelled) => {
                    return Err(self.failed(session, step.migration, error, begun).await);
                }
                error => {
                    // Which of them it was shows where only one is on the way.
                    self.together &= !matches!(error.kind, Kind::Lost | Kind::Overtaken);
                    return Err(self.course.blocking.explain(error));
                }
            }
            sent = std::slice::from_ref(step);
        }
    }

    /// A session that applies nothing and calls it a success would be asked for ever.
    fn has_got_on(&self, sent: &[Step<'_>]) -> Result<()> {
        if self.in_flight.len() < sent.len() { Ok(()) } else { Err(Error::overtaken()) }
    }

    /// Has the session apply what is in flight, once.
    async fn send(
        &mut self,
        session: &mut B::Session,
        steps: &[Step<'_>],
        witness: &mut impl Witness,
    ) -> Result<()> {
        let next: Vec<Next<'_>> =
            steps.iter().zip(&self.in_flight).map(|(step, attempt)| attempt.next(step)).collect();
        let (cancel, limits, looks) = (self.cancel, self.course.limits, Looks::of(&self.options.limits));
        self.say_what_is_under_way();
        // Two tell the run what they see: the session, and whoever looks at it from outside.
        let run = RefCell::new(self);
        let mut tell = |told: Told<'_>| run.borrow_mut().told(told);
        let see = |found| run.borrow_mut().blocked(found);
        let under_way = || run.borrow().in_flight.front().map(|attempt| attempt.begun);
        let canceller = session.canceller();
        let applying = interruptible(cancel, &canceller, session.apply_together(&next, limits, &mut tell));
        watched(applying, witness, looks, under_way, see).await
    }

    fn told(&mut self, told: Told<'_>) {
        match told {
            Told::Applied => {
                self.first_is_applied();
                self.course = Course::new(self.options);
                self.say_what_is_under_way();
            }
            told => {
                if matches!(told, Told::Statement { .. }) {
                    self.course.again = Resent::Rest;
                }
                let Some(attempt) = self.in_flight.front() else { return };
                if let Some(event) = Event::of(&attempt.name, told) {
                    self.observer.see(event);
                }
            }
        }
    }

    fn blocked(&mut self, found: Vec<Blocker>) {
        if let Some(attempt) = self.in_flight.front()
            && let Some(blockers) = self.course.blocking.news(found, Instant::now())
        {
            self.observer.see(Event::Blocked { name: &attempt.name, blockers });
        }
    }

    /// The error of a migration that failed, or whose tries are over: cancelled, if so, but not by us: by a time limit of the server's,
    /// or by a person.
    async fn failed(
        &self,
        session: &mut B::Session,
        migration: &Migration,
        error: Error,
        begun: Instant,
    ) -> Error {
        let by = canceller_of::<B::Session>(&error);
        let error = self.options.limits.explain(error, by, begun.elapsed());
        self.record(session, migration, &error.diagnostic).await;
        match error.kind {
            Kind::Cancelled if by == CancelledBy::Somebody => {
                by_others(session, migration.name(), error, self.cancel).await
            }
            _ => self.course.blocking.explain(blocked(error)),
        }
    }

    /// Records a failure. It matters more than that it could not be recorded, or that the run was stopped meanwhile: that ends the
    /// record alone.
    async fn record(&self, session: &mut B::Session, migration: &Migration, failure: &Diagnostic) {
        let canceller = session.canceller();
        let recording = session.record_failure(migration, failure);
        let _unrecorded = interruptible(self.cancel, &canceller, recording).await;
    }
}

/// A migration whose time to get its locks is over did nothing wrong: another code, and another exit code.
fn blocked(error: Error) -> Error {
    match error.kind {
        // Whoever says so itself knows the next step, too.
        Kind::Again if error.diagnostic.code == Code::MigrationBlocked => Error { kind: Kind::Never, ..error },
        Kind::Again => Error::never(
            Diagnostic { code: Code::MigrationBlocked, ..*error.diagnostic }
                .help("find out who holds what it needs (a long transaction, a backup), or start again when there is less to do"),
        ),
        _ => error,
    }
}
