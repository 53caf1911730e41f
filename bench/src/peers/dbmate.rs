//! dbmate: a transaction for each file. Its package of npm holds the static program.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::Way;
use super::install::{npm, place};
use super::{programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct Dbmate;

const VERSION: &str = "2.36.0";

/// The program itself: what npm calls `dbmate` is a script of Node that starts it.
fn program(tools: &Tools) -> PathBuf {
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    place(tools, "dbmate").join(format!("node_modules/@dbmate/linux-{processor}/bin/dbmate"))
}

/// `arguments` stand before the command, as its global options have to.
fn dbmate(tools: &Tools, project: &Path, target: &Target, arguments: &[&str]) -> Command {
    let mut command = programs::command(&program(tools));
    let address = match Way::from(target) {
        Way::File(path) => format!("sqlite:{}", path.display()),
        Way::Server(server) if server.kind == Kind::Postgres => server.postgres(),
        Way::Server(server) => {
            // It has no option for an authority; Go trusts whom this names.
            command.envs(server.authority.map(|authority| ("SSL_CERT_FILE", authority)));
            server.url("mysql", if server.authority.is_some() { "tls=true" } else { "tls=false" })
        }
    };
    command.current_dir(project).env("DATABASE_URL", address);
    // `up` would look whether the database has to be created; it is there.
    command.args(["--migrations-dir", "migrations", "--no-dump-schema"]).args(arguments).arg("migrate");
    command
}

impl Peer for Dbmate {
    fn name(&self) -> &'static str {
        "dbmate"
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres, Kind::Mysql, Kind::Mariadb, Kind::Sqlite]
    }

    fn install(&self, tools: &Tools) -> Result<(), String> {
        npm(tools, "dbmate", &[&format!("dbmate@{VERSION}")])
    }

    fn installed(&self, tools: &Tools) -> Vec<PathBuf> {
        vec![program(tools)]
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        let name = |migration: &Migration| format!("{}.sql", texts::numbered(migration));
        texts::one_file_each(&project.join("migrations"), migrations, name, |migration| {
            format!("-- migrate:up\n{}\n\n-- migrate:down\n", migration.sql)
        })
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = programs::command(&program(tools));
        command.arg("--version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        dbmate(tools, project, target, &[])
    }

    fn waiting(&self, tools: &Tools, project: &Path, target: &Target) -> Option<Command> {
        Some(dbmate(tools, project, target, &["--wait"]))
    }
}
