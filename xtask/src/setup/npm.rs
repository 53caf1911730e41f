//! Packages from npm, exactly as their lock file has them.

use std::path::Path;
use std::process::Command;

use crate::process::{Outcome, run};
use crate::say;

/// Written last, with the lock file in it: if it is there and equal, everything was installed.
const STAMP: &str = ".installed";

/// Which packages of a lock file are installed.
#[derive(Clone, Copy)]
pub(crate) enum Packages {
    All,
    /// Those that a program needs while it runs. What only builds it is left out, and what it may have besides.
    ToRun,
}

impl Packages {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::All => &[],
            Self::ToRun => &["--omit=dev", "--omit=optional"],
        }
    }
}

/// Copies the tracked directory `from` to `to` and installs its packages there. No script of a package is run.
pub(crate) fn install(from: &Path, to: &Path, packages: Packages) -> Outcome {
    let wanted = read(&from.join("package-lock.json"))?;
    copy_files(from, to)?;
    if std::fs::read_to_string(to.join(STAMP)).is_ok_and(|installed| installed == wanted) {
        say(&format!("testbed: {}: is installed", to.display()));
        return Ok(());
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run(Command::new("npm").args(arguments).args(packages.flags()).current_dir(to))?;
    write(&to.join(STAMP), &wanted)
}

fn copy_files(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    let entries = std::fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))?;
    for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
        let text = read(&entry.path())?;
        write_if_changed(&to.join(entry.file_name()), &text)?;
    }
    Ok(())
}

/// A test may be reading the file: it is left alone if it is right.
fn write_if_changed(path: &Path, text: &str) -> Outcome {
    if std::fs::read_to_string(path).is_ok_and(|present| present == text) {
        Ok(())
    } else {
        write(path, text)
    }
}

fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Outcome {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_already_is_not_installed_again() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        std::fs::create_dir_all(&from).unwrap();
        std::fs::create_dir_all(&to).unwrap();
        // Not a lock file at all: npm would refuse it, so success means that npm was not asked.
        write(&from.join("package-lock.json"), "stamp").unwrap();
        write(&to.join(STAMP), "stamp").unwrap();
        assert_eq!(install(&from, &to, Packages::All), Ok(()));
        assert_eq!(read(&to.join("package-lock.json")), Ok("stamp".to_owned()));
    }

    #[test]
    fn a_missing_lock_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        assert!(
            install(directory.path(), directory.path(), Packages::All)
                .unwrap_err()
                .contains("package-lock.json")
        );
    }
}
