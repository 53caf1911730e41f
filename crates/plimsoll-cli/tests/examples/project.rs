//! A copy of an example's project: what a test changes in it stays out of the sources.

use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_testkit::project::Project;

/// The directory of an example.
pub(crate) fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// A project with these files and directories of an example.
pub(crate) fn copy(name: &str, parts: &[&str]) -> Project {
    let project = Project::empty();
    let parts = parts.iter().map(|part| directory(name).join(part));
    let status = Command::new("cp").arg("--recursive").args(parts).arg(project.path()).status();
    assert!(status.is_ok_and(|status| status.success()), "the example `{name}` is not complete");
    project
}

/// The names of the project's migrations, in order.
pub(crate) fn migrations(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.migrations()).expect("the example has migrations");
    let directories = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> =
        directories.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}
