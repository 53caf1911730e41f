//! Everything that the program says: data on standard output, the rest on standard error.

mod diagnostic;
mod events;
mod hidden;
mod json;
mod log;
mod own;
mod phase;
mod prisma;
mod progress;

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use plimsoll_core::plan::{IfAhead, Plan};
use plimsoll_core::script::How;
use plimsoll_core::standing::Standing;
use plimsoll_core::{Diagnostic, Report, Secret, harmless};
use plimsoll_engine::resolve::Verdict;
use plimsoll_engine::{Event, Observe};
use plimsoll_project::Generation;

use crate::database::Opened;
use crate::exit::Exit;
use crate::telemetry::{Outcome, Telemetry};
use crate::termination::{Ending, TerminationLog};
pub(crate) use events::whole;
use log::Record;
pub(crate) use log::{Level, Log, Shape};
pub(crate) use phase::AtStatement;
pub(crate) use phase::Phase;
use phase::Position;
use progress::{Migrations, Progress};

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

/// What is said about a project and its database.
pub(crate) struct Introduction {
    generation: Generation,
    schema: String,
    config: Option<String>,
    dotenv: Vec<String>,
    source: String,
    provider: plimsoll_core::Provider,
    database: String,
    address: String,
    schemas: Vec<String>,
    found: usize,
}

impl Introduction {
    fn new(opened: &Opened) -> Self {
        let project = &opened.project;
        let schemas = match &opened.url {
            plimsoll_core::url::DatabaseUrl::Postgres(url) if project.datasource.schemas.is_empty() => {
                vec![url.schema.clone().unwrap_or_else(|| "public".to_owned())]
            }
            plimsoll_core::url::DatabaseUrl::Postgres(_) => project.datasource.schemas.clone(),
            plimsoll_core::url::DatabaseUrl::Mysql(_) | plimsoll_core::url::DatabaseUrl::Sqlite(_) => {
                Vec::new()
            }
        };
        Self {
            generation: project.generation,
            schema: project.schema.clone(),
            config: project.config.clone(),
            dotenv: project.dotenv.clone(),
            source: project.datasource.name.clone(),
            provider: project.datasource.provider,
            database: opened.url.database().to_owned(),
            address: opened.url.address(),
            schemas,
            found: project.migrations.list().len(),
        }
    }
}

