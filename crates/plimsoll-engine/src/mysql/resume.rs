//! Taking up an attempt: where it stands, and what of its session has to be made again.

use plimsoll_core::history::{Attempt, Progress};
use plimsoll_core::script::mysql::carried_over;
use plimsoll_core::{Code, Diagnostic};

use super::apply::Work;
use super::role::{Role, role};
use super::steps::Steps;
use super::{MysqlSession, history, progress};
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

/// An attempt that has a row.
pub(super) struct Begun {
    pub(super) id: String,
    pub(super) progress: Progress,
}

/// The attempt that has been begun, or a new one.
pub(super) async fn begin(session: &mut MysqlSession, work: &Work<'_>) -> Result<Begun> {
    let query = format!(
        "SELECT id, logs FROM {} WHERE {} AND finished_at IS NULL AND rolled_back_at IS NULL",
        session.history_table(),
        history::is_named(work.migration)
    );
    let rows = session.rows(&query).await?;
    let Some(row) = rows.first() else {
        progress::unrecorded(session, work.migration).await?;
        let progress = Progress::new(Attempt::Running, &session.runner);
        let id = progress::begin(session, work, &progress).await?;
        return Ok(Begun { id, progress });
    };
    let value = |n: usize| row.get(n).and_then(Option::as_deref).unwrap_or_default();
    match Progress::parse(value(1)) {
        Some(found) if found.attempt == Attempt::Running && rows.len() == 1 => {
            let progress = Progress { runner: session.runner.clone(), ..found };
            Ok(Begun { id: value(0).to_owned(), progress })
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
        let (work, from) = (self.work, self.from);
        if !self.progress.done.begins(&work.texts()) {
            return Err(Error::never(changed(work, &self.progress)));
        }
        if session == Session::TheSame {
            return Ok(());
        }
        let again = match carried_over(&work.statements, from) {
            Ok(again) => again,
            Err(lost) => {
                let why = format!("it needs {}, which ended with its runner's session", lost.what);
                return Err(self.stop(from, &why).await);
            }
        };
        for statement in again.into_iter().filter(|statement| is_sent(role(statement))) {
            self.say(statement).await?;
        }
        Ok(())
    }
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
        .help(format!(
            "or `plimsoll resolve --rolled-back {name}` after undoing what is done, `--applied {name}` after doing the rest by hand"
        ))
}
