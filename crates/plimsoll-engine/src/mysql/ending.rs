//! A script that cannot go on: what of it is recorded, and what a person is told.

use plimsoll_core::history::{Progress, doubtful_text, failure_text};
use plimsoll_core::plan::WayOn;
use plimsoll_core::script::mysql::Lost;
use plimsoll_core::{Code, Diagnostic};

use super::error::LOCK_WAIT_TIMEOUT;
use super::role::role;
use super::steps::Steps;
use super::{failure, progress};
use crate::error::{Error, Kind, Result};
use crate::failure::UNTOUCHED;

/// What a statement that failed has left.
pub(super) enum Left {
    Nothing,
    /// In words for people.
    Something(String),
}

/// Whether a statement has waited for a lock and not got it.
pub(super) fn waited_in_vain(error: &Error) -> bool {
    failure::number(error) == Some(LOCK_WAIT_TIMEOUT)
}

/// Whether a statement of this kind needs its table to itself before it begins: one that has not got it has done nothing. A
/// routine may have come to its second statement, and rows without transactions to their second row.
pub(super) fn needs_whole_table(what: &str) -> bool {
    ["TRUNCATE TABLE", "ALTER TABLE"].iter().any(|kind| what.starts_with(kind))
}

impl Steps<'_, '_> {
    /// Sorts the failure of a statement, and records it where the run cannot go on by itself.
    pub(super) async fn failed(&mut self, at: usize, error: Error, left: Left) -> Error {
        match (error.kind, &left) {
            (Kind::Script, _) | (Kind::Again | Kind::Cancelled, Left::Something(_)) => {}
            // The row says how far it got: this run, or the next start, carries on at this statement.
            _ => return error,
        }
        let leaves = self.work.statements[..at].iter().any(|statement| role(statement).leaves_something());
        // An earlier runner may have sent this very statement: what it left is the next start's business as well.
        let begun = leaves || self.taken_up == Some(at);
        match left {
            Left::Nothing if !begun => {
                self.is_settled();
                let stored =
                    progress::give_up(self.session, &self.id, self.work.migration, &error.diagnostic).await;
                unless_stored(stored, error.diagnostic.help(UNTOUCHED))
            }
            Left::Nothing => self.leave(self.done_before(at), *error.diagnostic, WayOn::Resume(at + 1)).await,
            Left::Something(what) => {
                let words =
                    doubtful_text(self.work.migration.name(), &self.session.safe(&error.diagnostic), &what);
                let diagnostic = error.diagnostic.help(what);
                self.store(self.done_before(at), diagnostic, WayOn::SendAgain(at + 1), &words).await
            }
        }
    }

    /// Writes how far the script has got, if the row does not say so yet, whichever statement failed, of the script or of ours: the
    /// retry, or the next start, begins there.
    pub(super) async fn remember(&mut self, error: &Error) {
        if error.kind != Kind::Lost && self.progress != self.recorded {
            // Where this cannot be written, the row has the facts by which the next runner finds out the same.
            let _found_out_again =
                progress::write(self.session, self.work.migration, &self.id, &self.progress).await;
        }
    }

    /// Stops at a statement of which nobody can tell whether it took effect. Whoever has it carried on has looked.
    pub(super) async fn stop(&mut self, at: usize, why: &str) -> Error {
        let diagnostic = self.cannot_go_on(at, why);
        self.leave(self.done_before(at), diagnostic, WayOn::SendAgain(at + 1)).await
    }

    /// Stops because something ended with the session: every later start would come to the same. The row keeps what was
    /// known before a statement that was under way.
    pub(super) async fn stop_without_session(&mut self, lost: &Lost) -> Error {
        let at = self.from;
        let mut statements = self.work.statements.iter();
        let by = statements.position(|statement| statement.span == lost.needed_by).unwrap_or(at) + 1;
        let why = format!("statement {by} needs {}, which ended with its runner's session", lost.what);
        let why = match self.progress.under_way {
            Some(_) => format!(
                "{why}; statement {} was under way when its runner died, and may have taken effect or not",
                at + 1
            ),
            None => why,
        };
        let diagnostic = self.cannot_go_on(at, &why);
        self.leave(self.progress.clone(), diagnostic, WayOn::ByHand).await
    }

    /// Sorts what a write of the row has met: where somebody without the lock has begun the same migration, nobody else may take
    /// what this attempt has done for done by him alone.
    pub(super) async fn overtaken(&mut self, error: Error) -> Error {
        let migration = self.work.migration;
        match progress::has_others(self.session, migration, &self.id).await {
            Ok(true) => {}
            Ok(false) => return error,
            Err(found) => return found,
        }
        let mut sent = self.work.statements[..self.progress.done.count].iter();
        let name = migration.name();
        let begun =
            self.progress.under_way.is_some() || sent.any(|statement| role(statement).leaves_something());
        let message = format!("migration `{name}` was begun by somebody else as well, who took no lock");
        let diagnostic = Diagnostic::new(Code::StepUnclear, message);
        if begun {
            let help = "what is done may have been done twice: look at the database, and at the rows of `_prisma_migrations`";
            return self.leave(self.progress.clone(), diagnostic.help(help), WayOn::ByHand).await;
        }
        match progress::give_up(self.session, &self.id, migration, &diagnostic).await {
            Ok(()) => error,
            Err(found) => found,
        }
    }

    /// What the row says now is not to be overwritten with how far the script had got.
    fn is_settled(&mut self) {
        self.recorded.clone_from(&self.progress);
    }

    fn cannot_go_on(&self, at: usize, why: &str) -> Diagnostic {
        let statement = &self.work.statements[at];
        let name = self.work.migration.name();
        let message = format!("migration `{name}` cannot be carried on at statement {}: {why}", at + 1);
        let diagnostic = Diagnostic::new(Code::StepUnclear, message);
        match self.work.migration.place(statement.span.clone()) {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        }
    }

    /// What is done stays, and a person decides how it goes on.
    async fn leave(&mut self, progress: Progress, diagnostic: Diagnostic, way: WayOn) -> Error {
        let words = failure_text(self.work.migration.name(), &self.session.safe(&diagnostic));
        self.store(progress, diagnostic, way, &words).await
    }

    /// The same, with the words for people that the row is to hold.
    async fn store(&mut self, progress: Progress, diagnostic: Diagnostic, way: WayOn, words: &str) -> Error {
        let (name, of) = (self.work.migration.name(), self.work.statements.len());
        let done = format!("{} of its {of} statements are done and stay done", progress.done.count);
        let progress = Progress { attempt: way.attempt(), ..progress };
        self.is_settled();
        let stored = progress::fail(self.session, &self.id, &progress, words).await;
        unless_stored(stored, diagnostic.help(done).helps(way.on(name)))
    }
}

fn unless_stored(stored: Result<()>, diagnostic: Diagnostic) -> Error {
    Error::never(match stored {
        Ok(()) => diagnostic,
        Err(why) => diagnostic.help(format!("the reason could not be recorded: {}", why.diagnostic)),
    })
}
