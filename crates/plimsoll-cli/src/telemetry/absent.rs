//! A program that was built without telemetry, and says so where somebody asks for it.
#![expect(
    clippy::unused_self,
    clippy::unused_async,
    reason = "it stands for a telemetry that does something"
)]

mod asked;

use std::time::Duration;

use plimsoll_core::Diagnostic;
use plimsoll_core::url::DatabaseUrl;
use plimsoll_engine::Event;

use crate::exit::Exit;
use crate::output::Log;

/// How a run ended. Nobody is told.
pub(crate) enum Outcome<'a> {
    Done,
    Failed(#[expect(dead_code, reason = "for those who are told")] &'a Diagnostic),
    Interrupted(#[expect(dead_code, reason = "for those who are told")] &'a Diagnostic),
}

/// Nothing.
#[derive(Default)]
pub(crate) struct Telemetry;

impl Telemetry {
    /// Says that a wish of the environment's is in vain.
    pub(crate) fn of_command(command: &'static str, log: Log) -> Self {
        if let Some(warning) = asked::in_vain(command, &|name| std::env::var(name).ok()) {
            log.warn(&warning);
        }
        Self
    }

    pub(crate) fn is_wanted(&self) -> bool {
        false
    }

    pub(crate) fn opened(&mut self, _url: &DatabaseUrl) {}

    pub(crate) fn see(&mut self, _event: &Event<'_>) {}

    pub(crate) fn ended(&mut self, _outcome: Outcome<'_>, _exit: Option<Exit>) {}

    pub(crate) async fn send(self, _at_most: Duration) -> Option<String> {
        None
    }
}
