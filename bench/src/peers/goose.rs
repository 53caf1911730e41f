//! goose: SQL files with an Up and a Down part, read statement by statement.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::Way;
use super::install::Module;
use super::{programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct Goose;

const MODULE: Module = Module {
    place: "goose",
    package: "github.com/pressly/goose/v3/cmd/goose",
    version: "3.29.0",
    // The slim build of its README, with the three databases that are measured.
    tags: "no_clickhouse no_libsql no_mssql no_vertica no_ydb",
    stamp: "main.version",
    program: "goose",
};

impl Peer for Goose {
    fn name(&self) -> &'static str {
        "goose"
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
        let name = |migration: &Migration| format!("{}.sql", texts::numbered(migration));
        texts::one_file_each(&project.join("migrations"), migrations, name, |migration| {
            format!("-- +goose Up\n{}\n\n-- +goose Down\nSELECT 1;\n", migration.sql)
        })
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = programs::command(&MODULE.program(tools));
        command.arg("-version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = programs::command(&MODULE.program(tools));
        command.current_dir(project).args(["-dir", "migrations"]);
        let (driver, address) = match Way::from(target) {
            Way::File(path) => ("sqlite3", path.display().to_string()),
            Way::Server(server) if server.kind == Kind::Postgres => ("postgres", server.postgres()),
            Way::Server(server) => {
                if let Some(authority) = server.authority {
                    command.arg("-certfile").arg(authority);
                }
                ("mysql", server.go_mysql("parseTime=true"))
            }
        };
        command.env("GOOSE_DRIVER", driver).env("GOOSE_DBSTRING", address).arg("up");
        command
    }
}
