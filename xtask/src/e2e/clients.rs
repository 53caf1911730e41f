//! The programs of other people that manifests go through on their way to a cluster, compiled by Go, once a version.

use std::path::{Path, PathBuf};

use super::{Places, binaries};
use crate::go::Go;
use crate::process::{Outcome, run};
use crate::say;

/// The directory of each, and what is in it. Two versions of Helm are in use, which mean different things by a post-renderer.
const CLIENTS: [(&str, &str); 3] = [
    ("kustomize", "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"),
    ("helm3", "helm.sh/helm/v3/cmd/helm@v3.22.0"),
    ("helm4", "helm.sh/helm/v4/cmd/helm@v4.3.1"),
];
/// Written last, with what was built in it: if it is there and equal, everything was.
const STAMP: &str = ".built";

fn place(places: &Places) -> PathBuf {
    places.target().join("clients")
}

/// Builds what is not built yet, and puts kubectl beside it, which is a part of the cluster's program.
pub(super) fn build(places: &Places) -> Outcome {
    let (place, kubelab) = (place(places), binaries::place(places).join("kubelab"));
    let wanted = format!("{}\n{CLIENTS:?}", kubelab.display());
    if std::fs::read_to_string(place.join(STAMP)).is_ok_and(|built| built == wanted) {
        say(&format!("e2e: {}: is built", place.display()));
        return Ok(());
    }
    let go = Go::find(&places.root)?;
    for (name, program) in CLIENTS {
        // They are other people's modules, each with its own idea of the versions of the same libraries.
        let mut install = go.command(Path::new("/"), &place.join(name));
        run(install.args(["install", "-ldflags", "-s -w", program]))?;
    }
    link(&kubelab, &place.join("kubelab"))?;
    std::fs::write(place.join(STAMP), wanted).map_err(|error| format!("{}: {error}", place.display()))
}

/// Puts a link where there may be one of another version.
fn link(to: &Path, at: &Path) -> Outcome {
    let _ = std::fs::remove_file(at);
    std::os::unix::fs::symlink(to, at).map_err(|error| format!("{}: {error}", at.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_pinned() {
        for (_, program) in CLIENTS {
            let version = program.rsplit_once("@v").map(|(_, version)| version);
            assert!(version.is_some_and(|version| version.split('.').count() == 3), "{program}");
        }
    }

    #[test]
    fn a_link_of_another_version_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().join("kubelab");
        link(Path::new("old"), &at).unwrap();
        link(Path::new("new"), &at).unwrap();
        assert_eq!(std::fs::read_link(at).unwrap(), Path::new("new"));
    }
}
