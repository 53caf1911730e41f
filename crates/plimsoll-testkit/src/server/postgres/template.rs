//! The data directory that every PostgreSQL of the tests begins with.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::installed;
use crate::server::template::{Template, succeed};
use crate::server::{Version, account, role};

/// A program of this version's server.
pub(super) fn program(version: Version, name: &str) -> Command {
    let home = installed::file(&format!("postgres/{}", version.major()));
    let mut command = account::unprivileged(&home.join("bin").join(name));
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LD_LIBRARY_PATH", home.join("lib"));
    command.stdin(Stdio::null());
    command
}

/// Puts a fresh data directory at `data`, which must not exist yet.
pub(super) fn copy_to(version: Version, data: &Path) {
    let home = installed::file(&format!("postgres/{}", version.major())).display().to_string();
    let template = Template {
        name: &version.major().to_string(),
        ingredients: &[&role::preparation(), role::ACCESS, &home],
        make: &|data| make(version, data),
    };
    template.copy_to(data);
}

fn make(version: Version, data: &Path) {
    initialise(version, data);
    prepare(version, data);
    std::fs::write(data.join("pg_hba.conf"), role::ACCESS).expect("the directory is there");
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
