//! The cluster that `cargo xtask e2e` has started.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;

use crate::answer::Answer;

/// Where the cluster is, as it says itself in `cluster.json`.
pub struct Cluster {
    facts: Value,
}

/// The one cluster. Panics with the command that starts it when there is none.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let file = workspace().join("target/e2e/cluster/cluster.json");
        let text = std::fs::read_to_string(&file);
        let text =
            text.unwrap_or_else(|_| panic!("there is no cluster: run `cargo xtask e2e`, which starts one"));
        Cluster { facts: serde_json::from_str(&text).expect("the file is written by `cargo xtask e2e`") }
    })
}

/// The directory of the workspace. Cargo tells a test where its package is.
pub(crate) fn workspace() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR");
    let package = package.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().expect("the package is part of the workspace").to_owned()
}

impl Cluster {
    fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_else(|| panic!("`cluster.json` has no `{name}`"))
    }

    /// The address of this machine as pods see it.
    pub fn host(&self) -> &str {
        self.fact("host")
    }

    /// The address of the registry as this machine sees it.
    pub(crate) fn registry(&self) -> &str {
        self.fact("registry")
    }

    /// Where buildah keeps what it builds.
    pub(crate) fn storage(&self) -> &Path {
        Path::new(self.fact("storage"))
    }

    /// The program that holds a pod's network.
    pub(crate) fn pause(&self) -> PathBuf {
        Path::new(self.fact("binaries")).join("pause")
    }

    /// The application that the scenarios gate.
    pub(crate) fn application(&self) -> &Path {
        Path::new(self.fact("application"))
    }

    /// Plimsoll's image, as an archive.
    pub(crate) fn plimsoll_image(&self) -> PathBuf {
        Path::new(self.fact("image")).join("plimsoll.tar")
    }

    /// The binary that is in Plimsoll's image. It is static, so that it runs on this machine too.
    pub fn plimsoll(&self) -> PathBuf {
        Path::new(self.fact("image")).join("context/plain/plimsoll")
    }

    /// The number of containerd's process at this moment; `None` while it is being started.
    pub(crate) fn containerd(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.fact("containerd")).expect("the cluster is up");
        text.parse().ok()
    }

    /// Asks containerd.
    pub(crate) fn ctr(&self, words: &[&str]) -> Answer {
        let mut command = Command::new(Path::new(self.fact("binaries")).join("ctr"));
        command.arg("--address").arg(self.storage().with_file_name("containerd/containerd.sock"));
        Answer::to(command.args(words), "")
    }

    /// A client with every right. It belongs to the runtime of the test that asks for it.
    pub async fn client(&self) -> Client {
        let file = Kubeconfig::read_from(self.fact("kubeconfig")).expect("the cluster is up");
        let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
        Client::try_from(config.expect("the file names one cluster")).expect("its certificates are there")
    }

    /// Runs `kubectl` as an administrator does, with a text on its standard input.
    pub fn kubectl(&self, words: &[&str], input: &str) -> Answer {
        let mut command = Command::new(Path::new(self.fact("binaries")).join("kubelab"));
        command.arg("kubectl").arg("--kubeconfig").arg(self.fact("kubeconfig")).args(words);
        Answer::to(&mut command, input)
    }
}
