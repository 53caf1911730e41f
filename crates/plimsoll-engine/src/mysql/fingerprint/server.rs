//! Who says what the catalog says. Every version has its own words for the same definition, and some things are shown to some
//! users only.

use plimsoll_core::script::mysql::{Definition, Flavour, ObjectKind, Objects, Verb};

use super::super::MysqlSession;
use crate::error::Result;

/// The name under which the server is remembered, beside the objects.
pub(in crate::mysql) const SERVER: &str = "the server";

/// The server's version, and the user, where it matters who asks; for a table that is emptied which of all servers it is.
pub(super) async fn of(session: &mut MysqlSession, definition: &Definition) -> Result<String> {
    if definition.verb == Verb::Empty {
        return identity(session).await;
    }
    let version = session.facts.version.clone();
    if !depends_on_the_user(&definition.objects) {
        return Ok(version);
    }
    let user = session.rows("SELECT CURRENT_USER()").await?;
    Ok([version].into_iter().chain(user.into_iter().flatten().flatten()).collect::<Vec<_>>().join(" "))
}

/// What only this server has, and this database on it. Files have other numbers on a copy of it: a replica, a dump.
async fn identity(session: &mut MysqlSession) -> Result<String> {
    let own = match session.server().flavour {
        Flavour::Mysql => "@@server_uuid",
        Flavour::Mariadb => "CONCAT_WS(' ', @@hostname, @@port, @@datadir)",
    };
    let own = session.rows(&format!("SELECT {own}")).await?;
    let texts: Vec<_> = own.into_iter().flatten().flatten().chain([session.database.clone()]).collect();
    Ok(super::hash(&texts))
}

/// Whether a user with fewer rights is told less, instead of being refused.
fn depends_on_the_user(objects: &Objects) -> bool {
    use ObjectKind::{Event, Function, Procedure, Trigger};
    match objects {
        Objects::Named(objects) => {
            objects.iter().any(|object| matches!(object.kind, Procedure | Function | Trigger | Event))
        }
        Objects::Unknown => true,
    }
}
