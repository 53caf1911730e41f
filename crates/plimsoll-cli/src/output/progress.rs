//! What happens while it happens: a live line on a terminal, a line for each step anywhere else.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plimsoll_engine::{Event, describe_holder};

/// Shows progress on standard error.
pub(super) struct Progress {
    migrations: Migrations,
    live: Option<ProgressBar>,
}

/// Whether single migrations are worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Migrations {
    Shown,
    Silent,
}

impl Progress {
    /// Shows everything, with a live line if standard error is a terminal.
    pub(super) fn for_terminal() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let live = (std::io::stderr().is_terminal() && !dumb).then(live_line);
        Self { migrations: Migrations::Shown, live }
    }

    /// Shows only what is out of the ordinary.
    pub(super) fn silent() -> Self {
        Self { migrations: Migrations::Silent, live: None }
    }

    pub(super) fn clear(&mut self) {
        if let Some(live) = self.live.take() {
            live.finish_and_clear();
        }
    }

    pub(super) fn see(&mut self, event: &Event<'_>) {
        if let Event::Applying { name, number, of } = event
            && let Some(live) = &self.live
        {
            live.set_message(format!("applying {name} ({number} of {of})"));
            live.enable_steady_tick(Duration::from_millis(100));
        }
        if let Some(line) = line(event, self.migrations) {
            match &self.live {
                Some(live) => live.suspend(|| super::say(&line)),
                None => super::say(&line),
            }
        }
    }
}

/// The line that is redrawn in place; it appears with the first thing that takes time.
fn live_line() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

fn line(event: &Event<'_>, migrations: Migrations) -> Option<String> {
    Some(match event {
        Event::Waiting { why, at_most } => {
            format!("waiting for up to {} s: {}", at_most.as_secs(), why.message)
        }
        Event::Connected { after } => format!("the database answered after {:.1} s", after.as_secs_f64()),
        Event::DatabaseCreated if migrations == Migrations::Shown => "created the database".to_owned(),
        Event::WaitingForLock { holder: Some(holder) } => {
            format!("waiting for another runner, which holds the lock: {}", describe_holder(holder))
        }
        Event::WaitingForLock { holder: None } => {
            "waiting for another process, which holds the lock".to_owned()
        }
        Event::Ahead { names, at_most } => format!(
            "waiting for up to {} s: the database stands at migrations that this project does not have: {}",
            at_most.as_secs(),
            names.join(", ")
        ),
        Event::Applied { name, took } if migrations == Migrations::Shown => {
            format!("applied {name} in {}", milliseconds(*took))
        }
        Event::Retrying { name, why } => format!("{name} was rolled back and is tried again: {why}"),
        Event::Reconnecting { why } => format!("connecting again: {}", why.message),
        Event::Note(note) => format!("note: {note}"),
        // The rest has no line of its own.
        _ => return None,
    })
}

/// A duration in the unit that people compare.
pub(super) fn milliseconds(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}
