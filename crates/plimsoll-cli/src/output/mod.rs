//! Everything that the program says: data on standard output, the rest on standard error.

mod answers;
mod diagnostic;
mod events;
mod failed;
mod hidden;
mod introduction;
mod json;
mod log;
mod own;
mod phase;
mod prisma;
mod progress;
mod stdout;

use std::io::{self, Write as _};
use std::time::Instant;

use plimsoll_core::{Diagnostic, Report, Secret};
use plimsoll_engine::{Event, Observe};
use plimsoll_project::Generation;

use crate::database::Opened;
use crate::exit::Exit;
use crate::telemetry::{Outcome, Telemetry};
use crate::termination::{Ending, TerminationLog};
pub(crate) use answers::Planned;
pub(crate) use events::whole;
use introduction::Introduction;
use log::Record;
pub(crate) use log::{Level, Log, Shape};
use phase::Position;
pub(crate) use phase::{AtStatement, Phase};
use progress::{Migrations, Progress};
pub(crate) use stdout::{answer, data, lost};

/// Whose words are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Our own.
    Own,
    /// Our own, on standard error: standard output is for the command that follows.
    Aside,
    /// Prisma's, for scripts that look for them.
    Prisma,
    /// One JSON document.
    Json,
}

/// Where things are said, beside standard output.
#[derive(Clone)]
pub(crate) struct Sinks {
    pub(crate) log: Log,
    pub(crate) termination: TerminationLog,
}

/// Says what a command finds and does.
pub(crate) struct Output {
    voice: Voice,
    log: Log,
    termination: TerminationLog,
    position: Position,
    /// The password of the connection, for texts of the server's.
    password: Option<Secret>,
    /// What has been done, once a run has ended.
    report: Option<Report>,
    command: &'static str,
    begun: Instant,
    project: Option<Introduction>,
    progress: Progress,
    telemetry: Telemetry,
    /// Prisma's voice: whether the number of migrations has been said.
    counted: bool,
}

impl Output {
    pub(crate) fn new(voice: Voice, command: &'static str, sinks: Sinks) -> Self {
        let migrations = match voice {
            Voice::Own | Voice::Aside => Migrations::Shown,
            Voice::Prisma | Voice::Json => Migrations::Silent,
        };
        Self {
            voice,
            log: sinks.log,
            termination: sinks.termination,
            position: Position::at(Phase::Find),
            password: None,
            report: None,
            command,
            begun: Instant::now(),
            project: None,
            progress: Progress::new(sinks.log, migrations),
            telemetry: Telemetry::of_command(command, sinks.log),
            counted: false,
        }
    }

    /// The project has been read.
    pub(crate) fn opened(&mut self, opened: &Opened) {
        self.password = opened.url.secret().cloned();
        for note in &opened.project.notes {
            self.log.warn(note);
        }
        let unused = opened.url.unused();
        if !unused.is_empty() {
            self.log.warn(&format!(
                "parameters of the connection URL that mean nothing here: {}",
                unused.join(", ")
            ));
        }
        let introduction = Introduction::new(opened);
        if self.voice == Voice::Prisma {
            prisma::introduce(&introduction, self.log);
            if self.command == "deploy" {
                answer("\n");
            }
        }
        self.project = Some(introduction);
        self.telemetry.opened(&opened.url);
    }

    /// What is known of the run for those who look from outside, to be sent once.
    pub(crate) fn telemetry(&mut self) -> Telemetry {
        std::mem::take(&mut self.telemetry)
    }

    /// Something is odd about the project.
    pub(crate) fn warned(&self, words: &str) {
        self.log.warn(words);
    }

    /// The command has answered, and leaves its last word.
    fn done(&mut self, exit: Exit, sentence: impl Into<String>) -> Exit {
        self.position = Position::at(Phase::Done);
        self.telemetry.ended(Outcome::Done, Some(exit));
        self.leave_message(exit, Ok(sentence.into()));
        exit
    }

    fn leave_message(&self, exit: Exit, outcome: Result<String, &Diagnostic>) {
        self.termination.write(&Ending {
            command: self.command,
            exit,
            phase: self.position.phase,
            migration: self.position.migration.as_deref(),
            statement: self.position.statement,
            outcome,
            report: self.report.as_ref(),
            took: self.begun.elapsed(),
        });
    }

    /// Something that `inject` found or did.
    pub(crate) fn tell(&self, event: &'static str, message: String, fields: serde_json::Value) {
        self.log.write(&Record::new(Level::Info, event, message).with(fields));
    }

    /// The diagnostic without our own password in it.
    fn safe(&self, diagnostic: &Diagnostic) -> Diagnostic {
        match &self.password {
            Some(password) => diagnostic.clone().hiding(password),
            None => diagnostic.clone(),
        }
    }

    /// Prisma's line with the number of migrations, said once the database has answered.
    fn count(&mut self) {
        if self.voice == Voice::Prisma && !self.counted && self.command == "deploy" {
            self.counted = true;
            if let Some(project) = &self.project {
                prisma::count(project.found);
                answer("\n");
            }
        }
    }

    fn generation(&self) -> Generation {
        self.project.as_ref().map_or(Generation::Six, |project| project.generation)
    }

    fn document(&self, exit: Exit) -> json::Document {
        json::Document::new(self.command, exit, self.project.as_ref(), self.begun.elapsed())
    }
}

impl Observe for Output {
    fn see(&mut self, event: Event<'_>) {
        if self.voice == Voice::Prisma {
            match &event {
                Event::Ready => self.count(),
                Event::DatabaseCreated => {
                    if let Some(project) = &self.project {
                        prisma::database_created(project);
                    }
                }
                Event::Applying { name, .. } => answer(&format!("Applying migration `{name}`\n")),
                _ => {}
            }
        }
        self.position.see(&event);
        let password = self.password.clone();
        hidden::without(password.as_ref(), event, |event| {
            self.telemetry.see(&event);
            self.progress.see(&event);
        });
    }
}

/// Writes a line to standard error.
#[expect(clippy::let_underscore_must_use, reason = "a closed pipe must not stop a run")]
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
