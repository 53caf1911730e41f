//! The lock of a run: the one that Prisma takes, but asked for without waiting, and with its answer heard.

use plimsoll_core::{Code, Diagnostic};

use super::limits::by_default;
use super::{MysqlSession, error, sql};
use crate::backend::{Holder, Lock};
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Prisma's name for it. There is one for all databases of a server.
const NAME: &str = "prisma_migrate";

/// A condition that is true while this connection holds the lock. It belongs into every statement that writes.
pub(super) const HELD: &str = "IS_USED_LOCK('prisma_migrate') = CONNECTION_ID()";

/// Takes the lock if it is free.
pub(super) async fn try_take(session: &mut MysqlSession) -> Result<Lock> {
    // Asked for twice it would be held twice, and whoever waits for the connection's end would not mind.
    match value(session, &format!("SELECT GET_LOCK('{NAME}', 0)")).await?.as_deref() {
        Some("1") => {
            // Until a migration brings the limits of its run, what is written to the history waits for no lock without end.
            session.execute(&by_default(session.facts.own)).await?;
            session.limits_set = Limits::default();
            Ok(Lock::Taken)
        }
        Some(_) => Ok(Lock::Held),
        None => Err(Error::never(
            Diagnostic::new(Code::Database, "the server could not say whether the migration lock is free")
                .help("`GET_LOCK` answered NULL: the server is out of memory, or the statement was killed"),
        )),
    }
}

/// The one value that a query answers.
async fn value(session: &mut MysqlSession, query: &str) -> Result<Option<String>> {
    Ok(session.rows(query).await?.into_iter().flatten().flatten().next())
}

/// Who has the lock, as far as this user may know: of other users' connections only one with the right PROCESS.
pub(super) async fn holder(session: &mut MysqlSession) -> Result<Option<Holder>> {
    let Some(connection) = value(session, &format!("SELECT IS_USED_LOCK('{NAME}')")).await? else {
        return Ok(None);
    };
    // What another server may not have, or not show, leaves a holder with less to say.
    let seen = session
        .rows(&format!(
            "SELECT USER, HOST FROM information_schema.PROCESSLIST WHERE ID = {}",
            sql::text(&connection)
        ))
        .await;
    let named = session
        .rows(&format!(
            "SELECT ATTR_VALUE FROM performance_schema.session_account_connect_attrs \
             WHERE PROCESSLIST_ID = {} AND ATTR_NAME = 'program_name'",
            sql::text(&connection)
        ))
        .await;
    let mut seen = seen.unwrap_or_default().into_iter().flatten();
    let (user, host) = (seen.next().flatten(), seen.next().flatten());
    let name = named.unwrap_or_default().into_iter().flatten().flatten().next();
    Ok(Some(Holder {
        application: name.or(user).unwrap_or_default(),
        connection: Some(connection),
        address: host.filter(|host| !host.is_empty()),
        since: None,
        connected_for: None,
    }))
}

/// Fails unless this connection holds the lock.
pub(super) async fn check(session: &mut MysqlSession) -> Result<()> {
    let rows = session.rows(&format!("SELECT {HELD}")).await?;
    match rows.first().and_then(|row| row.first()?.as_deref()) {
        Some("1") => Ok(()),
        _ => Err(error::lock_lost()),
    }
}
