//! The command lines of everything that runs.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::super::{Places, binaries, programs};
use super::network::{Network, Ports, local};
use crate::process::Outcome;

/// What the command lines and settings are made from.
pub(super) struct Node {
    /// Everything that the cluster writes; commands run in it.
    pub(super) directory: PathBuf,
    /// Kubernetes and containerd.
    pub(super) binaries: PathBuf,
    /// The application that runs in the pods.
    application: PathBuf,
    /// Plimsoll's image.
    image: PathBuf,
    /// Where pods and this machine meet.
    pub(super) network: Network,
    /// Where the servers listen.
    pub(super) ports: Ports,
}

impl Node {
    /// A node with its directories, and nothing running yet.
    pub(super) fn new(places: &Places, network: Network, ports: Ports) -> Outcome<Self> {
        let (directory, binaries) = (places.cluster(), binaries::place(places));
        for below in ["cni", "containerd/certs.d/_default", "kubelet", "log", "pids", "pki", "registry"] {
            let path = directory.join(below);
            std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Self {
            directory,
            binaries,
            application: programs::application(places),
            image: programs::image(places),
            network,
            ports,
        })
    }

    /// Tells the tests, in `cluster.json`, where everything is.
    pub(super) fn describe(&self) -> Outcome {
        let path = self.directory.join("cluster.json");
        let text = json!({
            "kubeconfig": self.directory.join("admin.conf"),
            "binaries": self.binaries,
            "application": self.application,
            "image": self.image,
            "host": self.network.host(),
            "registry": format!("127.0.0.1:{}", self.ports.registry),
            "storage": self.directory.join("images"),
            "containerd": self.directory.join("pids/containerd"),
        });
        std::fs::write(&path, format!("{text:#}\n")).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The store of the API server. A test's data need not outlive the machine.
    pub(super) fn etcd(&self) -> Command {
        let (clients, peers) = (local("http", self.ports.etcd), local("http", self.ports.etcd_peer));
        let mut command = Command::new("etcd");
        command.args(["--data-dir=etcd", "--unsafe-no-fsync"]);
        command
            .arg(format!("--listen-client-urls={clients}"))
            .arg(format!("--advertise-client-urls={clients}"));
        command.arg(format!("--listen-peer-urls={peers}"));
        command.arg(format!("--initial-advertise-peer-urls={peers}"));
        command.arg(format!("--initial-cluster=default={peers}"));
        command
    }

    /// Where images are pushed to and pulled from, as in real life: a pull policy means what it says.
    pub(super) fn registry() -> Command {
        let mut command = Command::new("docker-registry");
        command.args(["serve", "registry.yaml"]);
        command
    }

    /// The names of the cluster, of which there is one: `database.shop.svc.cluster.local` is this machine.
    pub(super) fn dns(&self) -> Command {
        let host = self.network.host();
        let mut command = Command::new("dnsmasq");
        command.args([
            "--no-daemon",
            "--no-resolv",
            "--no-hosts",
            "--bind-interfaces",
            "--conf-file=/dev/null",
        ]);
        command.arg(format!("--listen-address={host}")).arg("--local=/cluster.local/");
        command.arg(format!("--host-record=database.shop.svc.cluster.local,{host}"));
        command
    }

    /// The API server, which reaches a webhook in a pod by its address: there is no kube-proxy.
    pub(super) fn apiserver(&self) -> Command {
        let mut command = self.kubelab("kube-apiserver");
        command.arg(format!("--etcd-servers={}", local("http", self.ports.etcd)));
        command.arg(format!("--secure-port={}", self.ports.api));
        command.arg(format!("--advertise-address={}", self.network.host()));
        command.args([
            "--service-cluster-ip-range=10.96.0.0/16",
            "--client-ca-file=pki/ca.crt",
            "--tls-cert-file=pki/apiserver.crt",
            "--tls-private-key-file=pki/apiserver.key",
            "--service-account-key-file=pki/sa.pub",
            "--service-account-signing-key-file=pki/sa.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            "--kubelet-client-certificate=pki/admin.crt",
            "--kubelet-client-key=pki/admin.key",
            "--kubelet-preferred-address-types=InternalIP",
            "--enable-aggregator-routing=true",
        ]);
        command
    }

    /// The controllers: Deployments, Jobs, service accounts.
    pub(super) fn manager(&self) -> Command {
        let mut command = self.kubelab("kube-controller-manager");
        command.args([
            "--kubeconfig=manager.conf",
            "--service-account-private-key-file=pki/sa.key",
            "--root-ca-file=pki/ca.crt",
            "--use-service-account-credentials",
            "--leader-elect=false",
            "--secure-port=0",
        ]);
        command
    }

    /// The scheduler, with one node to choose from.
    pub(super) fn scheduler(&self) -> Command {
        let mut command = self.kubelab("kube-scheduler");
        command.args(["--kubeconfig=scheduler.conf", "--leader-elect=false", "--secure-port=0"]);
        command
    }

    /// The container runtime.
    pub(super) fn containerd(&self) -> Command {
        let mut command = Command::new(self.binaries.join("containerd"));
        command.args(["--config", "containerd/config.toml"]);
        command
    }

    /// The node's agent.
    pub(super) fn kubelet(&self) -> Command {
        let mut command = self.kubelab("kubelet");
        command.args([
            "--config=kubelet/config.yaml",
            "--kubeconfig=kubelet.conf",
            "--hostname-override=lab",
        ]);
        command.arg(format!("--node-ip={}", self.network.host()));
        command.arg(format!("--root-dir={}", self.directory.join("kubelet/root").display()));
        command
    }

    /// A client of the API server with every right, and with little patience.
    pub(super) fn kubectl(&self, words: &[&str]) -> Command {
        let mut command = self.kubelab("kubectl");
        command
            .arg("--kubeconfig")
            .arg(self.directory.join("admin.conf"))
            .arg("--request-timeout=10s")
            .args(words);
        command
    }

    /// A client of containerd, with as little.
    pub(super) fn ctr(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.binaries.join("ctr"));
        command.arg("--address").arg(self.containerd_socket()).args(["--timeout", "10s"]).args(words);
        command
    }

    /// The socket of containerd. The shims of its containers carry it on their command lines.
    pub(super) fn containerd_socket(&self) -> PathBuf {
        self.directory.join("containerd/containerd.sock")
    }

    fn kubelab(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join("kubelab"));
        command.arg(program);
        command
    }
}
