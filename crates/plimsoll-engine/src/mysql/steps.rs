//! A script that is carried out statement by statement, each recorded.

use std::collections::BTreeSet;

use plimsoll_core::history::{Attempt, Done, Progress, UnderWay};
use plimsoll_core::script::mysql::{Definition, Effect, Statement, effect_of};
use plimsoll_core::{Code, Diagnostic};

use super::apply::{HISTORY, Work};
use super::failure::statement_failed;
use super::fingerprint::{self, Facts};
use super::role::{Role, role};
use super::settings::Touched;
use super::transactional::Untransactional;
use super::units::{Unit, units};
use super::verdict::{self, Verdict};
use super::{MysqlSession, progress, resume, said};
use crate::backend::{Tell, Told};
use crate::error::{Error, Kind, Result};
use crate::failure::UNTOUCHED;

/// Carries out what is left of a script, and finishes its row.
pub(super) async fn run(
    session: &mut MysqlSession,
    work: &Work<'_>,
    session_is: resume::Session,
    touched: Touched,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let mut steps = Steps::start(session, work, session_is, touched, tell).await?;
    let left = units(work.migration, &work.statements, steps.from).map_err(Error::never)?;
    for unit in left {
        (steps.tell)(Told::Statement { number: unit.statements().start + 1, of: work.statements.len() });
        let end = unit.statements().end;
        if let Err(error) = steps.unit(unit).await {
            steps.session.script.session_is = steps.left_session(end);
            return Err(error);
        }
    }
    progress::finish(steps.session, &steps.id, work.migration).await
}

/// An attempt that is under way.
pub(super) struct Steps<'a, 't> {
    pub(super) session: &'a mut MysqlSession,
    pub(super) work: &'a Work<'a>,
    pub(super) tell: &'a mut Tell<'t>,
    /// The id of its row.
    pub(super) id: String,
    pub(super) progress: Progress,
    /// The first statement to send.
    pub(super) from: usize,
    /// What was known before the statement that an earlier runner had under way, until that statement is come to.
    pub(super) pending: Option<(usize, Facts)>,
    pub(super) touched: Touched,
    /// Read when it is needed, and again behind whatever may have changed it.
    untransactional: Option<Untransactional>,
}

/// What a statement that failed has left.
enum Left {
    Nothing,
    /// In words for people.
    Something(String),
}

impl<'a, 't> Steps<'a, 't> {
    async fn start(
        session: &'a mut MysqlSession,
        work: &'a Work<'a>,
        session_is: resume::Session,
        touched: Touched,
        tell: &'a mut Tell<'t>,
    ) -> Result<Self> {
        let begun = resume::begin(session, work).await?;
        let pending =
            begun.progress.under_way.clone().map(|under_way| (begun.progress.done.count, under_way.before));
        let from = begun.progress.done.count;
        let mut steps = Self {
            session,
            work,
            tell,
            id: begun.id,
            progress: begun.progress,
            from,
            pending,
            touched,
            untransactional: None,
        };
        steps.restore_session(session_is).await?;
        Ok(steps)
    }

