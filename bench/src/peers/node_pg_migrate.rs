//! node-pg-migrate: SQL files in Node. By default everything that is pending is one transaction.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::Way;
use super::install::{npm, place};
use super::{programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct NodePgMigrate;

const VERSION: &str = "9.0.0";
const DRIVER: &str = "pg@8.16.3";

/// Names begin with milliseconds; it takes other numbers for an index, and this is what its `create` makes.
const FIRST_NAME: u64 = 1_700_000_000_000;

fn node_pg_migrate(tools: &Tools) -> Command {
    let mut command = Command::new("node");
    command.arg(place(tools, "node-pg-migrate").join("node_modules/node-pg-migrate/bin/node-pg-migrate.js"));
    command
}

impl Peer for NodePgMigrate {
    fn name(&self) -> &'static str {
        "node-pg-migrate"
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres]
    }

    fn install(&self, tools: &Tools) -> Result<(), String> {
        npm(tools, "node-pg-migrate", &[&format!("node-pg-migrate@{VERSION}"), DRIVER])
    }

    fn installed(&self, tools: &Tools) -> Vec<PathBuf> {
        let mut installed = vec![place(tools, "node-pg-migrate").join("node_modules")];
        installed.extend(programs::find("node"));
        installed
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        let name = |migration: &Migration| {
            format!("{}_{}.sql", FIRST_NAME + u64::from(migration.number), migration.name)
        };
        texts::one_file_each(&project.join("migrations"), migrations, name, |migration| {
            format!("-- Up Migration\n{}\n\n-- Down Migration\n", migration.sql)
        })
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = node_pg_migrate(tools);
        command.arg("--version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = node_pg_migrate(tools);
        command.current_dir(project).args(["up", "--migrations-dir", "migrations"]);
        if let Way::Server(server) = Way::from(target) {
            command.env("DATABASE_URL", server.postgres());
        }
        command
    }
}
