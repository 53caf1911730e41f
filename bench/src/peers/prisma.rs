//! Prisma's own `migrate deploy`, the runner that Plimsoll takes the place of.
//!
//! The packages, their lock file and the configuration are those that the tests take turns with. Prisma's native engine is on
//! no package registry: it is the same engine as WebAssembly, which its command line carries. What that does otherwise than the
//! native one is mended in the configuration.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::Way;
use super::install::{lock_file, place};
use super::{programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct Prisma;

const VERSION: &str = "6.19.3";
const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("../../../testbed/prisma/package.json")),
    ("package-lock.json", include_str!("../../../testbed/prisma/package-lock.json")),
    ("prisma.config.ts", include_str!("../../../testbed/prisma/prisma.config.ts")),
];

/// Migrations are named after a time; their order is all that matters.
const FIRST_NAME: u64 = 20_240_101_000_000;

/// `prisma`, without the link of npm in front of it.
fn prisma(tools: &Tools) -> Command {
    let (home, mut command) = (place(tools, "prisma"), Command::new("node"));
    command.arg(home.join("node_modules/prisma/build/index.js"));
    for engine in ["PRISMA_QUERY_ENGINE_LIBRARY", "PRISMA_SCHEMA_ENGINE_BINARY"] {
        // It would download an engine if this named no file; it never runs it.
        command.env(engine, "/bin/true");
    }
    command.env("CHECKPOINT_DISABLE", "1").env("PRISMA_HIDE_UPDATE_MESSAGE", "1");
    command
}

fn provider(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgresql",
        Kind::Mysql | Kind::Mariadb => "mysql",
        Kind::Sqlite => "sqlite",
    }
}

impl Peer for Prisma {
    fn name(&self) -> &'static str {
        "prisma"
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    /// No MySQL: the engine as WebAssembly crashes with its adapter.
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres, Kind::Sqlite]
    }

    fn install(&self, tools: &Tools) -> Result<(), String> {
        lock_file(tools, "prisma", &FILES)
    }

    fn installed(&self, tools: &Tools) -> Vec<PathBuf> {
        let mut installed = vec![place(tools, "prisma").join("node_modules")];
        installed.extend(programs::find("node"));
        installed
    }

    fn write(&self, project: &Path, migrations: &[Migration], kind: Kind) -> io::Result<()> {
        let (directory, provider) = (project.join("prisma"), provider(kind));
        let datasource = format!(
            "datasource db {{\n  provider = \"{provider}\"\n  url      = env(\"DATABASE_URL\")\n}}\n"
        );
        texts::write(&directory.join("schema.prisma"), &datasource)?;
        let lock = format!("provider = \"{provider}\"\n");
        texts::write(&directory.join("migrations/migration_lock.toml"), &lock)?;
        let name = |migration: &Migration| {
            format!("{}_{}/migration.sql", FIRST_NAME + u64::from(migration.number), migration.name)
        };
        texts::one_file_each(&directory.join("migrations"), migrations, name, |migration| {
            migration.sql.clone()
        })
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = prisma(tools);
        // This is the one command that asks the engines for their versions: a program can answer, a library could not.
        command.env("PRISMA_CLI_QUERY_ENGINE_TYPE", "binary").env("PRISMA_QUERY_ENGINE_BINARY", "/bin/true");
        command.arg("--version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let address = match Way::from(target) {
            Way::File(path) => format!("file:{}", path.display()),
            Way::Server(server) => server.url("postgresql", &server.libpq()),
        };
        let mut command = prisma(tools);
        command.current_dir(project).env("DATABASE_URL", address).args(["migrate", "deploy", "--config"]);
        command.arg(place(tools, "prisma").join("prisma.config.ts"));
        command.args(["--schema", "prisma/schema.prisma"]);
        command
    }
}
