//! Kubernetes and containerd, compiled from their sources by Go, once a version.

use std::path::{Path, PathBuf};

use super::Places;
use crate::go::Go;
use crate::process::{Outcome, run};
use crate::say;

/// The newest Kubernetes that Go's module below `e2e/cluster` is made of.
const KUBERNETES: &str = "v1.36.3";
/// The first containerd with image volumes is 2.1; Debian 12 has 1.6.
const CONTAINERD: &str = "v2.4.2";
/// Written last, with all sources of ours in it: if it is there and equal, everything was built.
const STAMP: &str = ".built";

/// Where they are: another version, another place.
pub(super) fn place(places: &Places) -> PathBuf {
    places.target().join(format!("bin-{KUBERNETES}-{CONTAINERD}"))
}

/// Builds what is not built yet. The first time takes minutes, and downloads from Go's module proxy.
pub(super) fn build(places: &Places) -> Outcome {
    let (sources, place) = (places.root.join("e2e/cluster"), place(places));
    let wanted = stamp(&sources)?;
    if std::fs::read_to_string(place.join(STAMP)).is_ok_and(|built| built == wanted) {
        say(&format!("e2e: {}: is built", place.display()));
        return Ok(());
    }
    let go = Go::find(&places.root)?;
    run(go
        .command(&sources, &place)
        .args(["build", "-ldflags", &stripped(), "-o"])
        .arg(place.join("kubelab"))
        .arg("."))?;
    run(go
        .command(&sources, &place)
        .args(["build", "-ldflags", "-s -w", "-o"])
        .arg(place.join("pause"))
        .arg("./pause"))?;
    containerd(&go, &place)?;
    std::fs::write(place.join(STAMP), wanted).map_err(|error| format!("{}: {error}", place.display()))
}

/// A program that says no version is refused by its own clients.
fn stripped() -> String {
    let (major, minor) = ("1", "36");
    let set = "k8s.io/component-base/version.git";
    format!("-s -w -X {set}Version={KUBERNETES} -X {set}Major={major} -X {set}Minor={minor}")
}

/// Its module is not ours: the two want different versions of the same libraries.
fn containerd(go: &Go, place: &Path) -> Outcome {
    let programs = ["containerd", "containerd-shim-runc-v2", "ctr"]
        .map(|name| format!("github.com/containerd/containerd/v2/cmd/{name}@{CONTAINERD}"));
    // Storage that a test's node does not use and that wants libraries of C.
    let without = ["-tags", "no_btrfs no_devmapper no_zfs"];
    run(go.command(Path::new("/"), place).args(["install", "-ldflags", "-s -w"]).args(without).args(programs))
}

fn stamp(sources: &Path) -> Outcome<String> {
    let files = ["go.mod", "go.sum", "main.go", "pause/main.go"];
    files.iter().map(|name| sources.join(name)).try_fold(CONTAINERD.to_owned(), |text, path| {
        let more = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(text + &more)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_go_module() {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/cluster/go.mod");
        let text = std::fs::read_to_string(module).unwrap();
        assert!(text.contains(&format!("k8s.io/kubernetes {KUBERNETES}\n")));
        assert!(KUBERNETES.starts_with("v1.36."), "`stripped` says so too");
    }

    #[test]
    fn what_is_built_already_is_not_built_again() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places { root: directory.path().to_owned() };
        let (sources, place) = (directory.path().join("e2e/cluster"), place(&places));
        std::fs::create_dir_all(sources.join("pause")).unwrap();
        std::fs::create_dir_all(&place).unwrap();
        // None of it is Go: success means that the compiler was not asked.
        for name in ["go.mod", "go.sum", "main.go", "pause/main.go"] {
            std::fs::write(sources.join(name), name).unwrap();
        }
        std::fs::write(place.join(STAMP), stamp(&sources).unwrap()).unwrap();
        assert_eq!(build(&places), Ok(()));
    }
}
