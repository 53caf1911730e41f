//! Applying one migration.
//!
//! A script that only reads and changes rows of transactional tables is one transaction with its history row. Every other
//! is carried out statement by statement (`steps`), because the server commits a definition by itself.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::plan::Step;
use plimsoll_core::script::mysql::{Caveat, Server, Statement, Thing, refusing_a_transaction, split};
use plimsoll_core::{Diagnostic, Migration, Script};

use super::failure::statement_failed;
use super::role::{Role, role};
use super::settings::{Settings, Touched};
use super::transactional::Untransactional;
use super::units::units;
use super::{MysqlSession, progress, resume, sql, steps};
use crate::backend::Tell;
use crate::error::{Error, Kind, Result};
use crate::failure::UNTOUCHED;

/// The history table, whose engine counts as well.
pub(super) const HISTORY: &str = "_prisma_migrations";

/// One migration to apply.
pub(super) struct Work<'a> {
    pub(super) migration: &'a Migration,
    pub(super) script: &'a Script,
    pub(super) statements: Vec<Statement<'a>>,
    /// The id of its history row.
    pub(super) id: &'a str,
}

impl<'a> Work<'a> {
    /// Reads a script as this server does.
    fn new(
        session: &MysqlSession,
        migration: &'a Migration,
        script: &'a Script,
        id: &'a str,
    ) -> std::result::Result<Self, Diagnostic> {
        let statements =
            split(script.text(), &session.server()).map_err(|refusal| refusal.diagnostic(migration))?;
        Ok(Self { migration, script, statements, id })
    }

    /// The texts by which the statements that are done are counted.
    pub(super) fn texts(&self) -> Vec<&'a str> {
        self.statements.iter().map(|statement| statement.text).collect()
    }
}

impl MysqlSession {
    /// How this server reads scripts.
    pub(super) fn server(&self) -> Server {
        Server::parse(&self.facts.version, &self.facts.sql_mode)
    }
}

/// Refuses a script that could not be run, before anything is run.
pub(super) fn check(
    session: &MysqlSession,
    migration: &Migration,
    script: &Script,
) -> std::result::Result<(), Diagnostic> {
    let work = Work::new(session, migration, script, "")?;
    units(migration, &work.statements, 0).map(drop)
}

/// What of a script outlives a try that failed for a reason that passes.
#[derive(Default)]
pub(super) struct ScriptState {
    /// The migration that is tried again, and whether its session is still what it was where the try began.
    unfinished: Option<(String, resume::Session)>,
    /// Whether what is sent again may be sent to this session as it is.
    pub(super) session_is: resume::Session,
    /// How far the try has got, as this session knows.
    pub(super) known: Option<resume::Known>,
    /// What its session was before it, if it may have changed that.
    pub(super) settings: Option<Settings>,
    /// Whether it may have changed settings of its session by now.
    pub(super) touched: Touched,
    /// Prepared statements, by name.
    pub(super) prepared: BTreeMap<String, Prepared>,
}

/// What a script has prepared.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) text: String,
    /// The database that was in use then: the server goes back to it for each `EXECUTE`.
    pub(super) database: Option<String>,
}

/// Applies one migration as its script demands.
pub(super) async fn apply(
    session: &mut MysqlSession,
    step: &Step<'_>,
    id: &str,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let migration = step.migration;
    let Ok(script) = migration.script() else { return Err(Error::overtaken()) };
    let work = Work::new(session, migration, script, id).map_err(Error::never)?;
    session.set_lock_timeouts(script).await?;
    if work.statements.iter().all(is_definition_alone) {
        session.know_settings().await?;
    } else {
        session.forget_settings().await?;
    }
    let unfinished = session.script.unfinished.take().filter(|(name, _)| name == migration.name());
    let alone = work.statements.iter().all(|statement| role(statement).leaves_session_alone());
    let touched = if alone { Touched::No } else { Touched::Yes };
    if touched == Touched::Yes && session.script.settings.is_none() {
        session.script.settings = Some(Settings::remember(session).await?);
    }
    session.script.touched = touched;
    if unfinished.is_none() {
        session.script.known = None;
    }
    let begun = step.resume.is_some() || unfinished.is_some();
    let session_is = unfinished.map_or(resume::Session::Another, |(_, session_is)| session_is);
    session.script.session_is = resume::Session::Another;
    let in_steps = begun || !is_atomic(session, &work).await?;
    let result = if in_steps {
        steps::run(session, &work, session_is, step.is_new && !begun, tell).await
    } else {
        atomic(session, &work).await
    };
    match &result {
        Err(error) if error.kind == Kind::Lost => {}
        Err(error) if error.kind == Kind::Again && in_steps => try_again(session, &work).await?,
        _ => clean(session, &work).await?,
    }
    result
}

