//! The databases' own clients, which are given one file and know no history.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{EVERYTHING, write_everything};
use crate::peer::{Kind, Migration, Peer, Role, Target, Tools};

/// `psql -f`.
pub(super) struct Psql;

/// The client of MariaDB, which is the one of MySQL too.
pub(super) struct Mysql;

/// The shell of SQLite.
pub(super) struct Sqlite;

/// Where a distribution puts what is installed with it.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// Where Debian has the clients of each version. What it puts into `PATH` is a script that looks for one of them.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The newest `psql` itself.
fn psql() -> PathBuf {
    newest(Path::new(VERSIONS)).unwrap_or_else(|| "psql".into())
}

fn newest(versions: &Path) -> Option<PathBuf> {
    let directories = std::fs::read_dir(versions).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let programs = directories.filter_map(|path| Some((version(&path)?, path.join("bin/psql"))));
    programs.filter(|(_, program)| program.is_file()).max().map(|(_, program)| program)
}

fn must_be_there(name: &str, package: &str) -> Result<(), String> {
    program(name).map(drop).ok_or_else(|| format!("`{name}` is missing: install {package}"))
}

fn version_of(name: &str) -> Command {
    let mut command = Command::new(name);
    command.arg("--version");
    command
}

impl Peer for Psql {
    fn name(&self) -> &'static str {
        "psql -f"
    }

    fn version(&self) -> &'static str {
        "the system's"
    }

    fn role(&self) -> Role {
        Role::FloorOnce
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres]
    }

    fn install(&self, _tools: &Tools) -> Result<(), String> {
        must_be_there("psql", "postgresql-client")
    }

    fn installed(&self, _tools: &Tools) -> Vec<PathBuf> {
        Vec::new()
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        write_everything(project, migrations)
    }

    fn start(&self, _tools: &Tools) -> Command {
        let mut command = Command::new(psql());
        command.arg("--version");
        command
    }

    fn deploy(&self, _tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = Command::new(psql());
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(project.join(EVERYTHING));
        let Target::Server { host, port, user, password, database, authority, .. } = target else {
            return command;
        };
        command.env("PGHOST", host).env("PGPORT", port.to_string()).env("PGDATABASE", database);
        command.env("PGUSER", user).env("PGPASSWORD", password);
        match authority {
            Some(file) => command.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", file),
            None => command.env("PGSSLMODE", "disable"),
        };
        // Otherwise it asks a Kerberos that is not there.
        command.env("PGGSSENCMODE", "disable");
        command
    }
}

impl Peer for Mysql {
    fn name(&self) -> &'static str {
        "mariadb < file"
    }

    fn version(&self) -> &'static str {
        "the system's"
    }

    fn role(&self) -> Role {
        Role::FloorOnce
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Mysql, Kind::Mariadb]
    }

    fn install(&self, _tools: &Tools) -> Result<(), String> {
        must_be_there("mariadb", "mariadb-client")
    }

    fn installed(&self, _tools: &Tools) -> Vec<PathBuf> {
        Vec::new()
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        write_everything(project, migrations)
    }

    fn start(&self, _tools: &Tools) -> Command {
        version_of("mariadb")
    }

    fn deploy(&self, _tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = Command::new("mariadb");
        if let Target::Server { host, port, user, password, database, .. } = target {
            command.args(["--no-defaults", "--protocol=tcp", "--skip-ssl", "--batch", "--host", host]);
            command.args(["--port", &port.to_string(), "--user", user, "--database", database]);
            command.env("MYSQL_PWD", password);
        }
        // As standard input would be: to read a file is a command of the client.
        command.arg("--execute").arg(format!("source {}", project.join(EVERYTHING).display()));
        command
    }
}

impl Peer for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite3 .read"
    }

    fn version(&self) -> &'static str {
        "the system's"
    }

    fn role(&self) -> Role {
        Role::FloorOnce
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Sqlite]
    }

    fn install(&self, _tools: &Tools) -> Result<(), String> {
        must_be_there("sqlite3", "sqlite3")
    }

    fn installed(&self, _tools: &Tools) -> Vec<PathBuf> {
        Vec::new()
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        write_everything(project, migrations)
    }

    fn start(&self, _tools: &Tools) -> Command {
        version_of("sqlite3")
    }

    fn deploy(&self, _tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = Command::new("sqlite3");
        if let Target::File(path) = target {
            command.arg("-bail").arg(path).arg(format!(".read {}", project.join(EVERYTHING).display()));
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_client_is_taken_and_a_version_without_one_is_none() {
        let versions = tempfile::tempdir().unwrap();
        assert_eq!(newest(versions.path()), None);
        for (version, name) in [("9", "psql"), ("15", "psql"), ("17", "pg_dump")] {
            let bin = versions.path().join(version).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            std::fs::write(bin.join(name), "").unwrap();
        }
        assert_eq!(newest(versions.path()), Some(versions.path().join("15/bin/psql")));
    }
}
