//! The benchmark: builds what is measured and what measures it, and starts it.

use std::path::Path;
use std::process::Command;

use crate::process::{Outcome, cargo, run};
use crate::{image, setup};

/// How the benchmark is asked for on the command line. It reads its arguments itself.
pub(crate) const USAGE: &str = "\
cargo xtask bench [--quick] [--peer NAME]... [--row NAME]... [--write]
                          measures Plimsoll beside other runners: see bench/README.md";

/// The profile of whatever is not shipped and must not be slow.
const PROFILE: &str = "bench-harness";

/// `cargo xtask bench ARGUMENTS`.
pub(crate) fn bench(root: &Path, arguments: &[String]) -> Outcome {
    setup::setup(root)?;
    let plimsoll = image::release_binary(root)?;
    let mut harness = cargo(root);
    run(harness.args(["build", "--locked", "--package", "plimsoll-bench", "--profile", PROFILE]))?;
    let binary = image::target_directory(root)?.join(PROFILE).join("plimsoll-bench");
    run(Command::new(binary).arg("--plimsoll").arg(plimsoll).args(arguments).current_dir(root))
}
