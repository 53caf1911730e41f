//! A script that is carried out statement by statement, each recorded.

use std::collections::BTreeSet;

use plimsoll_core::history::{Done, Progress, UnderWay};
use plimsoll_core::script::mysql::{Effect, Statement, effect_of};

use super::apply::{HISTORY, Work};
use super::ending::{Left, needs_whole_table, waited_in_vain};
use super::failure::statement_failed;
use super::fingerprint::Facts;
use super::progress::Beginning;
use super::role::{Role, role};
use super::transactional::Untransactional;
use super::units::{Unit, units};
use super::{MysqlSession, progress, resume, said, sql};
use crate::backend::{Tell, Told};
use crate::error::{Error, Kind, Result};

/// Carries out what is left of a script, and finishes its row; `is_new` if the history has none of its migration.
pub(super) async fn run(
    session: &mut MysqlSession,
    work: &Work<'_>,
    session_is: resume::Session,
    is_new: bool,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let known = session.script.known.take();
    let begun = resume::begin(session, work, known, is_new).await?;
    let mut steps = Steps::start(session, work, begun, tell);
    steps.restore_session(session_is).await?;
    match steps.carry_out().await {
        Err(error) if error.kind == Kind::Overtaken => Err(steps.overtaken(error).await),
        Err(error) => {
            steps.remember(&error).await;
            steps.session.script.known = Some(steps.known());
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

/// An attempt that is under way.
pub(super) struct Steps<'a, 't> {
    pub(super) session: &'a mut MysqlSession,
    pub(super) work: &'a Work<'a>,
    pub(super) tell: &'a mut Tell<'t>,
    /// The id of its row.
    pub(super) id: String,
    /// How far it has got.
    pub(super) progress: Progress,
    /// What of that its row says.
    pub(super) recorded: Progress,
    /// How its row begins, until it is there.
    unwritten: Option<Beginning>,
    /// The first statement to send.
    pub(super) from: usize,
    /// What was known before the statement that an earlier runner had under way, until that statement is come to.
    pub(super) pending: Option<(usize, Facts)>,
    /// The statement that was said to be next.
    told: Option<usize>,
    /// The statement that an earlier runner had under way.
    pub(super) taken_up: Option<usize>,
    /// Read when it is needed, and again behind whatever may have changed it.
    pub(super) untransactional: Option<Untransactional>,
    /// `SET TRANSACTION`: said right before the statement that it is for, since whatever of ours came between would use it up.
    next_transaction: Vec<usize>,
}

impl<'a, 't> Steps<'a, 't> {
    fn start(
        session: &'a mut MysqlSession,
        work: &'a Work<'a>,
        begun: resume::Begun,
        tell: &'a mut Tell<'t>,
    ) -> Self {
        let pending =
            begun.progress.under_way.clone().map(|under_way| (begun.progress.done.count, under_way.before));
        let from = begun.progress.done.count;
        Self {
            session,
            work,
            tell,
            id: begun.id,
            recorded: begun.recorded,
            unwritten: begun.unwritten,
            progress: begun.progress,
            from,
            told: None,
            taken_up: pending.as_ref().map(|(at, _)| *at),
            pending,
            untransactional: None,
            next_transaction: Vec::new(),
        }
    }

    /// Sends what is left, and finishes the row.
    async fn carry_out(&mut self) -> Result<()> {
        let work = self.work;
        let units = units(work.migration, &work.statements, self.from).map_err(Error::never)?;
        if !units.first().is_some_and(|unit| self.is_announced(unit)) {
            self.begin_row().await?;
        }
        for unit in units {
            self.come_to(unit.statements().start);
            let end = unit.statements().end;
            if let Err(error) = self.unit(unit).await {
                self.session.script.session_is = self.left_session(end, &error).await;
                return Err(error);
            }
        }
        // Also for what the server writes down of the row: the time, and its log of changes.
        super::apply::clean(self.session, work).await?;
        progress::finish(self.session, &self.id, work.migration).await
    }

    /// Whether a unit begins with a record of its own: the row of a new attempt begins with that, before anything is sent.
    fn is_announced(&self, unit: &Unit) -> bool {
        matches!(unit, Unit::Single(at) if matches!(role(&self.work.statements[*at]), Role::Definition(_)))
    }

    /// Writes the row of a new attempt, if it is not there.
    async fn begin_row(&mut self) -> Result<()> {
        match self.unwritten {
            Some(_) => self.record(self.progress.clone()).await,
            None => Ok(()),
        }
    }

    /// Says which statement is next, once.
    fn come_to(&mut self, at: usize) {
        if self.told != Some(at) {
            self.told = Some(at);
            (self.tell)(Told::Statement { number: at + 1, of: self.work.statements.len() });
        }
    }

    async fn unit(&mut self, unit: Unit) -> Result<()> {
        match unit {
            Unit::Session(at) if role(&self.work.statements[at]) == Role::NextTransaction => {
                self.next_transaction.push(at);
                Ok(())
            }
            Unit::Session(at) => {
                let work = self.work;
                let said = self.say(&work.statements[at]).await;
                self.or_failed(at, said).await
            }
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
    pub(super) async fn send(&mut self, at: usize) -> Result<()> {
        let work = self.work;
        for next in std::mem::take(&mut self.next_transaction) {
            self.say(&work.statements[next]).await?;
        }
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
        let sent = self.send(at).await;
        self.or_failed(at, sent).await
    }

    async fn or_failed(&mut self, at: usize, said: Result<()>) -> Result<()> {
        match said {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(at, error, Left::Nothing).await),
        }
    }

    /// A statement that leaves something in the session, and commits. It is recorded behind itself, so that a retry in this
    /// session does not send it again: a second `DROP TABLE` could meet a lasting table of that name.
    async fn state_alone(&mut self, at: usize) -> Result<()> {
        self.send_or_fail(at).await?;
        self.record_done(at).await
    }

    /// How far the script has got with the statements before this one.
    pub(super) fn done_before(&self, end: usize) -> Progress {
        let done = Done::of(self.work.texts()[..end].iter().copied());
        Progress { done, under_way: None, ..self.progress.clone() }
    }

    /// Writes how far the script has got.
    async fn record(&mut self, progress: Progress) -> Result<()> {
        match self.unwritten.take() {
            Some(beginning) => {
                progress::begin(self.session, self.work, (&self.id, beginning), &progress).await?;
            }
            None => progress::write(self.session, self.work.migration, &self.id, &progress).await?,
        }
        self.recorded_as(progress);
        Ok(())
    }

    /// Writes that a statement is done that nothing but its row tells of.
    async fn record_done(&mut self, at: usize) -> Result<()> {
        self.progress = self.done_before(at + 1);
        let (migration, id, progress) = (self.work.migration, &self.id, self.progress.clone());
        let write =
            async |session: &mut MysqlSession| progress::write(session, migration, id, &progress).await;
        self.session.patiently(write).await?;
        self.recorded_as(progress);
        Ok(())
    }

    /// What the next try of this session need not ask the row.
    fn known(&self) -> resume::Known {
        resume::Known {
            id: self.id.clone(),
            recorded: self.recorded.clone(),
            progress: self.progress.clone(),
        }
    }

    fn recorded_as(&mut self, progress: Progress) {
        self.recorded.clone_from(&progress);
        self.progress = progress;
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
            Role::Rows(names) => {
                self.untransactional_among(names, work.statements[at].database.as_deref()).await
            }
            _ => Ok(None),
        }
    }

    /// The same of rows of what has these names, with this database in use.
    async fn untransactional_among(
        &mut self,
        names: &BTreeSet<String>,
        database: Option<&str>,
    ) -> Result<Option<String>> {
        if self.untransactional.is_none() {
            self.untransactional = Some(Untransactional::look(self.session).await?);
        }
        let Some(known) = &self.untransactional else { return Ok(None) };
        let mut words = names.clone();
        words.insert(database.unwrap_or(&self.session.database).to_lowercase());
        let found = known.among(&words).or_else(|| known.has_history().then_some(HISTORY));
        Ok(found.map(|name| format!("a change of `{name}`, whose engine has no transactions,")))
    }

    /// `autocommit` is switched off instead of beginning a transaction, which would give up the locks of `LOCK TABLES`.
    async fn transaction(&mut self, range: std::ops::Range<usize>) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        self.session.execute("SET autocommit = 0").await?;
        for at in range.clone() {
            self.come_to(at);
            if let Err(error) = self.send(at).await {
                progress::roll_back(self.session, &error).await?;
                return Err(self.failed(range.start, error, Left::Nothing).await);
            }
        }
        let progress = self.done_before(range.end);
        match progress::write(self.session, self.work.migration, &self.id, &progress).await {
            Ok(()) => progress::commit(self.session, &self.id, &progress::says_done(&progress)).await?,
            Err(error) => {
                progress::roll_back(self.session, &error).await?;
                return Err(error);
            }
        }
        self.recorded_as(progress);
        Ok(())
    }

    /// A statement of which nobody can tell afterwards whether it took effect.
    async fn opaque(&mut self, at: usize, what: &str) -> Result<()> {
        self.come_to(at);
        if self.pending_at(at).is_some() {
            let why = format!(
                "{what} was under way when its runner died, and nothing tells whether it took effect"
            );
            return Err(self.stop(at, &why).await);
        }
        let wait = self.session.wait_without_ours(self.work, what).await?;
        self.record_under_way(at, Facts::new()).await?;
        self.untransactional = None;
        // Nothing is sent any more, or the server did not even begin: both are known to have done nothing.
        let is_sent = !self.session.is_cancelled();
        let sent = self.send(at).await;
        self.session.wait_as_before(wait).await;
        if let Err(error) = sent {
            progress::roll_back(self.session, &error).await?;
            if !is_sent || (waited_in_vain(&error) && needs_whole_table(what)) {
                self.progress.under_way = None;
                return Err(self.failed(at, error, Left::Nothing).await);
            }
            let left = format!("what {what} has left cannot be told");
            return Err(self.failed(at, error, Left::Something(left)).await);
        }
        // A routine may leave a transaction open: the record would be rolled back with it when the session ends.
        self.session.execute(sql::COMMIT).await?;
        self.record_done(at).await
    }

    /// A prepared statement is what its text is.
    async fn prepared(&mut self, at: usize, name: &str) -> Result<()> {
        let prepared = self.session.script.prepared.get(name).cloned();
        let database = prepared.as_ref().and_then(|prepared| prepared.database.clone());
        let server = self.session.server();
        let effect = prepared.and_then(|it| effect_of(&it.text, &server, it.database.as_deref()).ok());
        match effect {
            Some(Effect::Definition(definition)) => self.definition(at, &definition).await,
            Some(Effect::Repeatable | Effect::Setting | Effect::Carried | Effect::CarriedAlone) => {
                self.send_or_fail(at).await
            }
            Some(Effect::Data(data)) => {
                match self.untransactional_among(&data.names, database.as_deref()).await? {
                    Some(why) => self.opaque(at, &why).await,
                    None => self.transaction(at..at + 1).await,
                }
            }
            Some(Effect::Opaque(opaque)) => self.opaque(at, &opaque.what).await,
            Some(Effect::Control(_)) | None => self.opaque(at, "EXECUTE").await,
        }
    }

    /// What was known before this statement, if it was under way when an earlier runner died.
    pub(super) fn pending_at(&mut self, at: usize) -> Option<Facts> {
        self.pending
            .take_if(|(pending, _)| *pending <= at)
            .filter(|(pending, _)| *pending == at)
            .map(|(_, before)| before)
    }

    /// Every statement before this one is done, and this one may have been sent.
    pub(super) async fn record_under_way(&mut self, at: usize, before: Facts) -> Result<()> {
        let under_way = Some(UnderWay { before });
        self.record(Progress { under_way, ..self.done_before(at) }).await
    }
}
