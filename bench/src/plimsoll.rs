//! Plimsoll itself, as it is shipped.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peer::{Kind, Migration, Peer, Role, Target, Tools};

/// The static binary, on a project of Prisma's.
pub(crate) struct Plimsoll {
    binary: PathBuf,
}

impl Plimsoll {
    /// The binary that is measured.
    pub(crate) fn new(binary: PathBuf) -> Self {
        Self { binary }
    }
}

impl Peer for Plimsoll {
    fn name(&self) -> &'static str {
        "plimsoll"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn role(&self) -> Role {
        Role::Ours
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres, Kind::Mysql, Kind::Mariadb, Kind::Sqlite]
    }

    fn install(&self, _tools: &Tools) -> Result<(), String> {
        if !self.binary.is_file() {
            return Err(format!(
                "{} is not there: start this with `cargo xtask bench`",
                self.binary.display()
            ));
        }
        Ok(())
    }

    fn installed(&self, _tools: &Tools) -> Vec<PathBuf> {
        vec![self.binary.clone()]
    }

    fn write(&self, project: &Path, migrations: &[Migration], kind: Kind) -> io::Result<()> {
        let provider = match kind {
            Kind::Postgres => "postgresql",
            Kind::Mysql | Kind::Mariadb => "mysql",
            Kind::Sqlite => "sqlite",
        };
        let prisma = project.join("prisma");
        std::fs::create_dir_all(prisma.join("migrations"))?;
        let schema = format!(
            "datasource db {{\n  provider = \"{provider}\"\n  url      = env(\"DATABASE_URL\")\n}}\n"
        );
        std::fs::write(prisma.join("schema.prisma"), schema)?;
        std::fs::write(
            prisma.join("migrations/migration_lock.toml"),
            format!("provider = \"{provider}\"\n"),
        )?;
        for migration in migrations {
            let name = format!("{}_{}", 20_240_101_000_000 + u64::from(migration.number), migration.name);
            let directory = prisma.join("migrations").join(name);
            std::fs::create_dir(&directory)?;
            std::fs::write(directory.join("migration.sql"), &migration.sql)?;
        }
        Ok(())
    }

    fn start(&self, _tools: &Tools) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--version");
        command
    }

    fn deploy(&self, _tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = Command::new(&self.binary);
        // The last is for the row that has no migrations, which are mostly missing by mistake.
        command
            .arg("deploy")
            .current_dir(project)
            .env("DATABASE_URL", url(target))
            .env("PLIMSOLL_ALLOW_EMPTY", "true");
        command
    }

    /// It waits a minute by itself.
    fn waiting(&self, tools: &Tools, project: &Path, target: &Target) -> Option<Command> {
        Some(self.deploy(tools, project, target))
    }
}

fn url(target: &Target) -> String {
    match target {
        Target::File(path) => format!("file:{}", path.display()),
        Target::Server { kind, host, port, user, password, database, authority } => {
            let (scheme, tls) = match (kind, authority) {
                (Kind::Postgres, None) => ("postgresql", "?sslmode=disable".to_owned()),
                (Kind::Postgres, Some(file)) => {
                    ("postgresql", format!("?sslmode=require&sslaccept=strict&sslcert={}", file.display()))
                }
                _ => ("mysql", String::new()),
            };
            format!("{scheme}://{user}:{password}@{host}:{port}/{database}{tls}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_one_of_prismas() {
        let directory = tempfile::tempdir().unwrap();
        let migration = Migration { number: 12, name: "a".into(), sql: "SELECT 1;\n".into() };
        Plimsoll::new("plimsoll".into()).write(directory.path(), &[migration], Kind::Mariadb).unwrap();
        let read = |path: &str| std::fs::read_to_string(directory.path().join(path)).unwrap();
        assert_eq!(read("prisma/migrations/20240101000012_a/migration.sql"), "SELECT 1;\n");
        assert!(read("prisma/schema.prisma").contains("provider = \"mysql\""));
        assert_eq!(read("prisma/migrations/migration_lock.toml"), "provider = \"mysql\"\n");
    }

    #[test]
    fn an_authority_is_verified_and_without_one_there_is_no_tls() {
        let mut target = Target::Server {
            kind: Kind::Postgres,
            host: "h".into(),
            port: 1,
            user: "u".into(),
            password: "p".into(),
            database: "d".into(),
            authority: None,
        };
        assert_eq!(url(&target), "postgresql://u:p@h:1/d?sslmode=disable");
        let Target::Server { authority, .. } = &mut target else { unreachable!("it is a server") };
        *authority = Some("ca.pem".into());
        assert_eq!(url(&target), "postgresql://u:p@h:1/d?sslmode=require&sslaccept=strict&sslcert=ca.pem");
    }
}
