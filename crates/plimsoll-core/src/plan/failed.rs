//! Attempts that nobody may carry on without being told to: which they are, and what a person has to know of them.

use std::fmt::Write as _;

use super::ways::{WayOn, by_hand};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::history::{Attempt, History, Instant, Progress, Row, RowState};
use crate::migration::Migrations;

/// An attempt that has neither finished nor been given up, and that no runner carries on by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The migration's name.
    pub migration: String,
    /// When it began.
    pub started_at: Instant,
    /// What was stored about it.
    pub logs: Option<String>,
    /// How far it got, if one of our runners has written that.
    pub progress: Option<Progress>,
    /// The project's script beside the one that was begun.
    pub script: Compared,
}

/// A project's script beside the one that an attempt was begun with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// It is the same.
    Same,
    /// It has been changed since.
    Changed,
    /// The project does not have it, or it cannot be read.
    Missing,
}

impl Compared {
    /// Compares the script of this row's migration with the one that the row was written for.
    pub fn of(migrations: &Migrations, row: &Row) -> Self {
        match migrations.find(&row.migration_name).map(crate::Migration::script) {
            Some(Ok(script)) if script.is_recorded_as(&row.checksum) => Self::Same,
            Some(Ok(_)) => Self::Changed,
            Some(Err(_)) | None => Self::Missing,
        }
    }

    /// The word for it, for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Missing => "missing",
        }
    }
}

impl FailedAttempt {
    fn of(migrations: &Migrations, row: &Row) -> Self {
        Self {
            migration: row.migration_name.clone(),
            started_at: row.started_at,
            logs: row.logs.clone(),
            progress: row.progress(),
            script: Compared::of(migrations, row),
        }
    }

    /// Whether `resolve --resume` may have it carried on. That the statements which are done are those of the script is not looked
    /// at here: what a statement is only a session knows.
    pub fn can_be_resumed(&self) -> bool {
        let is_settled = |progress: &Progress| is_settled(progress, self.script);
        self.script != Compared::Missing && self.progress.as_ref().is_some_and(is_settled)
    }

    /// What is known of how far it got, in words for people; nothing if nothing is known.
    pub fn how_far(&self) -> Option<String> {
        let progress = self.progress.as_ref()?;
        let done = statements_done(progress.done.count);
        Some(match (progress.attempt, self.script) {
            (Attempt::Running, Compared::Changed) => {
                format!("its runner died in it, and the script has been changed since; {done}")
            }
            (Attempt::Running, Compared::Missing) => format!("its runner died in it; {done}"),
            (Attempt::Doubtful, _) => {
                let unknown = progress.done.count + 1;
                format!("{done}; what statement {unknown} has left in the database is not known")
            }
            (_, Compared::Changed) => format!("{done}; the script has been changed since"),
            _ => done,
        })
    }

    /// Whether its runner died in it, as far as is known.
    fn is_running(&self) -> bool {
        self.progress.as_ref().is_some_and(|progress| progress.attempt == Attempt::Running)
    }

    /// What was stored about its failure, as far as people need it; empty if nothing was.
    pub fn why(&self) -> String {
        // What is stored of one that is under way says that the next start carries on, and that is not so any more.
        self.logs.as_deref().filter(|_| !self.is_running()).map(first_lines).unwrap_or_default()
    }

    /// What a person can do about it: the steps that a diagnostic of it ends with.
    pub fn ways_on(&self) -> Vec<String> {
        let name = &self.migration;
        if self.script == Compared::Missing {
            // This project cannot apply it again, nor be asked to record it as applied.
            let [undo, _] = by_hand(name);
            return vec![
                "this project does not have its script: it belongs to another release, which has to finish it"
                    .to_owned(),
                undo,
            ];
        }
        let mut ways = Vec::new();
        if self.script == Compared::Changed && self.is_running() {
            ways.push("give the script back as it was: the next start then carries on by itself".to_owned());
        }
        let way = match &self.progress {
            Some(progress) if self.can_be_resumed() => match progress.attempt {
                Attempt::Doubtful => WayOn::SendAgain(progress.done.count + 1),
                _ => WayOn::Resume(progress.done.count + 1),
            },
            _ => WayOn::ByHand,
        };
        ways.extend(way.on(name));
        ways
    }
}

/// Whether it is known where the attempt stopped. With a statement under way when it did, only that very statement's text tells what
/// to look for.
fn is_settled(progress: &Progress, script: Compared) -> bool {
    match progress.attempt {
        Attempt::Failed | Attempt::Doubtful => progress.under_way.is_none() || script == Compared::Same,
        Attempt::Running => progress.under_way.is_none(),
        Attempt::ByHand | Attempt::RolledBack => false,
    }
}

/// How many statements of a migration are done, in words: `2 of its statements are done`.
pub fn statements_done(count: usize) -> String {
    match count {
        0 => "none of its statements is done".to_owned(),
        1 => "1 of its statements is done".to_owned(),
        many => format!("{many} of its statements are done"),
    }
}

/// The attempts in a history that no runner carries on by itself, oldest first.
pub(crate) fn failed(migrations: &Migrations, history: &History) -> Vec<FailedAttempt> {
    let started = history.rows().iter().filter(|row| row.state() == RowState::Started);
    let failed = started.filter(|row| !can_resume(migrations, row));
    failed.map(|row| FailedAttempt::of(migrations, row)).collect()
}

/// Only the very script that was begun may be taken up. One of a migration that this project does not have is the
/// business of the release that has it: a rollback must not be held up by it.
pub(crate) fn can_resume(migrations: &Migrations, row: &Row) -> bool {
    let known = migrations.find(&row.migration_name).is_some();
    row.is_resumable() && (!known || Compared::of(migrations, row) == Compared::Same)
}

/// What is said of attempts that keep a project from being deployed.
pub(super) fn diagnostic(attempts: &[FailedAttempt]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::FailedMigrations, found(attempts));
    let local = attempts.iter().find(|attempt| attempt.script != Compared::Missing);
    match local.or(attempts.first()) {
        Some(attempt) => diagnostic.helps(attempt.ways_on()),
        None => diagnostic,
    }
}

/// Prisma's sentence, and what is known of each attempt.
fn found(attempts: &[FailedAttempt]) -> String {
    let mut message = "migrate found failed migrations in the target database, new migrations will not be applied. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve".to_owned();
    for attempt in attempts {
        let (name, why) = (&attempt.migration, attempt.why());
        let _infallible =
            write!(message, "\nThe `{name}` migration started at {} failed", attempt.started_at);
        if !why.is_empty() {
            let _infallible = write!(message, " with:\n{}", indent(&why));
        }
        if let Some(how_far) = attempt.how_far() {
            let _infallible = write!(message, "\n  {how_far}");
        }
    }
    message
}

/// What a person needs of stored logs: not the stack of the engine that wrote them, nor its lines for machines.
fn first_lines(logs: &str) -> String {
    /// Enough for our own words with five lines of a statement.
    const MOST: usize = 16;
    let useful =
        logs.lines().take_while(|line| !line.starts_with("   0: ") && !line.starts_with("{\"plimsoll\""));
    let useful = useful.filter(|line| !line.starts_with("DbError {") && !line.trim().is_empty());
    useful
        .skip_while(|line| line.starts_with("A migration failed to apply"))
        .take(MOST)
        .collect::<Vec<_>>()
        .join("\n")
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