/// Whether a statement changes the catalog and nothing else: what a definition reads may call functions, which may set whatever they
/// want, as triggers and procedures do.
fn is_definition_alone(statement: &Statement<'_>) -> bool {
    matches!(role(statement), Role::Definition(definition) if !definition.caveats.contains(&Caveat::Rows))
}

/// Leaves the session as the next try needs it: a rollback takes back rows, but neither user variables nor temporary tables.
async fn try_again(session: &mut MysqlSession, work: &Work<'_>) -> Result<()> {
    let (session_is, known) = (session.script.session_is, session.script.known.take());
    if session_is == resume::Session::Another {
        clean(session, work).await?;
    }
    session.script.known = known;
    session.script.unfinished = Some((work.migration.name().to_owned(), session_is));
    Ok(())
}

/// Puts back what a script has changed of its session.
pub(super) async fn clean(session: &mut MysqlSession, work: &Work<'_>) -> Result<()> {
    let Some(settings) = std::mem::take(&mut session.script).settings else { return Ok(()) };
    settings.restore(session).await?;
    let things: BTreeSet<_> = work.statements.iter().flat_map(|statement| &statement.links.leaves).collect();
    for undo in things.into_iter().filter_map(undo) {
        // What the script has taken away by itself is not there any more.
        let _gone = session.execute(&undo).await;
    }
    Ok(())
}

/// What takes something out of the session that a script left in it.
fn undo(thing: &Thing) -> Option<String> {
    match thing {
        Thing::Variable(name) => Some(format!("SET @{} = NULL", sql::name(name))),
        Thing::TemporaryTable(name) => Some(format!("DROP TEMPORARY TABLE IF EXISTS {}", sql::name(name))),
        Thing::Prepared(name) => Some(format!("DEALLOCATE PREPARE {}", sql::name(name))),
        Thing::Handler(name) => Some(format!("HANDLER {} CLOSE", sql::name(name))),
        _ => None,
    }
}

/// Whether a script and its history row can be one transaction: it only reads and changes rows, in tables that take part in
/// one, or does nothing at all.
async fn is_atomic(session: &mut MysqlSession, work: &Work<'_>) -> Result<bool> {
    if !refusing_a_transaction(&work.statements).is_empty() {
        return Ok(false);
    }
    let rows: Vec<_> = work.statements.iter().filter_map(names).collect();
    if rows.is_empty() {
        return Ok(true);
    }
    let databases = work.statements.iter().filter_map(|statement| statement.database.as_ref());
    let mut words: BTreeSet<String> = rows.into_iter().flatten().cloned().collect();
    words.extend(databases.chain([&session.database]).map(|name| name.to_lowercase()));
    let untransactional = Untransactional::look(session).await?;
    Ok(untransactional.among(&words).is_none() && !untransactional.has_history())
}

fn names<'a>(statement: &'a Statement<'_>) -> Option<&'a BTreeSet<String>> {
    match role(statement) {
        Role::Rows(names) => Some(names),
        _ => None,
    }
}

/// Script and history row as one transaction. Transactions of the script's own are part of it.
async fn atomic(session: &mut MysqlSession, work: &Work<'_>) -> Result<()> {
    progress::unrecorded(session, work.migration).await?;
    session.execute("SET autocommit = 0").await?;
    match statements_and_row(session, work).await {
        Ok(()) => progress::commit(session, work.id, progress::FINISHED).await,
        Err(error) => {
            progress::roll_back(session, &error).await?;
            Err(error)
        }
    }
}

async fn statements_and_row(session: &mut MysqlSession, work: &Work<'_>) -> Result<()> {
    for statement in &work.statements {
        if matches!(role(statement), Role::Begin | Role::Commit) {
            continue;
        }
        if let Err(found) = session.send(statement.text).await {
            let error = statement_failed(session, work, statement, &found);
            return Err(match error.kind {
                Kind::Script => Error { diagnostic: Box::new(error.diagnostic.help(UNTOUCHED)), ..error },
                _ => error,
            });
        }
    }
    progress::insert_finished(session, work).await
}
