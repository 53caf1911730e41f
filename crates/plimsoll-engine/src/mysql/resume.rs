//! Taking up an attempt: where it stands, and what of its session has to be made again.

use plimsoll_core::history::{Attempt, Progress};
use plimsoll_core::plan::by_hand;
use plimsoll_core::script::mysql::{Definition, Objects, Statement, Thing, carried_over};
use plimsoll_core::{Code, Diagnostic};

use super::apply::Work;
use super::progress::{Beginning, Found};
use super::role::{Role, role};
use super::steps::Steps;
use super::verdict::Verdict;
use super::{MysqlSession, progress};
use crate::error::{Error, Result};

/// Which session goes on with a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Session {
    /// Another one than the one that began, if one began, or one that was cleaned: what it held is gone.
    #[default]
    Another,
    /// The one in which a statement has just failed for a reason that passes, and nothing that is sent again has left
    /// anything.
    TheSame,
}

/// An attempt, which may have a row.
pub(super) struct Begun {
    pub(super) id: String,
    pub(super) progress: Progress,
    /// What of that its row says.
    pub(super) recorded: Progress,
    /// How its row begins, if there is none yet.
    pub(super) unwritten: Option<Beginning>,
}

/// How far a try has got, and what of that it could write.
pub(super) struct Known {
    pub(super) id: String,
    pub(super) recorded: Progress,
    pub(super) progress: Progress,
}

/// The attempt that has been begun, or a new one, whose row is still to be written.
///
/// The history is not searched for one whose migration has no row in it, as it was read under the lock, where the statement that writes the row
/// looks by itself whether somebody without the lock has begun it meanwhile.
///
/// What this session knows to be done counts, where the row says what it said when that could not be written: nobody else has begun
/// the attempt anew.
pub(super) async fn begin(
    session: &mut MysqlSession,
    work: &Work<'_>,
    known: Option<Known>,
    is_new: bool,
) -> Result<Begun> {
    let found = if is_new && session.own.is_some() {
        Found::default()
    } else {
        progress::find(session, work).await?
    };
    let Some((id, logs)) = found.open.first() else {
        if found.finished {
            return Err(Error::overtaken());
        }
        let progress = Progress::new(Attempt::Running, &session.runner);
        let (id, beginning) = match found.failed {
            Some(id) => (id, Beginning::Again),
            None => (work.id.to_owned(), Beginning::New),
        };
        return Ok(Begun { id, recorded: progress.clone(), progress, unwritten: Some(beginning) });
    };
    match Progress::parse(logs) {
        Some(parsed) if parsed.attempt == Attempt::Running && found.open.len() == 1 => {
            let recorded = Progress { runner: session.runner.clone(), ..parsed };
            let known = known.filter(|known| known.id == *id && known.recorded == recorded);
            let progress = known.map_or_else(|| recorded.clone(), |known| known.progress);
            Ok(Begun { id: id.clone(), progress, recorded, unwritten: None })
        }
        // Somebody else's, or changed since the plan was made.
        _ => Err(Error::overtaken()),
    }
}

impl Steps<'_, '_> {
    /// Makes sure that the script begins with what is done, and makes the session what it was behind that.
    ///
    /// Settings are made again, and what earlier statements left in their session where that leaves the same.
    pub(super) async fn restore_session(&mut self, session: Session) -> Result<()> {
        let work = self.work;
        if !self.progress.done.begins(&work.texts()) {
            return Err(Error::never(changed(work, &self.progress)));
        }
        if session == Session::TheSame {
            return Ok(());
        }
        if carried_over(&work.statements, self.from).is_err() {
            // Only a statement that is still to be sent needs what earlier ones left.
            self.settle().await?;
        }
        let again = match carried_over(&work.statements, self.from) {
            Ok(again) => again,
            Err(lost) => return Err(self.stop_without_session(&lost).await),
        };
        for statement in again.into_iter().filter(|statement| is_sent(role(statement))) {
            self.say(statement).await?;
        }
        Ok(())
    }

    /// Finds out about the definition that was under way without the session in which it was sent: what a script has set there
    /// is not set here.
    async fn settle(&mut self) -> Result<()> {
        let work = self.work;
        let Some((at, before)) = &self.pending else { return Ok(()) };
        let Some(Role::Definition(definition)) = work.statements.get(*at).map(role) else { return Ok(()) };
        if !is_seen_by_all(definition, &work.statements[..*at]) {
            return Ok(());
        }
        let (at, before) = (*at, before.clone());
        match self.verdict(definition, &before).await?.0 {
            Verdict::Done => {
                self.had_taken_effect(at);
                self.from = at + 1;
            }
            Verdict::NotYet => self.progress.under_way = None,
            // The way to it is the same as without a look.
            Verdict::Rest(_) | Verdict::Unclear(_) => return Ok(()),
        }
        self.pending = None;
        Ok(())
    }
}

/// Whether a definition's objects look the same to any session as to the one of the script: `LOCK TABLES` hides others, and a
/// temporary table stands before the lasting one of its name.
fn is_seen_by_all(definition: &Definition, before: &[Statement<'_>]) -> bool {
    let is_among = |name: &str| match &definition.objects {
        Objects::Named(objects) => objects.iter().any(|object| object.name.to_lowercase() == name),
        Objects::Unknown => true,
    };
    let hides = |thing: &Thing| match thing {
        Thing::Locks => true,
        Thing::TemporaryTable(name) => is_among(name),
        _ => false,
    };
    !before.iter().flat_map(|statement| &statement.links.leaves).any(hides)
}

/// Whether `autocommit` is left to the records.
fn is_sent(role: Role<'_>) -> bool {
    !matches!(role, Role::ManualCommit | Role::AutoCommit)
}

/// The script was changed between two attempts, where it should not have been.
fn changed(work: &Work<'_>, progress: &Progress) -> Diagnostic {
    let (name, done) = (work.migration.name(), progress.done.count);
    let message =
        format!("migration `{name}` was begun with another script: its first {done} statements are done");
    Diagnostic::new(Code::StepUnclear, message)
        .help("give the statements that are done their text back: nothing of this script was executed")
        .helps(by_hand(name))
}
