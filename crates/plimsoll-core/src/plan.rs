//! What is to be done, from what a project holds and what a database holds.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::history::{History, Row, RowState, Snapshot};
use crate::migration::{Migration, Migrations};
use crate::provider::Provider;

mod failed;
mod ways;

pub use failed::{Compared, FailedAttempt, statements_done};
pub(crate) use failed::{can_resume, failed};
pub use ways::{WayOn, by_hand};

/// What to do when the database stands at migrations that the project does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfAhead {
    /// Say nothing.
    Ok,
    /// Say so and go on. A rollback, or a late pod of the old release, is the everyday case.
    #[default]
    Warn,
    /// Apply nothing and fail.
    Refuse,
    /// Apply nothing until it is not ahead any more.
    Wait,
}

impl IfAhead {
    /// Every policy.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Refuse, Self::Wait];

    /// The word for it, in flags, variables and manifests.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Refuse => "refuse",
            Self::Wait => "wait",
        }
    }
}

/// What the comparison of a project's migrations with a database says is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// What to apply, in this order. Empty if anything blocks.
    pub steps: Vec<Step<'a>>,
    /// What forbids to apply anything.
    pub blocked: Option<Blocked>,
    /// Applied migrations whose script has been changed since. Prisma ignores them on deploy, and so do we.
    pub edited: Vec<&'a str>,
    /// Names in the history that the project does not have: the database is ahead of it.
    pub ahead: Vec<String>,
    /// Those of them that have not finished, as in [`Beyond::unfinished`].
    pub unfinished: Vec<String>,
}

impl Plan<'_> {
    /// Whether the database stands at the project's migrations, so that nothing needs to be done or said.
    pub fn is_up_to_date(&self) -> bool {
        self.steps.is_empty() && self.blocked.is_none()
    }
}

/// One migration to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// The row of an attempt that one of our runners left, to be taken up.
    pub resume: Option<&'a Row>,
    /// Whether the history has no row of it, not even of an attempt that was given up.
    pub is_new: bool,
}

/// Why nothing may be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// `migration_lock.toml` names another provider.
    ProviderMismatch {
        /// The provider of the schema.
        schema: Provider,
        /// The provider of the lock file, as written.
        lock: String,
    },
    /// There are tables, but no history.
    NotEmpty {
        /// Some of the tables.
        tables: Vec<String>,
    },
    /// The history holds attempts that have neither finished nor been given up.
    Failed(Vec<FailedAttempt>),
    /// There are such attempts, all of migrations that this project does not have, and it has some of its own to apply.
    FailedElsewhere(Vec<FailedAttempt>),
    /// The database is ahead, and the policy refuses that.
    Ahead(Beyond),
    /// The database is ahead, and the policy waits for that to pass.
    AheadForNow(Beyond),
}

/// What a database has that a project does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beyond {
    /// All such migrations.
    pub names: Vec<String>,
    /// Those of them that have neither finished nor been given up, and that no runner can take up: they are being applied, or
    /// their runner died in them.
    pub unfinished: Vec<String>,
}

/// Compares a project with a database.
///
/// Pending is each local migration without a row of its name that still counts, out-of-order ones included, as in
/// Prisma. The order is the project's. If anything blocks, no step is in the plan.
pub fn plan<'a>(
    migrations: &'a Migrations,
    provider: Provider,
    snapshot: &'a Snapshot,
    if_ahead: IfAhead,
) -> Plan<'a> {
    if let Snapshot::Exact = snapshot {
        return Plan { blocked: check_provider(migrations, provider), ..Plan::default() };
    }
    let history = snapshot.history();
    let beyond = beyond(migrations, history);
    let latest = latest_rows(history);
    let mut steps = steps(migrations, history, &latest);
    let blocked = blocked(migrations, provider, snapshot, &beyond, if_ahead, &steps);
    if blocked.is_some() {
        steps.clear();
    }
    Plan {
        steps,
        blocked,
        edited: changed(migrations, &latest),
        ahead: beyond.names,
        unfinished: beyond.unfinished,
    }
}

