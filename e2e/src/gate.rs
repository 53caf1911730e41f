//! `plimsoll inject`, as a person uses it.

use std::process::Command;

use crate::cluster::{Answer, cluster};

/// The manifest with a gate in it.
#[track_caller]
pub fn inject(manifest: &str, flags: &[&str]) -> String {
    run(manifest, flags).expect("`plimsoll inject`")
}

/// What `plimsoll inject` says when it refuses a manifest.
#[track_caller]
pub fn inject_fails(manifest: &str, flags: &[&str]) -> String {
    let answer = run(manifest, flags);
    assert!(!answer.succeeded, "it has not failed:\n{}", answer.stdout);
    answer.stderr
}

fn run(manifest: &str, flags: &[&str]) -> Answer {
    let mut command = Command::new(cluster().plimsoll());
    Answer::to(command.arg("inject").args(flags).arg("-"), manifest)
}
