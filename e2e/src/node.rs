//! What can happen to a node.

use std::process::Command;

use plimsoll_testkit::wait;

use crate::cluster::cluster;

/// Kills containerd as a lack of memory does, and returns when the node's system has started it again and it answers.
///
/// Containers live on without it, but nothing can be started, ended or asked. A scenario that does this to the node does
/// it to all others too.
pub fn kill_containerd() {
    kill_containerd_while(|| ());
}

/// The same, with something that happens while containerd is dead.
pub fn kill_containerd_while(something: impl FnOnce()) {
    let before = cluster().containerd().expect("it has been started long ago");
    let killed = Command::new("kill").args(["-KILL", &before.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()), "containerd runs, and is ours to kill");
    something();
    wait::until("containerd is started again", || {
        let is_another = cluster().containerd().is_some_and(|now| now != before);
        is_another && cluster().ctr(&["version"]).succeeded
    });
}
