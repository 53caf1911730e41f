//! A command as OpenTelemetry sees it. `plimsoll-otel` knows how; here is what is said about it on standard error.

mod asked;

use std::time::Duration;

use plimsoll_core::url::DatabaseUrl;
use plimsoll_engine::Event;
pub(crate) use plimsoll_otel::Outcome;

use crate::exit::Exit;
use crate::output::Log;

/// Writes a run down, if the environment asks for that; otherwise it is nothing, and costs nothing.
#[derive(Default)]
pub(crate) struct Telemetry(Option<Box<plimsoll_otel::Telemetry>>);

impl Telemetry {
    /// Begins, and says what of the environment's wishes cannot be fulfilled.
    pub(crate) fn of_command(command: &'static str, log: Log) -> Self {
        let look = |name: &str| std::env::var(name).ok();
        if asked::by(command, &look).is_none() {
            return Self(None);
        }
        let asked = plimsoll_otel::Telemetry::asked_for(command, &look);
        for warning in &asked.warnings {
            log.warn(warning);
        }
        Self(asked.telemetry.map(Box::new))
    }

    /// Whether there is anything to send.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// The database is known.
    pub(crate) fn opened(&mut self, url: &DatabaseUrl) {
        if let Some(telemetry) = &mut self.0 {
            telemetry.database(url);
        }
    }

    /// Something happened in the run.
    pub(crate) fn see(&mut self, event: &Event<'_>) {
        if let Some(telemetry) = &mut self.0 {
            telemetry.see(event);
        }
    }

    /// The run is over, and the process ends like this unless it becomes another program.
    pub(crate) fn ended(&mut self, outcome: Outcome<'_>, exit: Option<Exit>) {
        if let Some(telemetry) = &mut self.0 {
            telemetry.ended(outcome, exit.map(Exit::code));
        }
    }

    /// Sends what there is, in at most this time. Returns what to say if that failed.
    pub(crate) async fn send(self, at_most: Duration) -> Option<String> {
        match self.0 {
            Some(_) if at_most.is_zero() => {
                Some("telemetry was not sent: the end of the run left no time for it".into())
            }
            Some(telemetry) => telemetry.send(at_most).await,
            None => None,
        }
    }
}
