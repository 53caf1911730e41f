//! golang-migrate: a file for the way up, sent as one message, between two writes of its version.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::{Way, escaped};
use super::install::Module;
use super::{programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct GolangMigrate;

const MODULE: Module = Module {
    place: "golang-migrate",
    package: "github.com/golang-migrate/migrate/v4/cmd/migrate",
    version: "4.20.1",
    // Files are always there. `sqlite` is the driver without C.
    tags: "postgres mysql sqlite",
    stamp: "main.Version",
    program: "migrate",
};

impl Peer for GolangMigrate {
    fn name(&self) -> &'static str {
        "golang-migrate"
    }

    fn version(&self) -> &'static str {
        MODULE.version
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres, Kind::Mysql, Kind::Mariadb, Kind::Sqlite]
    }

    fn install(&self, tools: &Tools) -> Result<(), String> {
        MODULE.install(tools)
    }

    fn installed(&self, tools: &Tools) -> Vec<PathBuf> {
        vec![MODULE.program(tools)]
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        let name = |migration: &Migration| format!("{}.up.sql", texts::numbered(migration));
        texts::one_file_each(&project.join("migrations"), migrations, name, |migration| migration.sql.clone())
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = programs::command(&MODULE.program(tools));
        command.arg("-version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let address = match Way::from(target) {
            Way::File(path) => format!("sqlite://{}", path.display()),
            Way::Server(server) if server.kind == Kind::Postgres => server.postgres(),
            Way::Server(server) => {
                let encryption = server.authority.map_or_else(String::new, |authority| {
                    format!("tls=bench&x-tls-ca={}", escaped(&authority.display().to_string()))
                });
                format!("mysql://{}", server.go_mysql(&encryption))
            }
        };
        let mut command = programs::command(&MODULE.program(tools));
        command.current_dir(project).args(["-path", "migrations", "-database", &address, "up"]);
        command
    }
}
