//! Installs what the tests need, each part only if it is not there yet.

pub(crate) mod apt;
mod backend;
mod mysql;
mod npm;
mod otlp;
mod postgres;
mod toxiproxy;

use std::fs::File;
use std::path::Path;

use crate::process::{Outcome, version_of};
use crate::say;
use npm::Packages;

/// Node must be able to run Prisma 6, which wants 18.18.
const NODE_MAJOR: u32 = 18;
/// Tests that compare schemas dump servers up to this version.
const PG_DUMP_MAJOR: u32 = 15;

/// Brings `target/testbed` to the state that the tests expect. Doing it again changes nothing.
pub(crate) fn setup(root: &Path) -> Outcome {
    let testbed = root.join("target/testbed");
    std::fs::create_dir_all(&testbed).map_err(|error| format!("{}: {error}", testbed.display()))?;
    let _lock = lock(&testbed.join(".lock"))?;
    is_complete_for(std::env::consts::ARCH)?;
    need("node", NODE_MAJOR, &["nodejs", "npm"])?;
    need("npm", 1, &["npm"])?;
    need("pg_dump", PG_DUMP_MAJOR, &["postgresql-client"])?;
    need("psql", PG_DUMP_MAJOR, &["postgresql-client"])?;
    need("python3", 3, &["python3"])?;
    apt::need_libclang()?;
    mariadb(&testbed.join("mariadb"))?;
    mysql::install(&testbed.join("mysql"))?;
    apt::need("strace", &["strace"])?;
    if !Path::new("/usr/sbin/pgbouncer").is_file() {
        apt::install("pgbouncer", &["pgbouncer"])?;
    }
    apt::need("faketime", &["faketime"])?;
    apt::need("ip", &["iproute2"])?;
    npm::install(&root.join("testbed/postgres"), &testbed.join("postgres"), Packages::All)?;
    postgres::complete(&testbed.join("postgres/node_modules"))?;
    npm::install(&root.join("testbed/prisma"), &testbed.join("prisma"), Packages::All)?;
    toxiproxy::install(root, &testbed.join("toxiproxy"))?;
    otlp::build(root, &testbed.join("otlp"))?;
    backend::build(&root.join("examples/backend"), &testbed.join("backend"))?;
    say("testbed: ready");
    Ok(())
}

/// Not every server is published for every processor. Whoever has only some of them would take tests that cannot run for
/// failures of the code.
fn is_complete_for(processor: &str) -> Outcome {
    match processor {
        "x86_64" => Ok(()),
        other => Err(format!(
            "the tests need Linux on x86-64: neither MySQL 8.0 nor PostgreSQL 13 is published for {other}.\n\
             What needs no server can be tested: `cargo test -p plimsoll-core -p plimsoll-project -p plimsoll-inject`"
        )),
    }
}

/// The packages with `core` in their names have the programs alone: no service is started on the machine. The server's plugins, and the
/// list of its errors, are in the one that would start it: of that the files are enough.
fn mariadb(home: &Path) -> Outcome {
    if !Path::new("/usr/sbin/mariadbd").is_file() {
        apt::install("mariadbd", &["mariadb-server-core"])?;
    }
    apt::need("mariadb-dump", &["mariadb-client"])?;
    apt::unpacked("mariadb-server", "amd64", home)?;
    say("testbed: MariaDB");
    Ok(())
}

/// Two setups at once would install over each other: the second waits.
fn lock(path: &Path) -> Outcome<File> {
    let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
    file.lock().map_err(|error| format!("{} cannot be locked: {error}", path.display()))?;
    Ok(file)
}

fn need(program: &str, major: u32, packages: &[&str]) -> Outcome {
    if version_of(program).is_none() {
        apt::install(program, packages)?;
    }
    let version = version_of(program).ok_or_else(|| format!("`{program}` does not run"))?;
    say(&format!("testbed: {program}: {version}"));
    match first_number(&version) {
        Some(number) if number < major => Err(format!("`{program}` has to be version {major} or newer")),
        _ => Ok(()),
    }
}

fn first_number(version: &str) -> Option<u32> {
    let digits = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(first_number("v20.20.2"), Some(20));
        assert_eq!(first_number("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(first_number("no number"), None);
    }

    #[test]
    fn a_processor_for_which_a_server_is_missing_is_refused_with_what_can_be_done() {
        assert_eq!(is_complete_for("x86_64"), Ok(()));
        let why = is_complete_for("aarch64").unwrap_err();
        assert!(why.contains("MySQL 8.0") && why.contains("aarch64") && why.contains("cargo test"), "{why}");
    }

    #[test]
    fn a_program_that_is_too_old_is_refused() {
        assert!(need("cargo", 99, &[]).unwrap_err().contains("99"));
        assert_eq!(need("cargo", 1, &[]), Ok(()));
    }
}
