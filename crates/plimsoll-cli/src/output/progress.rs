//! What happens while it happens: a live line on a terminal, a line for each step anywhere else.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plimsoll_core::harmless;
use plimsoll_engine::Event;

use super::events;
use super::log::{Level, Log, Shape};

/// Shows progress on standard error.
pub(super) struct Progress {
    log: Log,
    migrations: Migrations,
    live: Option<ProgressBar>,
    /// What the live line says of the migration that is being applied.
    applying: String,
}

/// Whether single migrations are worth a line of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Migrations {
    Shown,
    Silent,
}

impl Progress {
    /// Shows what the log shows, with a live line if standard error is a terminal that nobody wants to be quiet.
    pub(super) fn new(log: Log, migrations: Migrations) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let wanted = migrations == Migrations::Shown && log.shape == Shape::Text && log.shows(Level::Info);
        let live = (wanted && std::io::stderr().is_terminal() && !dumb).then(live_line);
        Self { log, migrations, live, applying: String::new() }
    }

    pub(super) fn clear(&mut self) {
        if let Some(live) = self.live.take() {
            live.finish_and_clear();
        }
    }

    pub(super) fn see(&mut self, event: &Event<'_>) {
        self.redraw(event);
        if self.is_told_elsewhere(event) {
            return;
        }
        let record = events::record(event);
        if let Some(live) = self.live.as_ref().filter(|_| self.log.shows(record.level)) {
            live.suspend(|| self.log.write(&record));
        } else {
            self.log.write(&record);
        }
    }

    fn redraw(&mut self, event: &Event<'_>) {
        let Some(live) = &self.live else { return };
        match event {
            Event::Applying { name, number, of } => {
                self.applying = harmless::shown(&format!("applying {name} ({number} of {of})")).into_owned();
                live.set_message(self.applying.clone());
                live.enable_steady_tick(Duration::from_millis(100));
            }
            Event::Blocked { blockers, .. } => {
                let who = blockers.first().map(|blocker| blocker.connection.as_str()).unwrap_or_default();
                live.set_message(format!("{}, which waits for connection {who}", self.applying));
            }
            Event::Retrying { .. } => live.set_message(self.applying.clone()),
            Event::Statement { number, of, .. } => {
                live.set_message(format!("{}, statement {number} of {of}", self.applying));
            }
            _ => {}
        }
    }

    /// Prisma's phrases and the JSON document say it on standard output. A log for machines has everything.
    fn is_told_elsewhere(&self, event: &Event<'_>) -> bool {
        self.log.shape == Shape::Text
            && self.migrations == Migrations::Silent
            && matches!(event, Event::Applied { .. } | Event::DatabaseCreated)
    }
}

/// The line that is redrawn in place; it appears with the first thing that takes time.
fn live_line() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}