/// What `plan` has found out.
pub(crate) struct Planned<'a> {
    pub(crate) plan: &'a Plan<'a>,
    /// How each script would be run, by the migration's name.
    pub(crate) hows: &'a HashMap<String, How>,
    /// `deploy` would create the database first.
    pub(crate) database_missing: bool,
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

    /// `deploy` is done.
    pub(crate) fn deployed(&mut self, report: &Report, if_ahead: IfAhead) -> Exit {
        self.progress.clear();
        self.count();
        self.warn(report, if_ahead);
        match self.voice {
            Voice::Own => answer(&own::deployed(report, self.begun.elapsed())),
            Voice::Aside => self.log.info("deployed", own::deployed(report, self.begun.elapsed()).trim_end()),
            Voice::Prisma => prisma::deployed(report, self.generation()),
            Voice::Json => self.document(Exit::Success).report(report).print(),
        }
        self.report = Some(report.clone());
        if self.voice == Voice::Aside {
            // The message belongs to the command that follows: it must not be explained by what went well before it.
            self.position = Position::at(Phase::Exec);
            self.telemetry.ended(Outcome::Done, None);
            return Exit::Success;
        }
        self.done(
            Exit::Success,
            match report.applied.len() {
                0 => "up to date".to_owned(),
                many => format!("{many} applied"),
            },
        )
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

    /// `status` has been found out.
    pub(crate) fn standing(&mut self, standing: &Standing) -> Exit {
        let standing = &hidden::in_logs(self.password.as_ref(), standing.clone());
        let mut exit = if standing.is_up_to_date() { Exit::Success } else { Exit::NotUpToDate };
        match self.voice {
            Voice::Own | Voice::Aside => own::standing(standing),
            Voice::Prisma => exit = prisma::standing(standing, exit, self.log),
            Voice::Json => self.document(exit).standing(standing).print(),
        }
        self.done(exit, if exit == Exit::Success { "up to date" } else { "not up to date" })
    }

    /// `resolve` is done.
    pub(crate) fn resolved(&mut self, name: &str, verdict: Verdict) -> Exit {
        match self.voice {
            Voice::Own | Voice::Aside => answer(&own::resolved(name, verdict)),
            Voice::Prisma => prisma::resolved(name, verdict),
            Voice::Json => self.document(Exit::Success).resolved(name, verdict).print(),
        }
        self.done(Exit::Success, own::resolved(name, verdict).trim_end())
    }

    /// `plan` has been made.
    pub(crate) fn planned(&mut self, planned: &Planned<'_>) -> Exit {
        let plan = planned.plan;
        let blocked = plan.blocked.as_ref().map(plimsoll_core::plan::Blocked::diagnostic);
        let exit = blocked.as_ref().map_or(Exit::Success, |diagnostic| Exit::Class(diagnostic.code.class()));
        match self.voice {
            Voice::Json => {
                self.document(exit).plan(planned).error(blocked.as_ref()).print();
            }
            _ => own::planned(planned),
        }
        let Some(diagnostic) = blocked else {
            return self.done(exit, format!("{} to apply", plan.steps.len()));
        };
        if self.voice != Voice::Json {
            self.log.error(&diagnostic);
        }
        self.leave_message(exit, Err(&diagnostic));
        exit
    }

    /// `install` is done.
    pub(crate) fn installed(&mut self, path: &Path) -> Exit {
        let words = format!("installed {}", path.display());
        answer(&format!("{words}\n"));
        self.done(Exit::Success, words)
    }

    /// Something that `inject` found or did.
    pub(crate) fn tell(&self, event: &'static str, message: String, fields: serde_json::Value) {
        self.log.write(&Record::new(Level::Info, event, message).with(fields));
    }

    /// `inject` is done.
    pub(crate) fn finished(&mut self, exit: Exit, sentence: String) -> Exit {
        self.done(exit, sentence)
    }

    /// `inject` failed: every reason is told, and the first one decides how the process ends.
    pub(crate) fn troubled(&mut self, troubles: &[Diagnostic]) -> Exit {
        let Some((first, others)) = troubles.split_first() else { return Exit::Success };
        let exit = self.failed(first, None);
        for other in others {
            self.log.error(other);
        }
        exit
    }

    /// `wait` is over, and the database stands where it should.
    pub(crate) fn current(&mut self) -> Exit {
        match self.voice {
            Voice::Json => self.document(Exit::Success).print(),
            _ => answer(&format!("{CURRENT}\n")),
        }
        self.done(Exit::Success, CURRENT)
    }

    /// The command failed; what had been done by then is in the report.
    pub(crate) fn failed(&mut self, diagnostic: &Diagnostic, report: Option<&Report>) -> Exit {
        self.end(diagnostic, report, Exit::Class(diagnostic.code.class()))
    }

    /// The command was stopped by a signal.
    pub(crate) fn interrupted(
        &mut self,
        diagnostic: &Diagnostic,
        report: Option<&Report>,
        exit: Exit,
    ) -> Exit {
        self.end(diagnostic, report, exit)
    }

    fn end(&mut self, diagnostic: &Diagnostic, report: Option<&Report>, exit: Exit) -> Exit {
        self.progress.clear();
        let diagnostic = &self.safe(diagnostic);
        let outcome = match exit {
            Exit::Signal(_) => Outcome::Interrupted(diagnostic),
            _ => Outcome::Failed(diagnostic),
        };
        self.telemetry.ended(outcome, Some(exit));
        match self.voice {
            Voice::Json => {
                let document = self.document(exit).error(Some(diagnostic));
                match report {
                    Some(report) => document.report(report).print(),
                    None => document.print(),
                }
            }
            Voice::Prisma if self.command == "deploy" && diagnostic.code.as_str().starts_with("P3") => {
                self.count();
            }
            Voice::Own | Voice::Aside | Voice::Prisma => {}
        }
        self.log.error(diagnostic);
        self.say_steps_before();
        if let Some(report) = report.filter(|report| !report.applied.is_empty()) {
            let names: Vec<&str> = report.applied.iter().map(|applied| applied.name.as_str()).collect();
            let words = format!("applied before this, and committed: {}", names.join(", "));
            let fields = serde_json::json!({ "migrations": names });
            self.log.write(&Record::new(Level::Error, "applied_before", words).with(fields));
        }
        self.report = report.cloned().or(self.report.take());
        self.leave_message(exit, Err(diagnostic));
        exit
    }

    /// The diagnostic without our own password in it.
    fn safe(&self, diagnostic: &Diagnostic) -> Diagnostic {
        match &self.password {
            Some(password) => diagnostic.clone().hiding(password),
            None => diagnostic.clone(),
        }
    }

    /// What of a migration that cannot be one transaction stays in the database, though the run ends in the middle of it.
    fn say_steps_before(&self) {
        let (Some(name), Some(AtStatement { number, of })) =
            (&self.position.migration, self.position.statement)
        else {
            return;
        };
        if number < 2 {
            return;
        }
        let words = format!("{name} ended in statement {number} of {of}: those before it are committed");
        let fields = serde_json::json!({ "migration": name, "number": number, "of": of });
        self.log.write(&Record::new(Level::Error, "steps_before", words).with(fields));
    }

    /// What does not keep a run from succeeding, and should be known all the same.
    fn warn(&self, report: &Report, if_ahead: IfAhead) {
        if !report.ahead.is_empty() && if_ahead == IfAhead::Warn {
            let names = report.ahead.join(", ");
            self.log.warn(&format!("the database is ahead of this project: it stands at {names}"));
        }
        if !report.unfinished.is_empty() && if_ahead == IfAhead::Warn {
            let names = report.unfinished.join(", ");
            self.log.warn(&format!("begun by another release and not finished: {names}"));
        }
        if !report.edited.is_empty() {
            let names = report.edited.join(", ");
            self.log.warn(&format!("changed since they were applied, which has no effect: {names}"));
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

/// The words of `wait`.
const CURRENT: &str = "the database stands at this project's migrations";

/// What was not written to standard output, if anything: the first error.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes an answer for people to standard output, without anything in it that a terminal would obey.
pub(crate) fn answer(text: &str) {
    data(&harmless::shown(text));
}

/// Writes data to standard output as it is. An error does not stop anything: [`lost`] tells of it at the end.
pub(crate) fn data(text: &str) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The first one explains the others.
        let _later = LOST.set(error);
    }
}

/// Why standard output does not hold everything that was answered. That nobody listens any more is no reason: it is what
/// `head` does.
pub(crate) fn lost() -> Option<&'static io::Error> {
    LOST.get().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
}

/// Writes a line to standard error.
#[expect(clippy::let_underscore_must_use, reason = "a closed pipe must not stop a run")]
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