    /// What the session is to a retry, once the statements before this one may have been sent: those that are not recorded
    /// are sent again, and must not find what they have left themselves.
    fn left_session(&self, end: usize) -> resume::Session {
        let again = self.work.statements.get(self.progress.done.count..end).unwrap_or_default();
        let leaves = |statement: &Statement<'_>| {
            !statement.links.leaves.is_empty() || !statement.links.ends.is_empty()
        };
        if again.iter().any(leaves) { resume::Session::Another } else { resume::Session::TheSame }
    }

    async fn unit(&mut self, unit: Unit) -> Result<()> {
        match unit {
            Unit::Session(at) => self.send_or_fail(at).await,
            Unit::Rows(range) => self.rows(range).await,
            Unit::Single(at) => match role(&self.work.statements[at]) {
                Role::Definition(definition) => self.definition(at, definition).await,
                Role::Execute(name) => self.prepared(at, name).await,
                Role::Opaque(what) => self.opaque(at, what).await,
                Role::StateAlone => self.state_alone(at).await,
                _ => self.send_or_fail(at).await,
            },
        }
    }

    /// Sends one statement of the script; what it answers is dropped.
    async fn send(&mut self, at: usize) -> Result<()> {
        let work = self.work;
        self.say(&work.statements[at]).await
    }

    /// Sends one statement, and remembers what a later one may run by name.
    pub(super) async fn say(&mut self, statement: &Statement<'_>) -> Result<()> {
        match self.session.send(&said::sent(self.session, statement)).await {
            Ok(_changed) => said::remember_prepared(self.session, statement).await,
            Err(found) => Err(statement_failed(self.session, self.work, statement, &found)),
        }
    }

    /// The same of a statement that leaves nothing if it fails.
    async fn send_or_fail(&mut self, at: usize) -> Result<()> {
        match self.send(at).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(at, error, Left::Nothing).await),
        }
    }

    /// A statement that leaves something in the session, and commits. It is recorded behind itself, so that a retry in this
    /// session does not send it again: a second `DROP TABLE` could meet a lasting table of that name.
    async fn state_alone(&mut self, at: usize) -> Result<()> {
        self.send_or_fail(at).await?;
        self.progress.done = Done::of(self.work.texts()[..=at].iter().copied());
        self.progress.under_way = None;
        progress::write(self.session, &self.id, &self.progress).await
    }

    /// Statements that change rows: one transaction with its record, but for those of tables that take no part in one.
    async fn rows(&mut self, range: std::ops::Range<usize>) -> Result<()> {
        let mut start = range.start;
        for at in range.clone() {
            if let Some(why) = self.not_transactional(at).await? {
                self.transaction(start..at).await?;
                self.opaque(at, &why).await?;
                start = at + 1;
            }
        }
        self.transaction(start..range.end).await
    }

    /// Why a statement cannot be rolled back, if it cannot.
    async fn not_transactional(&mut self, at: usize) -> Result<Option<String>> {
        let work = self.work;
        match role(&work.statements[at]) {
            Role::Rows(names) => self.untransactional_among(names).await,
            _ => Ok(None),
        }
    }

    async fn untransactional_among(&mut self, names: &BTreeSet<String>) -> Result<Option<String>> {
        if self.untransactional.is_none() {
            self.untransactional = Some(Untransactional::look(self.session).await?);
        }
        let known = self.untransactional.as_ref();
        let history = [HISTORY];
        let names = names.iter().map(String::as_str).chain(history);
        let found = known.and_then(|known| known.among(names));
        Ok(found.map(|name| format!("a change of `{name}`, whose engine has no transactions,")))
    }

    /// `autocommit` is switched off instead of beginning a transaction, which would give up the locks of `LOCK TABLES`.
    async fn transaction(&mut self, range: std::ops::Range<usize>) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        self.session.execute("SET autocommit = 0").await?;
        for at in range.clone() {
            if let Err(error) = self.send(at).await {
                self.roll_back(&error).await?;
                return Err(self.failed(range.start, error, Left::Nothing).await);
            }
        }
        self.progress.done = Done::of(self.work.texts()[..range.end].iter().copied());
        self.progress.under_way = None;
        if let Err(error) = progress::write(self.session, &self.id, &self.progress).await {
            self.roll_back(&error).await?;
            return Err(error);
        }
        self.session.execute("COMMIT;SET autocommit = 1").await.map(drop)
    }

    /// If the connection is gone, so is the transaction.
    async fn roll_back(&mut self, error: &Error) -> Result<()> {
        match error.kind {
            Kind::Lost => Ok(()),
            _ => self.session.execute("ROLLBACK;SET autocommit = 1").await.map(drop),
        }
    }

    /// A statement that changes the catalog, and commits by itself.
    async fn definition(&mut self, at: usize, definition: &Definition) -> Result<()> {
        let now = fingerprint::of(self.session, definition, self.touched).await?;
        match self.pending_at(at).map(|before| {
            verdict::of(self.session.server(), &self.session.database, definition, &before, &now)
        }) {
            None | Some(Verdict::NotYet) => {}
            Some(Verdict::Done) => {
                (self.tell)(Told::Note(&format!(
                    "statement {} of `{}` had taken effect when its runner died: it is not run again",
                    at + 1,
                    self.work.migration.name()
                )));
                self.untransactional = None;
                return Ok(());
            }
            Some(Verdict::Rest(rest)) => return self.rest(at, &rest).await,
            Some(Verdict::Unclear(why)) => return Err(self.stop(at, why).await),
        }
        self.record_under_way(at, now.clone()).await?;
        self.untransactional = None;
        let Err(error) = self.send(at).await else { return Ok(()) };
        if error.kind == Kind::Lost {
            return Err(error);
        }
        let after = fingerprint::of(self.session, definition, self.touched).await?;
        let left = if after == now {
            Left::Nothing
        } else {
            Left::Something("the statement that failed has taken effect in part".to_owned())
        };
        Err(self.failed(at, error, left).await)
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
        Ok(())
    }

    /// A statement of which nobody can tell afterwards whether it took effect.
    async fn opaque(&mut self, at: usize, what: &str) -> Result<()> {
        if self.pending_at(at).is_some() {
            let why = format!(
                "{what} was under way when its runner died, and nothing tells whether it took effect"
            );
            return Err(self.stop(at, &why).await);
        }
        self.record_under_way(at, Facts::new()).await?;
        self.untransactional = None;
        if let Err(error) = self.send(at).await {
            self.roll_back(&error).await?;
            let left = format!("what {what} has left cannot be told");
            return Err(self.failed(at, error, Left::Something(left)).await);
        }
        // A routine may leave a transaction open: the record would be rolled back with it when the session ends.
        self.session.execute("COMMIT;SET autocommit = 1").await?;
        self.progress.done = Done::of(self.work.texts()[..=at].iter().copied());
        self.progress.under_way = None;
        progress::write(self.session, &self.id, &self.progress).await
    }

    /// A prepared statement is what its text is.
    async fn prepared(&mut self, at: usize, name: &str) -> Result<()> {
        let text = self.session.script.prepared.get(name);
        let effect = text.and_then(|text| effect_of(text, &self.session.server()).ok());
        match effect {
            Some(Effect::Definition(definition)) => self.definition(at, &definition).await,
            Some(Effect::Repeatable | Effect::Setting | Effect::Carried | Effect::CarriedAlone) => {
                self.send_or_fail(at).await
            }
            Some(Effect::Data(data)) => match self.untransactional_among(&data.names).await? {
                Some(why) => self.opaque(at, &why).await,
                None => self.transaction(at..at + 1).await,
            },
            Some(Effect::Opaque(opaque)) => self.opaque(at, &opaque.what).await,
            Some(Effect::Control(_)) | None => self.opaque(at, "EXECUTE").await,
        }
    }

    /// What was known before this statement, if it was under way when an earlier runner died.
    fn pending_at(&mut self, at: usize) -> Option<Facts> {
        self.pending
            .take_if(|(pending, _)| *pending <= at)
            .filter(|(pending, _)| *pending == at)
            .map(|(_, before)| before)
    }

    /// Every statement before this one is done, and this one may have been sent.
    async fn record_under_way(&mut self, at: usize, before: Facts) -> Result<()> {
        self.progress.done = Done::of(self.work.texts()[..at].iter().copied());
        self.progress.under_way = Some(UnderWay { before });
        progress::write(self.session, &self.id, &self.progress).await
    }

    /// Sorts the failure of a statement, and records it where the run cannot go on by itself.
    async fn failed(&mut self, at: usize, error: Error, left: Left) -> Error {
        match (error.kind, &left) {
            (Kind::Script, _) | (Kind::Again | Kind::Cancelled, Left::Something(_)) => {}
            // The row says how far it got: this run, or the next start, carries on at this statement.
            _ => return error,
        }
        let begun = self.work.statements[..at].iter().any(|statement| role(statement).leaves_something());
        match left {
            Left::Nothing if !begun => {
                let stored =
                    progress::give_up(self.session, &self.id, self.work.migration, &error.diagnostic).await;
                unless_stored(stored, error.diagnostic.help(UNTOUCHED))
            }
            Left::Nothing => self.leave(at, *error.diagnostic).await,
            Left::Something(what) => self.leave(at, error.diagnostic.help(what)).await,
        }
    }

    /// Stops at a statement of which nobody can tell whether it took effect.
    pub(super) async fn stop(&mut self, at: usize, why: &str) -> Error {
        let statement = &self.work.statements[at];
        let name = self.work.migration.name();
        let message = format!("migration `{name}` cannot be carried on at statement {}: {why}", at + 1);
        let mut diagnostic = Diagnostic::new(Code::StepUnclear, message);
        if let Some(place) = self.work.migration.place(statement.span.clone()) {
            diagnostic = diagnostic.at(place);
        }
        self.leave(at, diagnostic).await
    }

    /// What is done stays, and a person decides how it goes on.
    async fn leave(&mut self, at: usize, diagnostic: Diagnostic) -> Error {
        let (name, of) = (self.work.migration.name(), self.work.statements.len());
        let diagnostic = diagnostic
            .help(format!("{at} of its {of} statements are done, and stay"))
            .help(format!("to carry on at statement {}: `plimsoll resolve --resume {name}`, then start again", at + 1))
            .help(format!(
                "or `plimsoll resolve --rolled-back {name}` after undoing what is done, `--applied {name}` after doing the rest by hand"
            ));
        self.progress.attempt = Attempt::Failed;
        self.progress.done = Done::of(self.work.texts()[..at].iter().copied());
        self.progress.under_way = None;
        let words = plimsoll_core::history::failure_text(name, &diagnostic);
        let stored = progress::fail(self.session, &self.id, &self.progress, &words).await;
        unless_stored(stored, diagnostic)
    }
}

fn unless_stored(stored: Result<()>, diagnostic: Diagnostic) -> Error {
    Error::never(match stored {
        Ok(()) => diagnostic,
        Err(why) => diagnostic.help(format!("the reason could not be recorded: {}", why.diagnostic)),
    })
}