/// What the provider lock says, which has to be known before anything is done with a database.
pub fn check_provider(migrations: &Migrations, provider: Provider) -> Option<Blocked> {
    let lock = migrations.lock()?;
    let matches = lock.provider() == provider.lock_name();
    (!matches).then(|| Blocked::ProviderMismatch { schema: provider, lock: lock.provider().to_owned() })
}

fn blocked(
    migrations: &Migrations,
    provider: Provider,
    snapshot: &Snapshot,
    beyond: &Beyond,
    if_ahead: IfAhead,
    steps: &[Step<'_>],
) -> Option<Blocked> {
    if let Some(mismatch) = check_provider(migrations, provider) {
        return Some(mismatch);
    }
    if let Snapshot::Unmanaged { tables } = snapshot
        && !tables.is_empty()
    {
        return Some(Blocked::NotEmpty { tables: tables.clone() });
    }
    let failed = failed(migrations, snapshot.history());
    if failed.iter().any(|attempt| migrations.find(&attempt.migration).is_some()) {
        return Some(Blocked::Failed(failed));
    }
    // The attempts that are left are those of another release, and a rollback must be able to live with them. Whoever would
    // apply something on top of a migration that is half done cannot.
    match if_ahead {
        _ if beyond.names.is_empty() => None,
        IfAhead::Ok | IfAhead::Warn if failed.is_empty() || steps.is_empty() => None,
        IfAhead::Ok | IfAhead::Warn => Some(Blocked::FailedElsewhere(failed)),
        IfAhead::Refuse => Some(Blocked::Ahead(beyond.clone())),
        IfAhead::Wait => Some(Blocked::AheadForNow(beyond.clone())),
    }
}

fn beyond(migrations: &Migrations, history: &History) -> Beyond {
    let mut beyond = Beyond { names: ahead(migrations, history), unfinished: Vec::new() };
    let failed = failed(migrations, history).into_iter().map(|attempt| attempt.migration);
    for name in failed.filter(|name| migrations.find(name).is_none()) {
        for list in [&mut beyond.names, &mut beyond.unfinished] {
            if !list.contains(&name) {
                list.push(name.clone());
            }
        }
    }
    beyond
}

fn steps<'a>(migrations: &'a Migrations, history: &'a History, latest: &Latest<'a>) -> Vec<Step<'a>> {
    // Of a run without work nobody asks.
    let given_up = LazyCell::new(|| {
        let rows = history.rows().iter().filter(|row| row.state() == RowState::RolledBack);
        rows.map(|row| row.migration_name.as_str()).collect::<HashSet<_>>()
    });
    let step = |migration: &'a Migration| match latest.get(migration.name()) {
        Some(row) if row.state() == RowState::Applied => None,
        Some(&row) => Some(Step { migration, resume: Some(row), is_new: false }),
        None => Some(Step { migration, resume: None, is_new: !given_up.contains(migration.name()) }),
    };
    migrations.list().iter().filter_map(step).collect()
}

/// The rows that count, by name.
type Latest<'a> = HashMap<&'a str, &'a Row>;

/// The rows that count. An applied row wins over any other of its name: Prisma takes a migration for applied as soon as one such
/// row exists.
fn latest_rows(history: &History) -> Latest<'_> {
    let mut rows = HashMap::with_capacity(history.rows().len());
    for row in history.rows().iter().filter(|row| row.state() != RowState::RolledBack) {
        let entry = rows.entry(row.migration_name.as_str()).or_insert(row);
        if row.state() == RowState::Applied {
            *entry = row;
        }
    }
    rows
}

pub(crate) fn edited<'a>(migrations: &'a Migrations, history: &History) -> Vec<&'a str> {
    changed(migrations, &latest_rows(history))
}

