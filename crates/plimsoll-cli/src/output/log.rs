//! Standard error: lines for people, or one JSON object for each event.

use plimsoll_core::{Diagnostic, harmless, secret};
use serde_json::{Map, Value, json};

use super::diagnostic;

/// How much a line matters; a level shows itself and those above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Each step, for somebody who looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// What does not keep a run from succeeding, and should be known all the same.
    Warn,
    /// Why a command fails.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Text for people.
    Text,
    /// A JSON object, as docs/schema/log.v1.json describes it.
    Json,
}

/// What is written to standard error, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    pub(crate) shape: Shape,
    /// The least level that is shown.
    pub(crate) least: Level,
}

/// One thing that happened.
pub(super) struct Record {
    pub(super) level: Level,
    /// The name of the kind of thing, for machines: it never changes.
    pub(super) event: &'static str,
    pub(super) message: String,
    pub(super) fields: Value,
}

impl Record {
    pub(super) fn new(level: Level, event: &'static str, message: impl Into<String>) -> Self {
        Self { level, event, message: message.into(), fields: Value::Object(Map::new()) }
    }

    pub(super) fn with(self, fields: Value) -> Self {
        Self { fields, ..self }
    }
}

impl Log {
    /// For what has to be said before the arguments are understood.
    pub(crate) fn of_environment() -> Self {
        let json = std::env::var_os("PLIMSOLL_LOG_FORMAT").is_some_and(|format| format == "json");
        Self { shape: if json { Shape::Json } else { Shape::Text }, least: Level::Info }
    }

    /// Whether a record of this level is shown.
    pub(super) fn shows(self, level: Level) -> bool {
        level >= self.least
    }

    /// Writes a record, if its level is shown.
    pub(super) fn write(self, record: &Record) {
        if self.shows(record.level) {
            super::say(&self.line(record));
        }
    }

    fn line(self, record: &Record) -> String {
        match self.shape {
            Shape::Text => harmless::shown(&record.message).into_owned(),
            Shape::Json => harmless::in_json(&json!({
                "time": format!("{:.3}", jiff::Timestamp::now()),
                "level": record.level.name(),
                "event": record.event,
                "message": record.message,
                "fields": record.fields,
            })),
        }
    }

    /// What happened.
    pub(super) fn info(self, event: &'static str, message: impl Into<String>) {
        self.write(&Record::new(Level::Info, event, message));
    }

    /// What should be known, though it is no error.
    pub(crate) fn warn(self, message: &str) {
        let text = match self.shape {
            Shape::Text => format!("warning: {message}"),
            Shape::Json => message.to_owned(),
        };
        self.write(&Record::new(Level::Warn, "warning", text));
    }

    /// A text that explains an error, or is one.
    pub(crate) fn error_text(self, event: &'static str, text: &str) {
        self.write(&Record::new(Level::Error, event, secret::mask(text)));
    }

    /// Why the command fails: for people with its place, a caret and the next step.
    pub(crate) fn error(self, diagnostic: &Diagnostic) {
        match self.shape {
            Shape::Text => diagnostic::print(diagnostic),
            Shape::Json => {
                let record = Record::new(Level::Error, "error", diagnostic.to_string());
                self.write(&record.with(super::json::error(diagnostic)));
            }
        }
    }
}
