//! Alembic: migrations are modules of Python; here each one executes its SQL as a text. By default everything that is
//! pending is one transaction.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::Way;
use super::install::{place, python};
use super::{programs, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct Alembic;

const VERSION: &str = "1.20.1";
const BESIDE: [&str; 2] = ["SQLAlchemy==2.1.9", "psycopg2-binary==2.9.13"];

const SETTINGS: &str = "[alembic]\nscript_location = migrations\n";

/// What `alembic init` writes, without logging and offline mode, and with the address from the environment.
const ENVIRONMENT: &str = "\
import os

from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(os.environ[\"DATABASE_URL\"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
";

/// Its interpreter's library without what no image of Python has in it either.
const NOT_NEEDED: [&str; 7] =
    ["ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tkinter", "turtledemo"];

fn program(tools: &Tools, name: &str) -> PathBuf {
    place(tools, "alembic").join("bin").join(name)
}

fn module(migration: &Migration) -> String {
    let before = match migration.number {
        1 => "None".to_owned(),
        number => format!("\"{:05}\"", number - 1),
    };
    let sql = literal(&migration.sql);
    format!(
        "from alembic import op\n\nrevision = \"{:05}\"\ndown_revision = {before}\n\n\n\
         def upgrade():\n    op.execute({sql})\n\n\ndef downgrade():\n    pass\n",
        migration.number
    )
}

/// A literal of Python. A word behind a colon would be a parameter.
fn literal(sql: &str) -> String {
    let escaped = sql.replace('\\', "\\\\").replace('"', "\\\"").replace(':', "\\\\:");
    format!("\"\"\"{escaped}\"\"\"")
}

impl Peer for Alembic {
    fn name(&self) -> &'static str {
        "alembic"
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    /// Drivers for the others take one statement at a time, unless they are told otherwise in code.
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres]
    }

    fn install(&self, tools: &Tools) -> Result<(), String> {
        python(tools, "alembic", &[&format!("alembic=={VERSION}"), BESIDE[0], BESIDE[1]])
    }

    fn installed(&self, tools: &Tools) -> Vec<PathBuf> {
        let home = place(tools, "alembic");
        let mut installed: Vec<_> = programs::entries(&home.join("lib"), &[])
            .iter()
            .flat_map(|version| programs::entries(&version.join("site-packages"), &["pip", "setuptools"]))
            .collect();
        let Ok(interpreter) = std::fs::canonicalize(home.join("bin/python")) else { return installed };
        // `…/bin/python3.11` stands beside `…/lib/python3.11`.
        if let (Some(root), Some(name)) = (interpreter.ancestors().nth(2), interpreter.file_name()) {
            installed.extend(programs::entries(&root.join("lib").join(name), &NOT_NEEDED));
        }
        installed.push(interpreter);
        installed
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        texts::write(&project.join("alembic.ini"), SETTINGS)?;
        texts::write(&project.join("migrations/env.py"), ENVIRONMENT)?;
        let versions = project.join("migrations/versions");
        let name = |migration: &Migration| format!("{}.py", texts::numbered(migration));
        texts::one_file_each(&versions, migrations, name, module)
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = programs::command(&program(tools, "alembic"));
        command.arg("--version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = programs::command(&program(tools, "alembic"));
        command.current_dir(project).args(["upgrade", "head"]);
        if let Way::Server(server) = Way::from(target) {
            command.env("DATABASE_URL", server.url("postgresql+psycopg2", &server.libpq()));
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_stays_the_same_in_a_literal_of_python() {
        assert_eq!(literal("a::text = \"b\" \\n"), r#""""a\\:\\:text = \"b\" \\n""""#);
    }
}