/// Applied migrations whose script has been changed since.
fn changed<'a>(migrations: &'a Migrations, latest: &Latest<'_>) -> Vec<&'a str> {
    let changed = |migration: &&Migration| {
        let row = latest.get(migration.name()).filter(|row| row.state() == RowState::Applied);
        match (row, migration.script()) {
            (Some(row), Ok(script)) => !script.is_recorded_as(&row.checksum),
            _ => false,
        }
    };
    migrations.list().iter().filter(changed).map(Migration::name).collect()
}

pub(crate) fn ahead(migrations: &Migrations, history: &History) -> Vec<String> {
    let local: HashSet<&str> = migrations.list().iter().map(Migration::name).collect();
    let mut names: Vec<String> = Vec::new();
    let counts = |row: &&Row| row.state() == RowState::Applied || row.is_resumable();
    for row in history.rows().iter().filter(counts) {
        if !local.contains(row.migration_name.as_str()) && !names.contains(&row.migration_name) {
            names.push(row.migration_name.clone());
        }
    }
    names
}

impl Blocked {
    /// The error that people see.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::ProviderMismatch { schema, lock } => provider_mismatch(*schema, lock),
            Self::NotEmpty { tables } => not_empty(tables),
            Self::Failed(attempts) | Self::FailedElsewhere(attempts) => failed::diagnostic(attempts),
            Self::Ahead(beyond) => ahead_of_project(Code::DatabaseAhead, beyond),
            Self::AheadForNow(beyond) => ahead_of_project(Code::StillAhead, beyond)
                .help("or wait longer with `--lock-wait`: the next start waits again"),
        }
    }
}

fn provider_mismatch(schema: Provider, lock: &str) -> Diagnostic {
    let more = match (schema, lock) {
        (Provider::Cockroachdb, "postgresql") | (Provider::Postgresql, "cockroachdb") => {
            "Check out the following documentation for how to resolve this: https://pris.ly/d/cockroachdb-postgresql-provider"
        }
        _ => {
            "Please remove your current migration directory and start a new migration history with prisma migrate dev. Read more: https://pris.ly/d/migrate-provider-switch"
        }
    };
    Diagnostic::new(
        Code::ProviderMismatch,
        format!(
            "The datasource provider `{}` specified in your schema does not match the one specified in the migration_lock.toml, `{lock}`. {more}",
            schema.lock_name()
        ),
    )
    .help("the file must hold the line `provider = \"…\"`, with exactly one space on each side of `=`")
}

fn ahead_of_project(code: Code, beyond: &Beyond) -> Diagnostic {
    let names = list(&beyond.names);
    let mut message = format!("the database stands at migrations that this project does not have: {names}");
    if !beyond.unfinished.is_empty() {
        let _infallible = write!(message, "; begun and not finished: {}", list(&beyond.unfinished));
    }
    let diagnostic =
        Diagnostic::new(code, message).help("deploy the release that these migrations belong to");
    let diagnostic = match beyond.unfinished.first() {
        Some(name) => diagnostic.help(format!(
            "what is not finished is being applied, or its runner died in it; then somebody has to look at what of it is in \
             the database, undo that, and record it: `plimsoll resolve --rolled-back {name}`"
        )),
        None => diagnostic,
    };
    diagnostic.help("or go on all the same with `--if-ahead=warn`")
}

fn not_empty(tables: &[String]) -> Diagnostic {
    Diagnostic::new(
        Code::NotEmpty,
        "The database schema is not empty. Read more about how to baseline an existing production database: https://pris.ly/d/migrate-baseline",
    )
    .help(format!("there is no `_prisma_migrations`, but there are tables: {}", list(tables)))
    .help("if they are the work of the first migrations, record each of those: `plimsoll resolve --applied NAME`")
    .help("if they belong to something else, use a schema of its own (`?schema=NAME` in the URL)")
}

/// Names in backticks, the first few of many.
fn list(names: &[String]) -> String {
    const MOST: usize = 8;
    let shown = names.iter().take(MOST).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MOST) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests;
