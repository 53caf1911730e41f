//! A data directory to copy from, so that `initdb` runs once a machine and not once a server.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Version, account, role};
use crate::installed;

/// A program of this version's server.
pub(super) fn program(version: Version, name: &str) -> Command {
    let home = installed::file(&format!("postgres/{}", version.major()));
    let mut command = account::unprivileged(&home.join("bin").join(name));
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LD_LIBRARY_PATH", home.join("lib"));
    command.stdin(Stdio::null());
    command
}

/// Puts a copy of the template at `data`, which must not exist yet.
pub(super) fn copy_to(version: Version, data: &Path) {
    let template = template(version);
    copy(&template, data);
}

fn template(version: Version) -> PathBuf {
    let place = installed::testbed().join(format!("template-{}", identity(version)));
    if !place.is_dir() {
        make(version, &place);
    }
    place
}

/// Different for every version, account and set of roles.
fn identity(version: Version) -> String {
    let home = installed::file(&format!("postgres/{}", version.major()));
    let mut hasher = DefaultHasher::new();
    (role::preparation(), role::ACCESS, home).hash(&mut hasher);
    format!("{}-{}-{:016x}", version.major(), account::name(), hasher.finish())
}

/// Makes the template aside and moves it into place, so that it is complete whenever it is there. Two processes may do
/// so at once: the second finds the first one's, which is the same.
fn make(version: Version, place: &Path) {
    let work =
        TempDir::with_prefix("plimsoll-initdb-").expect("the system has a directory for temporary files");
    account::give_to_server(work.path());
    let data = work.path().join("data");
    initialise(version, &data);
    prepare(version, &data);
    std::fs::write(data.join("pg_hba.conf"), role::ACCESS).expect("the directory is there");
    let aside =
        TempDir::with_prefix_in(".template-", installed::testbed()).expect("the testbed can be written");
    copy(&data, &aside.path().join("data"));
    if let Err(error) = std::fs::rename(aside.path().join("data"), place) {
        assert!(place.is_dir(), "{}: {error}", place.display());
    }
}

fn initialise(version: Version, data: &Path) {
    let password = role::Role::Superuser.password().expect("the superuser has one");
    let file = data.with_file_name("password");
    std::fs::write(&file, password).expect("the directory is ours");
    let mut initdb = program(version, "initdb");
    initdb.args([
        "--encoding=UTF8",
        "--locale=C",
        "--username=postgres",
        "--auth=scram-sha-256",
        "--no-sync",
    ]);
    initdb.arg("--pgdata").arg(data).arg("--pwfile").arg(&file);
    succeed(&mut initdb);
}

/// Runs the statements without a server, in the way that `initdb` does.
fn prepare(version: Version, data: &Path) {
    let script = data.with_file_name("prepare.sql");
    // In single-user mode a line is a statement.
    let statements = role::preparation().replace(";\n", "\n");
    std::fs::write(&script, statements).expect("the directory is ours");
    let mut postgres = program(version, "postgres");
    postgres.args(["--single", "-F", "-c", "exit_on_error=on", "-D"]).arg(data).arg("template1");
    postgres.stdin(std::fs::File::open(&script).expect("it has just been written"));
    succeed(&mut postgres);
}

fn copy(from: &Path, to: &Path) {
    succeed(Command::new("cp").args(["--archive", "--reflink=auto"]).arg(from).arg(to));
}

fn succeed(command: &mut Command) {
    let output =
        command.output().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{text}", command.get_program().display(), output.status);
}
