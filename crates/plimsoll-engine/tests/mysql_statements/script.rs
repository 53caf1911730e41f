//! Which script is sent to whom.

use plimsoll_testkit::server::Flavour;

use crate::scripts::{BODIES, CLIENT, COMPOUND, Case, MESSAGES, OF_8_0_15, OF_8_0_31, OF_MARIADB, OF_MYSQL};

/// A script.
pub(crate) struct Script {
    pub(crate) name: String,
    /// The `sql_mode` that its session begins with.
    pub(crate) mode: &'static str,
    pub(crate) text: String,
}

fn scripts(cases: &[&[Case]]) -> Vec<Script> {
    let cases = cases.iter().copied().flatten();
    cases.map(|&(name, mode, text)| Script { name: name.to_owned(), mode, text: text.to_owned() }).collect()
}

/// Scripts for one message: as Prisma sends them.
pub(crate) fn for_server(flavour: Flavour) -> Vec<Script> {
    match flavour {
        Flavour::Mysql => scripts(&[MESSAGES, BODIES, OF_MYSQL, OF_8_0_31]),
        Flavour::OldMysql => scripts(&[MESSAGES, BODIES, OF_MYSQL, OF_8_0_15]),
        Flavour::Mariadb => scripts(&[MESSAGES, BODIES, OF_MARIADB, COMPOUND]),
    }
}

/// Scripts for the client program, which knows `DELIMITER`.
pub(crate) fn for_client() -> Vec<Script> {
    scripts(&[CLIENT])
}
