//! The migration that is being applied, until it is known what became of it.

use std::time::{Duration, Instant};

use plimsoll_core::AppliedMigration;
use plimsoll_core::history::{History, RowState, Snapshot};

use super::Run;
use crate::backend::Backend;
use crate::event::Event;

/// A migration that is being applied.
pub(super) struct Attempt {
    pub(super) name: String,
    /// The ids of the history rows that it may have been finished with.
    ids: Vec<String>,
    pub(super) begun: Instant,
}

impl<B: Backend> Run<'_, B> {
    pub(super) fn applied(&mut self, name: &str, took: Duration) {
        self.in_flight = None;
        self.reconnects = 0;
        self.report.pending.retain(|pending| pending != name);
        self.report.applied.push(AppliedMigration { name: name.to_owned(), took });
        self.observer.see(Event::Applied { name, took });
    }

    /// Remembers what is being applied, and with which rows: those that it may use again are among them.
    pub(super) fn begin(&mut self, name: &str, id: &str, seen: &History) {
        if self.in_flight.as_ref().is_none_or(|attempt| attempt.name != name) {
            (self.refused, self.reconnects) = (None, 0);
        }
        let mut ids: Vec<String> = seen.rows_of(name).map(|row| row.id.clone()).collect();
        // A script that is run in parts keeps the row of its first try.
        ids.extend(
            self.in_flight
                .take()
                .filter(|before| before.name == name)
                .into_iter()
                .flat_map(|before| before.ids),
        );
        ids.push(id.to_owned());
        self.in_flight = Some(Attempt { name: name.to_owned(), ids, begun: Instant::now() });
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

    /// After a lost connection: the commit of the migration that was under way may have arrived all the same.
    pub(super) fn look_after_attempt(&mut self, snapshot: &Snapshot) {
        let Some(attempt) = &self.in_flight else { return };
        let mut rows = snapshot.history().rows().iter();
        if rows.any(|row| attempt.ids.contains(&row.id) && row.state() == RowState::Applied) {
            let (name, took) = (attempt.name.clone(), attempt.begun.elapsed());
            self.applied(&name, took);
        }
    }
}
