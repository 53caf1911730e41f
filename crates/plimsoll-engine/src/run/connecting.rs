//! The connection of a run: how it is made, and how often it is made again.

use std::time::Instant;

use super::Run;
use crate::backend::Backend;
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::options::IfMissing;
use crate::wait;

/// How often a lost connection is made again while nothing is being applied.
const TRIES: u32 = 5;

impl<B: Backend> Run<'_, B> {
    pub(super) async fn connect(&mut self) -> Result<B::Session> {
        let connected = self.connect_waiting().await;
        match connected {
            Err(error) if error.kind == Kind::Missing && self.may_create() => {
                self.backend.create_database().await?;
                self.report.database_created = true;
                self.observer.see(Event::DatabaseCreated);
                self.connect_waiting().await
            }
            connected => connected,
        }
    }

    async fn connect_waiting(&mut self) -> Result<B::Session> {
        // What became of an attempt is seen by its row.
        let expected = self.in_flight.is_empty().then_some(self.work.migrations);
        wait::connect(self.backend, expected, self.options.wait, self.observer, self.cancel).await
    }

    /// Only before anything has been seen of it: one that vanishes during a run was dropped by somebody, who may be about
    /// to restore it.
    fn may_create(&self) -> bool {
        !self.ready && self.options.if_missing == IfMissing::Create
    }

    /// However long the run had gone well before: a failover is waited for from the moment in which it is met. A migration that
    /// meets it again and again is no new beginning.
    pub(super) fn may_wait(&mut self) -> bool {
        self.refused.get_or_insert_with(Instant::now).elapsed() < self.options.wait
    }

    /// A connection may be lost for any reason once. A migration that loses it twice may be what ends the server.
    pub(super) fn may_connect_again(&mut self) -> bool {
        self.reconnects += 1;
        let most = if self.in_flight.is_empty() { TRIES } else { 1 };
        self.reconnects <= most && !self.cancel.is_cancelled()
    }

    pub(super) fn lost_for_good(&self, error: Error) -> Error {
        let Some(attempt) = self.in_flight.front() else { return error };
        let help = format!(
            "it was lost again while `{}` was being applied: the server's log tells whether that is what ends it",
            attempt.name
        );
        Error { diagnostic: Box::new(error.diagnostic.help(help)), ..error }
    }
}
