//! A place to try other people's programs at: a home of its own, and a `PATH` with Plimsoll on it. It needs no cluster.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::answer::Answer;
use crate::cluster::workspace;

/// A program that manifests go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// kustomize on its own, which can run functions.
    Kustomize,
    /// Helm 3: a post-renderer is a program.
    Helm3,
    /// Helm 4: a post-renderer is a plugin.
    Helm4,
    /// kubectl, of the cluster's version.
    Kubectl,
    /// Plimsoll itself, to compare with.
    Plimsoll,
}

impl Client {
    fn command(self) -> Command {
        let client = |path: &str| built(&format!("target/e2e/clients/{path}"));
        let path = match self {
            Self::Kustomize => client("kustomize/kustomize"),
            Self::Helm3 => client("helm3/helm"),
            Self::Helm4 => client("helm4/helm"),
            Self::Kubectl => client("kubelab"),
            Self::Plimsoll => plimsoll(),
        };
        let mut command = Command::new(path);
        if self == Self::Kubectl {
            command.arg("kubectl");
        }
        command
    }
}

/// A home directory with nothing in it but what a test puts there, and programs found as a person's are.
pub struct Bench {
    home: TempDir,
}

impl Bench {
    /// One with `plimsoll` on the `PATH`, and the same as a plugin of kubectl's.
    pub fn new() -> Self {
        let bench = Self::without_plimsoll();
        symlink(plimsoll(), bench.bin().join("plimsoll")).expect("the directory is new");
        symlink("plimsoll", bench.bin().join("kubectl-plimsoll")).expect("the directory is new");
        bench
    }

    /// One of somebody who has forgotten to install Plimsoll.
    pub fn without_plimsoll() -> Self {
        let home = TempDir::with_prefix("plimsoll-bench-").expect("there is a place for temporary files");
        let bench = Self { home };
        std::fs::create_dir(bench.bin()).expect("the directory is new");
        bench
    }

    /// The home directory, in which programs run.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn bin(&self) -> PathBuf {
        self.home().join("bin")
    }

    /// Writes a file, and the directories above it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.home().join(path);
        std::fs::create_dir_all(path.parent().expect("it is below the home")).expect("the home is ours");
        std::fs::write(path, text).expect("the home is ours");
    }

    /// The text of a file below the home directory.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.home().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Runs a program in the home directory. Of the test's environment nothing is passed on, so that no cluster is known.
    pub fn run(&self, client: Client, words: &[&str]) -> Answer {
        let mut command = client.command();
        command.args(words).current_dir(self.home()).env_clear().env("HOME", self.home());
        let path = [self.bin(), "/usr/bin".into(), "/bin".into()];
        let path: OsString = std::env::join_paths(path).expect("no directory has a colon in its name");
        Answer::to(command.env("PATH", path), "")
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

/// A file of the project, by its path from the root.
pub fn project_file(path: &str) -> PathBuf {
    workspace().join(path)
}

/// The binary that is shipped in the image.
fn plimsoll() -> PathBuf {
    built("target/image/amd64/context/plain/plimsoll")
}

fn built(path: &str) -> PathBuf {
    let path = workspace().join(path);
    assert!(path.is_file(), "{} is not there: run `cargo xtask e2e`, which builds it", path.display());
    path
}
