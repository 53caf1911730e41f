//! `install`: copies this program to where another container finds it.
//!
//! The image of Plimsoll has no shell and no `cp`, so that the program copies itself.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use plimsoll_core::{Code, Diagnostic};

use crate::args::Install;
use crate::exit::Exit;
use crate::output::{Output, Voice};

/// This program, whatever has become of its path.
const OURSELVES: &str = "/proc/self/exe";

pub(crate) fn run(arguments: &Install) -> Exit {
    let mut output = Output::new(Voice::Own, "install", (&arguments.logging).into());
    match install(&arguments.directory) {
        Ok(path) => output.installed(&path),
        Err(error) => output.failed(&refused(&arguments.directory, &error), None),
    }
}

/// Puts the whole program there or nothing: whoever executes that path meanwhile gets the old one or the new one.
fn install(directory: &Path) -> io::Result<PathBuf> {
    let target = directory.join("plimsoll");
    let mut fresh = tempfile::Builder::new().prefix(".plimsoll-").tempfile_in(directory)?;
    io::copy(&mut File::open(OURSELVES)?, fresh.as_file_mut())?;
    // Containers of a pod may run as different users.
    fresh.as_file().set_permissions(Permissions::from_mode(0o755))?;
    fresh.as_file().sync_all()?;
    // A file that is still open for writing cannot be executed: it is closed before it gets its name.
    fresh.into_temp_path().persist(&target)?;
    Ok(target)
}

fn refused(directory: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("cannot copy the program into `{}`: {error}", directory.display());
    Diagnostic::new(Code::InstallFailed, message)
        .help("in a pod: mount the volume that both containers share there, and let its `fsGroup` be this container's")
}
