//! Programs of the machine that a peer needs while it runs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The file that is started under this name, behind all links.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())?;
    std::fs::canonicalize(found).ok()
}

/// A command with an absolute path, so that it does not matter where it is started.
pub(super) fn command(program: &Path) -> Command {
    Command::new(std::path::absolute(program).unwrap_or_else(|_| program.to_owned()))
}

/// What a directory holds, but for some names.
pub(super) fn entries(directory: &Path, without: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .flatten()
        .filter(|entry| !without.iter().any(|name| entry.file_name() == *name))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}
