//! Statements that change the catalog: sent once, or found to have been carried out.

use plimsoll_core::script::mysql::{Caveat, Definition, Objects, Verb};

use super::ending::{Left, waited_in_vain};
use super::fingerprint::{self, Facts};
use super::steps::Steps;
use super::transactional::Untransactional;
use super::verdict::{self, Verdict};
use crate::backend::Told;
use crate::error::{Error, Kind, Result};

impl Steps<'_, '_> {
    /// A statement that changes the catalog, and commits by itself. That it is done is remembered, and recorded with what
    /// comes behind it: a kill before that leaves the facts from before it in the row.
    pub(super) async fn definition(&mut self, at: usize, definition: &Definition) -> Result<()> {
        let now = match self.pending_at(at) {
            None => fingerprint::of(self.session, definition).await?,
            Some(before) => match self.verdict(definition, &before).await? {
                (Verdict::NotYet, now) => now,
                (Verdict::Done, _) => {
                    self.had_taken_effect(at);
                    return Ok(());
                }
                (Verdict::Rest(rest), _) => return self.rest(at, &rest).await,
                (Verdict::Unclear(why), _) => return Err(self.stop(at, why).await),
            },
        };
        self.record_under_way(at, now.clone()).await?;
        self.untransactional = None;
        match self.send(at).await {
            Ok(()) => self.progress = self.done_before(at + 1),
            Err(error) if error.kind == Kind::Lost => return Err(error),
            Err(error) => return Err(self.definition_failed(at, definition, &now, error).await),
        }
        Ok(())
    }

    /// What the catalog says of a definition that was under way, and what it says of its objects. It does not say whether a
    /// table without transactions has all its rows.
    pub(super) async fn verdict(
        &mut self,
        definition: &Definition,
        before: &Facts,
    ) -> Result<(Verdict, Facts)> {
        let now = fingerprint::of(self.session, definition).await?;
        if let Some(why) = self.may_have_lost_rows(definition).await? {
            return Ok((Verdict::Unclear(why), now));
        }
        let session = &self.session;
        Ok((verdict::of(session.server(), &session.database, definition, before, &now), now))
    }

    async fn may_have_lost_rows(&mut self, definition: &Definition) -> Result<Option<&'static str>> {
        if definition.verb != Verb::Alter && !definition.caveats.contains(&Caveat::Rows) {
            return Ok(None);
        }
        let known = Untransactional::look(self.session).await?;
        let found = match &definition.objects {
            Objects::Named(objects) => objects.iter().any(|object| known.has_table(object)),
            Objects::Unknown => known.has_tables(),
        };
        Ok(found.then_some(
            "it changes a table whose engine has no transactions, and was under way when its runner died",
        ))
    }

    /// The statement of an earlier runner took effect: what is known of the catalog is known from before it.
    pub(super) fn had_taken_effect(&mut self, at: usize) {
        (self.tell)(Told::Note(&format!(
            "statement {} of `{}` had taken effect when its runner died: it is not run again",
            at + 1,
            self.work.migration.name()
        )));
        self.untransactional = None;
        self.progress = self.done_before(at + 1);
    }

    /// The server has said that it failed: without its lock, or with the catalog as it was, it has done nothing, and no verdict is
    /// needed later.
    async fn definition_failed(
        &mut self,
        at: usize,
        definition: &Definition,
        before: &Facts,
        error: Error,
    ) -> Error {
        if !waited_in_vain(&error) {
            let after = match fingerprint::of(self.session, definition).await {
                Ok(after) => after,
                Err(error) => return error,
            };
            if after != *before {
                // Rows that an application moves meanwhile are part of what is known of a table that is emptied.
                if error.kind == Kind::Cancelled || definition.verb == Verb::Empty {
                    return self.definition_cancelled(at, definition, before, error).await;
                }
                let left = "the statement that failed has taken effect in part".to_owned();
                return self.failed(at, error, Left::Something(left)).await;
            }
        }
        if verdict::is_atomic(self.session.server()) || waited_in_vain(&error) {
            self.progress.under_way = None;
        }
        self.failed(at, error, Left::Nothing).await
    }

    /// It was cancelled, and the catalog is another one: the servers cancel a statement at its very end as well, when it is
    /// done. That is settled as after a kill.
    async fn definition_cancelled(
        &mut self,
        at: usize,
        definition: &Definition,
        before: &Facts,
        error: Error,
    ) -> Error {
        let verdict = match self.verdict(definition, before).await {
            Ok((verdict, _)) => verdict,
            Err(error) => return error,
        };
        let what = match verdict {
            Verdict::Done => {
                self.progress = self.done_before(at + 1);
                "had taken effect when it was cancelled: the next start carries on behind it"
            }
            // The row says what was known before it, and the next start finds out the same.
            Verdict::Rest(_) => "has been carried out in part: the next start carries out the rest",
            Verdict::NotYet => {
                self.progress.under_way = None;
                return self.failed(at, error, Left::Nothing).await;
            }
            Verdict::Unclear(_) => {
                let left = "the statement that was cancelled has taken effect in part".to_owned();
                return self.failed(at, error, Left::Something(left)).await;
            }
        };
        let help = format!("statement {} of `{}` {what}", at + 1, self.work.migration.name());
        let error = Error { diagnostic: Box::new(error.diagnostic.help(help)), ..error };
        self.failed(at, error, Left::Nothing).await
    }

    /// What an interrupted statement of several objects has not come to.
    async fn rest(&mut self, at: usize, rest: &[String]) -> Result<()> {
        (self.tell)(Told::Note(&format!(
            "statement {} of `{}` had been carried out in part when its runner died: the rest is carried out",
            at + 1,
            self.work.migration.name()
        )));
        for statement in rest {
            self.session.execute(statement).await?;
        }
        self.progress = self.done_before(at + 1);
        Ok(())
    }
}
