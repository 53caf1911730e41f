//! tern: PostgreSQL alone, by the author of Go's driver for it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::Way;
use super::install::Module;
use super::{programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct Tern;

const MODULE: Module = Module {
    place: "tern",
    package: "github.com/jackc/tern/v2",
    version: "2.3.4",
    tags: "",
    stamp: "",
    program: "tern",
};

impl Peer for Tern {
    fn name(&self) -> &'static str {
        "tern"
    }

    fn version(&self) -> &'static str {
        MODULE.version
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres]
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
            format!("{}\n\n---- create above / drop below ----\n\nSELECT 1;\n", migration.sql)
        })
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = programs::command(&MODULE.program(tools));
        command.arg("version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = programs::command(&MODULE.program(tools));
        command.current_dir(project).args(["migrate", "--migrations", "migrations"]);
        if let Way::Server(server) = Way::from(target) {
            command.args(["--conn-string", &server.postgres()]);
        }
        command
    }
}
