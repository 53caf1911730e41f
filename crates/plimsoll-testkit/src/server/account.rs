//! Who a server runs as: PostgreSQL refuses to be root.

use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};

/// The number of `nobody` and of its group on every Linux distribution.
const NOBODY: u32 = 65534;

/// A command that runs as somebody whom PostgreSQL accepts: as `nobody` if this is root, otherwise as ourselves.
pub(super) fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = as_nobody();
    // A working copy below root's own directory is closed to everybody else: then nobody may pass through.
    if !can_execute(program) {
        // (`initdb` asks with `access`, which only counts that right when it is not reset with the user.)
        command.args([
            "--securebits=+no_setuid_fixup",
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
        ]);
    }
    command.arg("--").arg(program);
    command
}

/// Gives a file or directory, with all that is in it, to the one whom servers run as.
pub(super) fn give_to_server(path: &Path) {
    if !is_root() {
        return;
    }
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.is_dir() && !path.is_symlink() {
        let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        entries.flatten().for_each(|entry| give_to_server(&entry.path()));
    }
}

/// A word that tells apart what belongs to different server accounts.
pub(super) fn name() -> String {
    if is_root() { "nobody".into() } else { rustix::process::geteuid().as_raw().to_string() }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn as_nobody() -> Command {
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={NOBODY}")).arg(format!("--regid={NOBODY}")).arg("--clear-groups");
    command
}

fn can_execute(program: &Path) -> bool {
    let arguments = [OsStr::new("--"), OsStr::new("test"), OsStr::new("-x"), program.as_os_str()];
    as_nobody().args(arguments).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
