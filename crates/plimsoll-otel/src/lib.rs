//! A run as OpenTelemetry sees it: a trace and a few metrics, made from the events of the engine and sent over OTLP when the
//! run is over.
//!
//! The standard variables of the environment ask for it ([`Telemetry::asked_for`]). Without them nothing is made: no
//! allocation, no thread, no certificate is read. While a run is going on its events are only written down; what is sent is
//! sent by [`Telemetry::send`], in the time that it is given, and what goes wrong there is words for a warning and never an
//! error. No text of a script, of a database or of a URL is among what is sent, but the names that docs/telemetry.md lists.

mod attributes;
mod clock;
mod metrics;
mod parent;
mod post;
mod recording;
mod resource;
mod send;
mod settings;
mod spans;
mod tls;

use std::time::Duration;

use plimsoll_core::Diagnostic;
use plimsoll_core::url::DatabaseUrl;
use plimsoll_engine::Event;

use clock::Clock;
use parent::Parent;
use recording::Recording;
use settings::{Settings, Variables};

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// Well: what was to be applied is applied.
    Done,
    /// With this error.
    Failed(&'a Diagnostic),
    /// It was stopped by a signal.
    Interrupted(&'a Diagnostic),
}

/// What is known of a run, and where it is to be sent.
#[derive(Debug)]
pub struct Telemetry {
    settings: Settings,
    recording: Recording,
}

/// What the environment asks for.
#[derive(Debug)]
pub struct Asked {
    /// What listens, if anything can be sent anywhere.
    pub telemetry: Option<Telemetry>,
    /// What of the variables cannot be done, one sentence each, without any secret.
    pub warnings: Vec<String>,
}

impl Telemetry {
    /// Begins to write down a run of this command, if the environment, as `variable` tells it, asks for that.
    pub fn asked_for(command: &'static str, variable: &dyn Fn(&str) -> Option<String>) -> Asked {
        let mut variables = Variables::new(variable);
        let settings = Settings::read(&mut variables);
        let telemetry = settings.is_anything_sent().then(|| {
            let parent = Parent::read(&mut variables);
            let resource = resource::describe(&mut variables);
            let release = variables.get("PLIMSOLL_RELEASE");
            let recording = Recording::begin(Clock::start(), command, parent, resource, release);
            Self { settings, recording }
        });
        Asked { telemetry, warnings: variables.into_warnings() }
    }

    /// The database that the run is about; where its URL holds a user and a password, they are left out.
    pub fn database(&mut self, url: &DatabaseUrl) {
        self.recording.database(url);
    }

    /// Writes down an event of the run.
    pub fn see(&mut self, event: &Event<'_>) {
        self.recording.see(event);
    }

    /// Writes down how the run ended, and with which exit code if the process ends with it. Only the first call counts.
    pub fn ended(&mut self, outcome: Outcome<'_>, exit_code: Option<u8>) {
        self.recording.ended(outcome, exit_code);
    }

    /// Sends everything, in at most this time, and less if the environment says so. Returns a sentence for people if
    /// something could not be sent. Nothing goes on behind it.
    pub async fn send(self, at_most: Duration) -> Option<String> {
        send::all(&self.settings, self.recording, at_most).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_made_unless_the_environment_asks() {
        let asked = Telemetry::asked_for("deploy", &|name| {
            (name == "OTEL_SERVICE_NAME" || name == "TRACEPARENT").then(|| "shop".to_owned())
        });
        assert!(asked.telemetry.is_none() && asked.warnings.is_empty());
        let empty = Telemetry::asked_for("deploy", &|_| Some(String::new()));
        assert!(empty.telemetry.is_none() && empty.warnings.is_empty());
    }
}
