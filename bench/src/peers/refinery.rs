//! refinery: a transaction for each file.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::{Server, Way};
use super::install::Crate;
use super::{programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct Refinery;

const CRATE: Crate =
    Crate { name: "refinery_cli", version: "0.10.0", features: "default", program: "refinery" };

impl Peer for Refinery {
    fn name(&self) -> &'static str {
        "refinery"
    }

    fn version(&self) -> &'static str {
        CRATE.version
    }

    /// No SQLite: its command line wants the file to be there.
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres, Kind::Mysql, Kind::Mariadb]
    }

    fn install(&self, tools: &Tools) -> Result<(), String> {
        CRATE.install(tools)
    }

    fn installed(&self, tools: &Tools) -> Vec<PathBuf> {
        vec![CRATE.program(tools)]
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        let name = |migration: &Migration| format!("V{}__{}.sql", migration.number, migration.name);
        texts::one_file_each(&project.join("migrations"), migrations, name, |migration| migration.sql.clone())
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = programs::command(&CRATE.program(tools));
        command.arg("--version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = programs::command(&CRATE.program(tools));
        command.current_dir(project).args(["migrate", "-e", "DATABASE_URL", "-p", "migrations"]);
        if let Way::Server(server) = Way::from(target) {
            command.env("DATABASE_URL", address(&server));
            if let Some(authority) = server.authority {
                // It trusts whom OpenSSL trusts, and has no option for another authority.
                command.env("SSL_CERT_FILE", authority);
            }
        }
        command
    }
}

fn address(server: &Server<'_>) -> String {
    match (server.kind, server.authority) {
        (Kind::Postgres, Some(_)) => server.url("postgres", "sslmode=require"),
        (Kind::Postgres, None) => server.url("postgres", "sslmode=disable"),
        // Here it has no way to encrypt: whoever compares encrypted connections has to leave it out.
        _ => server.url("mysql", ""),
    }
}
