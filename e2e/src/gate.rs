//! `plimsoll inject`, as a person uses it.

use std::process::Command;

use crate::cluster::{Answer, cluster};

/// The manifest with a gate in it.
#[track_caller]
pub fn inject(manifest: &str, flags: &[&str]) -> String {
    run(manifest, flags).expect("`plimsoll inject`")
}

/// The policies by which an API server injects by itself.
pub fn policies() -> String {
    let mut command = Command::new(cluster().plimsoll());
    Answer::to(command.args(["inject", "--emit", "map"]), "").expect("`plimsoll inject --emit map`")
}

fn run(manifest: &str, flags: &[&str]) -> Answer {
    let mut command = Command::new(cluster().plimsoll());
    Answer::to(command.arg("inject").args(flags).arg("-"), manifest)
}
