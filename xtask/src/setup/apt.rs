//! Programs from the distribution.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{Outcome, run, version_of};

/// Installs packages if that is possible here; otherwise says what a person has to install.
pub(crate) fn install(program: &str, packages: &[&str]) -> Outcome {
    if !is_root() || version_of("apt-get").is_none() {
        return Err(missing(program, packages));
    }
    run(apt_get().arg("update"))?;
    run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

/// Installs packages unless there is such a program, wherever `PATH` leads.
pub(crate) fn need(program: &str, packages: &[&str]) -> Outcome {
    if is_there(program) { Ok(()) } else { install(program, packages) }
}

/// Installs packages unless there is such a library where Debian keeps shared libraries, or where it keeps LLVM's.
pub(crate) fn need_library(library: &str, packages: &[&str]) -> Outcome {
    if library_is_there(library) { Ok(()) } else { install(library, packages) }
}

fn library_is_there(library: &str) -> bool {
    let entries = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten();
    let directories = entries("/usr/lib".into()).flat_map(|entry| [entry.path(), entry.path().join("lib")]);
    let mut files = directories.flat_map(entries);
    files.any(|file| file.file_name().to_str().is_some_and(|name| is_library(name, library)))
}

/// `libclang.so.1` and `libclang-14.so` are libclang; `libclang-cpp.so` is another library.
fn is_library(file: &str, library: &str) -> bool {
    let Some((name, _)) = file.split_once(".so") else { return false };
    name.strip_prefix(library)
        .is_some_and(|version| version.chars().all(|c| c == '-' || c == '.' || c.is_ascii_digit()))
}

/// Not every program knows `--version`.
fn is_there(program: &str) -> bool {
    let mut command = Command::new("sh");
    command.args(["-c", "command -v \"$1\"", "sh", program]).stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The files of a package for another processor, below `home`. Nothing is installed, and apt's own lists stay as they are.
pub(crate) fn unpacked(package: &str, arch: &str, home: &Path) -> Outcome<PathBuf> {
    let (state, to) = (home.join("apt"), home.join(package));
    if to.is_dir() {
        return Ok(to);
    }
    std::fs::create_dir_all(state.join("lists/partial"))
        .map_err(|error| format!("{}: {error}", state.display()))?;
    let foreign = || {
        let mut command = apt_get();
        command.current_dir(&state).arg("--option").arg(format!("APT::Architecture={arch}"));
        command.arg("--option").arg(format!("APT::Architectures={arch}"));
        command.arg("--option").arg(format!("Dir::State::lists={}", state.join("lists").display()));
        command.arg("--option").arg(format!("Dir::Cache={}", state.display()));
        command
    };
    run(foreign().arg("update"))?;
    run(foreign().args(["download", package]))?;
    let files = std::fs::read_dir(&state).map_err(|error| format!("{}: {error}", state.display()))?;
    let mut files = files.flatten().map(|entry| entry.path());
    let file = files.find(|path| path.extension().is_some_and(|it| it == "deb"));
    let file = file.ok_or_else(|| format!("apt-get has brought no `{package}` for {arch}"))?;
    run(Command::new("dpkg-deb").arg("--extract").arg(file).arg(&to))?;
    Ok(to)
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn missing(program: &str, packages: &[&str]) -> String {
    format!(
        "`{program}` is missing, and only root with apt-get can install it from here.\nOn Debian: apt-get install {}",
        packages.join(" ")
    )
}

/// A process belongs to the owner of its own directory in `/proc`.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_there_needs_no_package() {
        assert_eq!(need("sh", &["no-such-package"]), Ok(()));
        assert!(!is_there("no-such-program"));
    }

    #[test]
    fn a_library_is_found_by_its_whole_name() {
        assert!(is_library("libclang.so.1", "libclang") && is_library("libclang-14.so", "libclang"));
        assert!(!is_library("libclang-cpp.so.14", "libclang") && !is_library("libclang.a", "libclang"));
        assert!(library_is_there("libc") && !library_is_there("libno-such-library"));
    }

    #[test]
    fn what_is_missing_is_said_with_the_package_to_install() {
        let text = missing("pg_dump", &["postgresql-client"]);
        assert!(text.contains("`pg_dump` is missing"));
        assert!(text.contains("apt-get install postgresql-client"));
    }
}
