//! The role in which a session acts (`SET ROLE`): no variable shows it, or puts it back.

use plimsoll_core::script::mysql::{Flavour, Server};

use crate::error::{Kind, Result};
use crate::mysql::{MysqlSession, sql};

/// What tells the role of the session.
pub(super) fn role_of(server: Server) -> &'static str {
    match server.flavour {
        Flavour::Mysql if server.version < 80_000 => "NULL",
        Flavour::Mysql | Flavour::Mariadb => "CURRENT_ROLE()",
    }
}

/// The role of the session, as `SET ROLE` takes it.
pub(super) async fn role(session: &mut MysqlSession) -> Result<String> {
    let rows = session.rows(&format!("SELECT {}", role_of(session.server()))).await?;
    Ok(as_taken(session.server(), rows.into_iter().flatten().next().flatten()))
}

/// What `SET ROLE` takes for what a server tells: MySQL tells `NONE`, or the quoted names of several.
pub(super) fn as_taken(server: Server, told: Option<String>) -> String {
    match (server.flavour, told) {
        (_, None) => "NONE".to_owned(),
        (Flavour::Mysql, Some(roles)) => roles,
        (Flavour::Mariadb, Some(role)) => sql::name(&role),
    }
}

/// Takes a role that the session has had. One that has been taken away meanwhile is none any more.
pub(super) async fn act_as(session: &mut MysqlSession, role: &str) -> Result<()> {
    match session.execute(&format!("SET ROLE {role}")).await {
        Err(error) if matches!(error.kind, Kind::Lost | Kind::Cancelled) => Err(error),
        _ => Ok(()),
    }
}
