//! What is still there of a cluster whose services have ended: containers, mounts, the bridge, files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::network::{BRIDGE_FILE, remove};
use crate::process::{Outcome, children, send};

const LIMIT: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(20);

/// Kept for whoever wants to know why something failed.
const LOGS: &str = "log";

/// Where CNI remembers what it has set up, and the kubelet shows logs to collectors, wherever everything else is.
const NETWORKS: &str = "/var/lib/cni/results";
const LOG_LINKS: &str = "/var/log/containers";

/// Removes all of it but the logs. Only what was started for this directory is touched, by its number.
pub(super) fn clear(directory: &Path) -> Outcome {
    end(&services(directory));
    end(&containers(directory));
    mounts(directory).iter().rev().try_for_each(|place| unmount(place))?;
    if let Ok(bridge) = std::fs::read_to_string(directory.join(BRIDGE_FILE)) {
        // Unless the machine has been started anew since, it is there.
        let _ = remove(&bridge);
    }
    remove_those(NETWORKS, |path| speaks_of(path, directory))?;
    remove_those(LOG_LINKS, |path| {
        std::fs::read_link(path).is_ok_and(|target| target.starts_with(directory))
    })?;
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name() != LOGS).try_for_each(|entry| remove_all(&entry.path()))
}

/// Services that outlived their supervisor: it writes their numbers, and they are run in the directory.
fn services(directory: &Path) -> Vec<u32> {
    let files = std::fs::read_dir(directory.join("pids")).into_iter().flatten().flatten();
    let numbers = files.filter_map(|file| std::fs::read_to_string(file.path()).ok()?.parse().ok());
    // A number may belong to somebody else by now.
    numbers
        .filter(|pid| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == directory))
        .collect()
}

/// The shims of this containerd, each after the containers that it holds. They outlive containerd on purpose.
fn containers(directory: &Path) -> Vec<u32> {
    let socket = directory.join("containerd/containerd.sock").display().to_string();
    let is_shim = |pid: &u32| {
        let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.contains("containerd-shim-runc-v2") && words.split('\0').any(|word| word == socket)
    };
    let shims = processes().filter(is_shim);
    shims.flat_map(|shim| children(shim).into_iter().chain([shim])).collect()
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Kills them, and waits until they are gone: what they have mounted is busy until then.
fn end(pids: &[u32]) {
    for pid in pids {
        send(*pid, Signal::KILL);
    }
    let begun = Instant::now();
    while pids.iter().any(|pid| is_alive(*pid)) && begun.elapsed() < LIMIT {
        std::thread::sleep(TICK);
    }
}

/// A process that nobody has waited for yet is as good as gone.
fn is_alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

/// What is mounted below a directory, in the order in which it was.
fn mounts(directory: &Path) -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let places = table.lines().filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    places.filter(|place| place.starts_with(directory) && place != directory).collect()
}

fn unmount(place: &Path) -> Outcome {
    let output = Command::new("umount").arg(place).output().map_err(|error| format!("`umount`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`umount {}`: {}", place.display(), String::from_utf8_lossy(&output.stderr).trim()))
}

/// What CNI has written about a pod names the pod's network, which is mounted below the cluster's directory.
fn speaks_of(path: &Path, directory: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.contains(&format!("\"netns\":\"{}/", directory.display()))
}

fn remove_those(directory: &str, is_ours: impl Fn(&Path) -> bool) -> Outcome {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| is_ours(path)).try_for_each(|path| remove_all(&path))
}

fn remove_all(path: &Path) -> Outcome {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    removed.map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_leftover_and_logs_stay() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(clear(&directory.path().join("never made")), Ok(()));
        for file in ["log/kubelet", "etcd/member", "cluster.json"] {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        assert_eq!(clear(directory.path()), Ok(()));
        assert!(directory.path().join("log/kubelet").exists());
        assert!(!directory.path().join("etcd").exists() && !directory.path().join("cluster.json").exists());
    }

    #[test]
    fn what_cni_remembers_is_ours_if_the_network_is() {
        let directory = tempfile::tempdir().unwrap();
        let (result, cluster) = (directory.path().join("lab-0f3a-eth0"), Path::new("/somewhere/cluster"));
        std::fs::write(&result, r#"{"kind":"x","netns":"/somewhere/cluster/containerd/state/n"}"#).unwrap();
        assert!(speaks_of(&result, cluster));
        assert!(!speaks_of(&result, Path::new("/somewhere/clus")));
    }

    #[test]
    fn a_service_that_outlived_its_supervisor_is_ended_and_somebody_elses_process_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let pids = directory.path().join("pids");
        std::fs::create_dir_all(&pids).unwrap();
        let stray =
            |at: &Path| Command::new("tail").args(["-f", "/dev/null"]).current_dir(at).spawn().unwrap();
        let (mut ours, mut theirs) = (stray(directory.path()), stray(Path::new("/")));
        std::fs::write(pids.join("etcd"), ours.id().to_string()).unwrap();
        std::fs::write(pids.join("kubelet"), theirs.id().to_string()).unwrap();
        assert_eq!(clear(directory.path()), Ok(()));
        assert!(ours.wait().unwrap().code().is_none(), "it was killed");
        assert!(theirs.try_wait().unwrap().is_none(), "it still runs");
        theirs.kill().unwrap();
        theirs.wait().unwrap();
    }
}
