//! The migrations that are being applied, until it is known what became of them.

use std::time::Instant;

use plimsoll_core::AppliedMigration;
use plimsoll_core::history::{History, RowState, Snapshot};
use plimsoll_core::plan::Step;

use super::Run;
use crate::backend::{Backend, Next};
use crate::event::Event;

/// A migration that is being applied.
pub(super) struct Attempt {
    pub(super) name: String,
    /// The id of the row that it is finished with if it needs a new one.
    id: String,
    /// The ids of other history rows that it may have been finished with.
    ids: Vec<String>,
    /// Since when nothing before it has been left to apply.
    pub(super) begun: Instant,
}

impl Attempt {
    fn of(step: &Step<'_>, seen: &History) -> Self {
        let name = step.migration.name();
        let ids = seen.rows_of(name).map(|row| row.id.clone()).collect();
        Self { name: name.to_owned(), id: uuid::Uuid::new_v4().to_string(), ids, begun: Instant::now() }
    }

    pub(super) fn next<'a>(&self, step: &'a Step<'a>) -> Next<'a> {
        Next { step, id: self.id.clone() }
    }

    fn has(&self, id: &str) -> bool {
        self.id == id || self.ids.iter().any(|one| one == id)
    }
}

impl<B: Backend> Run<'_, B> {
    /// The first that is in flight is committed.
    pub(super) fn first_is_applied(&mut self) {
        let Some(Attempt { name, begun, .. }) = self.in_flight.pop_front() else { return };
        let took = begun.elapsed();
        self.reconnects = 0;
        let pending = &mut self.report.pending;
        if let Some(at) = pending.iter().position(|pending| *pending == name) {
            pending.remove(at);
        }
        self.observer.see(Event::Applied { name: &name, took });
        self.report.applied.push(AppliedMigration { name, took });
        if let Some(next) = self.in_flight.front_mut() {
            next.begun = Instant::now();
        }
    }

    /// Remembers what is being applied, and with which rows: those that it may use again are among them.
    pub(super) fn begin(&mut self, steps: &[Step<'_>], seen: &History) {
        let before = self.in_flight.pop_front();
        self.in_flight = steps.iter().map(|step| Attempt::of(step, seen)).collect();
        match (before, self.in_flight.front_mut()) {
            // A script that is run in parts keeps the row of its first try.
            (Some(before), Some(first)) if before.name == first.name => {
                first.ids.extend(before.ids);
                first.ids.push(before.id);
            }
            _ => (self.refused, self.reconnects) = (None, 0),
        }
    }

    /// Says of the first in flight that it is its turn.
    pub(super) fn announce(&mut self) {
        let Some(Attempt { name, .. }) = self.in_flight.front() else { return };
        if self.announced.as_ref() != Some(name) {
            self.announced = Some(name.clone());
            let applied = self.report.applied.len();
            let of = applied + self.report.pending.len();
            self.observer.see(Event::Applying { name, number: applied + 1, of });
        }
    }

    /// The same, and that it is under way.
    pub(super) fn say_what_is_under_way(&mut self) {
        self.announce();
        if let Some(Attempt { name, .. }) = self.in_flight.front() {
            self.observer.see(Event::Sending { name });
        }
    }

    /// After a failover: what the new primary has not heard of is not applied, whoever said that it was committed.
    pub(super) fn forget_what_is_gone(&mut self, snapshot: &Snapshot) {
        let there = |name: &str| snapshot.history().rows_of(name).any(|row| row.state() == RowState::Applied);
        for gone in self.report.applied.extract_if(.., |applied| !there(&applied.name)) {
            // Its next try is another one, and is announced again.
            self.announced.take_if(|name| *name == gone.name);
            self.observer.see(Event::Forgotten { name: &gone.name });
        }
    }

    /// After a lost connection: the commits of migrations that were under way may have arrived all the same.
    pub(super) fn look_after_attempts(&mut self, snapshot: &Snapshot) {
        let is_applied = |attempt: &Attempt| {
            let mut rows = snapshot.history().rows_of(&attempt.name);
            rows.any(|row| attempt.has(&row.id) && row.state() == RowState::Applied)
        };
        while self.in_flight.front().is_some_and(is_applied) {
            self.announce();
            self.first_is_applied();
        }
    }
}
