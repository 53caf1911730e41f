//! What can happen to a node.

use std::process::Command;

use plimsoll_testkit::wait;

use crate::cluster::cluster;

/// Kills containerd as a lack of memory does, and returns when the node's system has started it again.
///
/// Containers live on without it, but nothing can be started, ended or asked. A scenario that does this to the node does
/// it to all others too.
pub fn kill_containerd() {
    let before = cluster().containerd();
    let killed = Command::new("kill").args(["-KILL", &before.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()), "containerd runs, and is ours to kill");
    wait::until("containerd is started again", || cluster().containerd() != before);
}
