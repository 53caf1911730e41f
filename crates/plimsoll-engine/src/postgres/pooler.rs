//! Poolers: whether the connection is one that stays ours, and what is done where it is not.
//!
//! A pooler that hands its connections on after each transaction takes a session's lock away from whoever took it, and leaves it on a
//! connection that somebody else gets. So a session takes its lock for longer than a transaction only where that cannot happen:
//!
//! * on a connection of the server itself, which says the same number of its process as it gave out at first;
//! * behind a pooler that has been seen to keep the connection for us ([`kept`]).
//!
//! Everywhere else the lock is taken anew inside of each transaction, and the history is read again there. Settings are those of the
//! transaction as well, and nothing is relied on between two messages.
//!
//! A script that ended that transaction unseen would give up the lock in its middle, and the next runner would begin it again before
//! anything says so. So there its strings have to end where we see them end: a backslash in a plain string is the one thing that the
//! server may read in another way.

mod kept;

use plimsoll_core::plan::Plan;
use plimsoll_core::script::postgres::{backslash_in_string, needs_own_connection};
use plimsoll_core::url::postgres::Pooler;
use plimsoll_core::{Code, Diagnostic, Migration, Script};
use tokio_postgres::error::SqlState;

use super::error::{LOCK_BUSY, OTHER_STRINGS};
use super::{LOCK_KEY, PostgresSession};
use crate::error::{Error, Kind, Result};
use kept::Seen;

/// For how long the lock is held at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// From one message to the next, until the session ends.
    Session,
    /// For one transaction, in which all that it protects is done.
    Transaction,
}

/// What the plan asks of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// One transaction for each migration.
    Transactions,
    /// That it stays the same: a script has to be run in parts.
    OwnConnection,
}

impl Needs {
    pub(super) fn of(plan: &Plan<'_>) -> Self {
        let alone = |script: &Script| needs_own_connection(script.text()).is_some();
        let needs =
            plan.steps.iter().any(|step| step.resume.is_some() || step.migration.script().is_ok_and(alone));
        if needs { Self::OwnConnection } else { Self::Transactions }
    }
}

/// Whether there is, or is said to be, a pooler before the server. The history has been read by then.
pub(super) fn is_there(session: &PostgresSession) -> bool {
    session.pooler == Pooler::Announced || session.key.is_none() || session.key != session.facts.process
}

/// Decides for how long this session holds the lock: once, and again if more is needed of a connection that may be shared.
///
/// Where no pooler is, the scripts are not looked through for it.
pub(super) async fn decide(session: &mut PostgresSession, plan: Option<&Plan<'_>>) -> Result<()> {
    match session.hold {
        Some(Hold::Session) => return Ok(()),
        None if !is_there(session) => {
            session.hold = Some(Hold::Session);
            return Ok(());
        }
        _ => {}
    }
    let needs = plan.map_or(Needs::Transactions, Needs::of);
    if session.hold.is_some() && !is_outgrown(session, needs) {
        return Ok(());
    }
    let hold = if !is_there(session) {
        Hold::Session
    } else if needs == Needs::OwnConnection {
        match kept::look(session).await? {
            Seen::Kept => Hold::Session,
            Seen::Shared => for_transactions(session).await?,
            Seen::Nothing => return Err(no_second_connection()),
        }
    } else {
        for_transactions(session).await?
    };
    (session.hold, session.needs) = (Some(hold), needs);
    Ok(())
}

/// Whether a lock that is held for one transaction at a time was all that was asked for, and now is too little.
fn is_outgrown(session: &PostgresSession, needs: Needs) -> bool {
    session.hold == Some(Hold::Transaction)
        && session.needs == Needs::Transactions
        && needs == Needs::OwnConnection
}

/// Whether the lock, as it is held, is good for this plan.
pub(super) fn serves(session: &PostgresSession, plan: &Plan<'_>) -> bool {
    session.hold != Some(Hold::Transaction) || !is_outgrown(session, Needs::of(plan))
}

async fn for_transactions(session: &PostgresSession) -> Result<Hold> {
    takes_transactions(session).await?;
    Ok(Hold::Transaction)
}

/// A full pool: it passes, and this connection is given back meanwhile, since another runner may be waiting for it.
fn no_second_connection() -> Error {
    let message = "the pooler has no second connection to spare, and without one it cannot be seen whether it keeps \
                   connections apart, as a script here needs";
    let diagnostic = with_ways(Diagnostic::new(Code::Unreachable, message))
        .help("or let its pool have more connections, or wait longer with `--wait`")
        .help("nothing was applied");
    Error::new(Kind::NotYet, diagnostic)
}

/// A pooler in statement mode ends the connection of a client that begins a transaction.
async fn takes_transactions(session: &PostgresSession) -> Result<()> {
    match session.client.batch_execute("BEGIN").await {
        Ok(()) => session.execute("ROLLBACK").await,
        Err(found) if found.as_db_error().is_some_and(refuses_transactions) => {
            Err(Error::never(no_transactions(found.to_string())))
        }
        Err(found) => Err(session.error(&found)),
    }
}

/// The code is what PgBouncer says for all that it does not do; a lost server has it too, in other words.
fn refuses_transactions(found: &tokio_postgres::error::DbError) -> bool {
    *found.code() == SqlState::PROTOCOL_VIOLATION && found.message().contains("transaction")
}

