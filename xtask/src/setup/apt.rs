//! Programs from the distribution.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use crate::process::{Outcome, run, version_of};

/// Installs packages if that is possible here; otherwise says what a person has to install.
pub(crate) fn install(program: &str, packages: &[&str]) -> Outcome {
    if !is_root() || version_of("apt-get").is_none() {
        return Err(missing(program, packages));
    }
    run(apt_get().arg("update"))?;
    run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
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
    fn what_is_missing_is_said_with_the_package_to_install() {
        let text = missing("pg_dump", &["postgresql-client"]);
        assert!(text.contains("`pg_dump` is missing"));
        assert!(text.contains("apt-get install postgresql-client"));
    }
}
