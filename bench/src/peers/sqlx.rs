//! sqlx-cli: one message and one transaction for each file.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::{Server, Way};
use super::install::Crate;
use super::{programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct Sqlx;

const CRATE: Crate =
    Crate { name: "sqlx-cli", version: "0.9.0", features: "postgres,mysql,sqlite,rustls", program: "sqlx" };

fn mysql(server: &Server<'_>) -> String {
    match server.authority {
        Some(authority) => {
            server.url("mysql", &format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={}", authority.display()))
        }
        None => server.url("mysql", "ssl-mode=DISABLED"),
    }
}

impl Peer for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx"
    }

    fn version(&self) -> &'static str {
        CRATE.version
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres, Kind::Mysql, Kind::Mariadb, Kind::Sqlite]
    }

    fn install(&self, tools: &Tools) -> Result<(), String> {
        CRATE.install(tools)
    }

    fn installed(&self, tools: &Tools) -> Vec<PathBuf> {
        vec![CRATE.program(tools)]
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        let name = |migration: &Migration| format!("{}.sql", texts::numbered(migration));
        texts::one_file_each(&project.join("migrations"), migrations, name, |migration| migration.sql.clone())
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = programs::command(&CRATE.program(tools));
        command.arg("--version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let address = match Way::from(target) {
            // `rwc` makes the file, which `migrate run` by itself does not.
            Way::File(path) => format!("sqlite:{}?mode=rwc", path.display()),
            Way::Server(server) if server.kind == Kind::Postgres => server.postgres(),
            Way::Server(server) => mysql(&server),
        };
        let mut command = programs::command(&CRATE.program(tools));
        command.current_dir(project).env("DATABASE_URL", address);
        command.args(["migrate", "run", "--source", "migrations"]);
        command
    }

    /// It tries for ten seconds by itself.
    fn waiting(&self, tools: &Tools, project: &Path, target: &Target) -> Option<Command> {
        let mut command = self.deploy(tools, project, target);
        command.args(["--connect-timeout", "60"]);
        Some(command)
    }
}