/// A statement that takes the lock for the transaction that it is in, and fails if somebody else has it.
pub(super) fn take_for_transaction() -> String {
    format!(
        "SELECT CASE WHEN l.ours THEN 0 ELSE ('{LOCK_BUSY} ' || l.ours)::pg_catalog.int4 END \
         FROM (SELECT pg_catalog.pg_try_advisory_xact_lock({LOCK_KEY}) AS ours OFFSET 0) l;"
    )
}

/// What a message begins with that has to be written whoever holds the lock for the moment: it waits its turn.
///
/// The others ask without waiting, and hold the lock for one migration at a time. It is for a script that has ended its transaction
/// though nothing of it let that be feared.
pub(super) fn wait_for_turn() -> String {
    format!(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;SET LOCAL lock_timeout = '60s';\
         SELECT pg_catalog.pg_advisory_xact_lock({LOCK_KEY});"
    )
}

/// Refuses a script for which a transaction is not enough, where there is nothing else to be had.
pub(super) fn check(
    session: &PostgresSession,
    migration: &Migration,
    script: &Script,
) -> std::result::Result<(), Diagnostic> {
    if session.hold != Some(Hold::Transaction) {
        return Ok(());
    }
    let text = script.text();
    let (what, span) = match needs_own_connection(text) {
        Some(reason) => (reason.what, reason.span),
        None if session.reads_strings_as_we_do(script) => return Ok(()),
        None => (STRINGS, backslash_in_string(text).unwrap_or_default()),
    };
    let diagnostic = shared(migration, what).help("nothing was applied");
    Err(match migration.place(span) {
        Some(place) => diagnostic.at(place),
        None => diagnostic,
    })
}

/// Why a script cannot be trusted to stay in the transaction that it is put into.
const STRINGS: &str =
    "a string of it has a backslash and may end elsewhere, since `standard_conforming_strings` is off";

/// A statement that fails if this connection of the pool reads a backslash in another way than the one that was asked before: whoever
/// had it last may have set it. Its answer is waited for before the script is sent.
pub(super) fn strings_guard(session: &PostgresSession, script: &Script) -> String {
    if session.hold != Some(Hold::Transaction) || backslash_in_string(script.text()).is_none() {
        return String::new();
    }
    format!(
        "SELECT CASE s.setting WHEN 'on' THEN 0 ELSE ('{OTHER_STRINGS} ' || s.setting)::pg_catalog.int4 END \
         FROM (SELECT pg_catalog.current_setting('standard_conforming_strings') AS setting OFFSET 0) s;"
    )
}

/// The error of a script that met that guard. It passes: the next connection of the pool may be one that nobody has changed.
pub(super) fn other_strings(migration: &Migration) -> Error {
    let message = format!(
        "migration `{}` was not sent: a string of it has a backslash, and on this connection of the pooler somebody has switched \
         `standard_conforming_strings` off",
        migration.name()
    );
    let diagnostic = with_ways(Diagnostic::new(Code::MigrationBlocked, message))
        .help("or have the pooler close this connection (PgBouncer: `RECONNECT`)")
        .help("nothing of this migration was applied");
    Error::new(Kind::Again, diagnostic)
}

/// The same of what only the server, or another runner's row, could tell.
pub(super) fn check_parts(session: &PostgresSession, migration: &Migration, what: &str) -> Result<()> {
    if session.hold != Some(Hold::Transaction) {
        return Ok(());
    }
    Err(Error::never(shared(migration, what).help("nothing of this migration was applied")))
}

fn shared(migration: &Migration, what: &str) -> Diagnostic {
    let message = format!(
        "migration `{}` needs a connection of its own ({what}), and there is a pooler that shares its connections",
        migration.name()
    );
    with_ways(Diagnostic::new(Code::PoolerShares, message))
        .help("or have the pooler use `pool_mode = session` for this database")
}

fn no_transactions(said: String) -> Diagnostic {
    let message = "the pooler before the database takes no transactions, and each migration is one";
    with_ways(Diagnostic::new(Code::PoolerTakesNoTransactions, message))
        .help("or have the pooler use `pool_mode = transaction` for this database")
        .help(said)
        .help("nothing was applied")
}

/// How to get around the pooler.
fn with_ways(diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.help("give the database's own address: `directUrl` in the datasource, or `--url`")
}

/// Somebody else holds the lock in the moment in which a transaction wanted it.
pub(super) fn busy() -> Error {
    Error::new(
        Kind::Busy,
        Diagnostic::new(
            Code::LockTimeout,
            "Timed out trying to acquire the migration lock, which another runner holds",
        )
        .help("let the holder finish, or end it if it is stuck: the lock is freed with its connection")
        .help("then start again, or wait longer with `--lock-wait`"),
    )
}

/// What is worth a line, once.
pub(super) fn note(session: &mut PostgresSession) -> Option<&'static str> {
    let is_shared = session.hold == Some(Hold::Transaction);
    (is_shared && !std::mem::replace(&mut session.told, true)).then_some(
        "there is a pooler before the database: each migration takes the lock inside of its own transaction",
    )
}
