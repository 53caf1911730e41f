//! `plimsoll inject`, as a person uses it.

use std::process::Command;

use crate::answer::Answer;
use crate::cluster::cluster;
use crate::namespace::Namespace;

/// The manifest with a gate in it.
#[track_caller]
pub fn inject(manifest: &str, flags: &[&str]) -> String {
    try_to_inject(manifest, flags).expect("`plimsoll inject`")
}

/// The same, which may be refused.
pub fn try_to_inject(manifest: &str, flags: &[&str]) -> Answer {
    let mut command = Command::new(cluster().plimsoll());
    Answer::to(command.arg("inject").args(flags).arg("-"), manifest)
}

/// The policies by which an API server injects by itself, made with these flags, for pods of this namespace alone.
///
/// Policies belong to the whole cluster, and other scenarios run there too: they have names of their own and are bound as
/// the documentation says, by the bindings' `namespaceSelector`.
#[track_caller]
pub fn policies(ns: &Namespace, flags: &[&str]) -> String {
    let mut command = Command::new(cluster().plimsoll());
    let emitted = Answer::to(command.args(["inject", "--emit", "map"]).args(flags), "");
    let emitted =
        emitted.expect("`plimsoll inject --emit map`").replace("plimsoll.dev\n", &format!("{}\n", ns.name()));
    let labels = format!("kubernetes.io/metadata.name: {}", ns.name());
    let only = format!("  matchResources:\n    namespaceSelector:\n      matchLabels:\n        {labels}\n");
    let bound = emitted.replace("  policyName:", &format!("{only}  policyName:"));
    assert_eq!(bound.matches(&only).count(), 2, "each binding is limited:\n{bound}");
    bound
}
