//! Rows of the history as they have to be.

use plimsoll_core::checksum::Checksum;
use plimsoll_testkit::history::HistoryRow;

const TIME: &str = "<time>";

fn row(name: &str, script: &str) -> HistoryRow {
    HistoryRow {
        id: "<id>".to_owned(),
        checksum: Checksum::of(script).to_string(),
        finished_at: None,
        migration_name: name.to_owned(),
        logs: None,
        rolled_back_at: None,
        started_at: Some(TIME.to_owned()),
        applied_steps_count: "0".to_owned(),
    }
}

/// A migration that was run.
pub(crate) fn applied(name: &str, script: &str) -> HistoryRow {
    HistoryRow {
        finished_at: Some(TIME.to_owned()),
        applied_steps_count: "1".to_owned(),
        ..row(name, script)
    }
}

/// A migration that a person recorded with `resolve --applied`.
pub(crate) fn recorded(name: &str, script: &str) -> HistoryRow {
    HistoryRow { finished_at: Some(TIME.to_owned()), logs: Some(String::new()), ..row(name, script) }
}

/// An attempt that has neither finished nor been given up.
pub(crate) fn failed(name: &str, script: &str) -> HistoryRow {
    HistoryRow { logs: Some("<logs>".to_owned()), ..row(name, script) }
}

/// An attempt that does not count any more.
pub(crate) fn rolled_back(name: &str, script: &str) -> HistoryRow {
    HistoryRow { rolled_back_at: Some(TIME.to_owned()), ..failed(name, script) }
}
