//! Flyway: its command line, whole, with a transaction for each file.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::Way;
use super::install::{maven_archive, place};
use super::{java, programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct Flyway;

/// The newest whose command line is on Maven Central with everything that it needs.
const VERSION: &str = "11.8.2";

/// A script of the shell, which starts Java with every archive and driver of the distribution.
fn flyway(tools: &Tools) -> Command {
    let mut command = programs::command(&place(tools, "flyway").join("flyway"));
    // As little as it can be told to do besides: neither usage data nor a look for newer versions.
    command.env("REDGATE_DISABLE_TELEMETRY", "true");
    command
}

impl Peer for Flyway {
    fn name(&self) -> &'static str {
        "flyway"
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    /// No MySQL: in the distribution is only the driver of MariaDB.
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres, Kind::Mariadb, Kind::Sqlite]
    }

    fn install(&self, tools: &Tools) -> Result<(), String> {
        maven_archive(tools, "flyway", &format!("org.flywaydb:flyway-commandline:{VERSION}:tar.gz"))
    }

    fn installed(&self, tools: &Tools) -> Vec<PathBuf> {
        let mut installed = java::runtime();
        installed.push(place(tools, "flyway"));
        installed
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        let name = |migration: &Migration| format!("V{}__{}.sql", migration.number, migration.name);
        texts::one_file_each(&project.join("migrations"), migrations, name, |migration| migration.sql.clone())
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = flyway(tools);
        command.arg("--version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = flyway(tools);
        command.current_dir(project).args(["-locations=filesystem:migrations", "-skipCheckForUpdate"]);
        match Way::from(target) {
            Way::File(path) => {
                command.env("FLYWAY_URL", format!("jdbc:sqlite:{}", path.display()));
            }
            Way::Server(server) => {
                command.env("FLYWAY_URL", server.jdbc());
                command.env("FLYWAY_USER", server.user).env("FLYWAY_PASSWORD", server.password);
            }
        }
        command.arg("migrate");
        command
    }

    /// It waits twice as long after each attempt, unless it is told not to.
    fn waiting(&self, tools: &Tools, project: &Path, target: &Target) -> Option<Command> {
        let mut command = self.deploy(tools, project, target);
        command.args(["-connectRetries=60", "-connectRetriesInterval=1"]);
        Some(command)
    }
}
