//! The configuration files of the node, with the reasons for what is odd in them.

use super::network::local;
use super::node::Node;
use crate::process::Outcome;

/// Writes all of them.
pub(super) fn write(node: &Node) -> Outcome {
    let files = [
        ("cni/10-lab.conflist", cni(node)),
        ("containerd/certs.d/_default/hosts.toml", mirror(node)),
        ("containerd/config.toml", containerd(node)),
        ("kubelet/config.yaml", kubelet(node)),
        ("registry.yaml", registry(node)),
        // A kubelet hands the node's search domains and options on to its pods: these have none.
        ("resolv.conf", format!("nameserver {}\n", node.network.host())),
    ];
    files.iter().try_for_each(|(path, text)| {
        let path = node.directory.join(path);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    })
}

/// Pods and this machine talk directly. Nobody else does, so that nothing has to be masqueraded.
fn cni(node: &Node) -> String {
    let (bridge, (subnet, first)) = (node.network.bridge(), node.network.range());
    let leases = node.directory.join("cni/leases");
    let leases = leases.display();
    format!(
        r#"{{"cniVersion": "0.4.0", "name": "lab", "plugins": [
  {{"type": "bridge", "bridge": "{bridge}", "isGateway": true, "ipMasq": false, "hairpinMode": true,
    "ipam": {{"type": "host-local", "dataDir": "{leases}",
             "ranges": [[{{"subnet": "{subnet}", "rangeStart": "{first}"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}},
  {{"type": "loopback"}}
]}}
"#
    )
}

/// Every image comes from the cluster's own registry, whatever registry its name says.
fn mirror(node: &Node) -> String {
    let server = local("http", node.ports.registry);
    format!("server = \"{server}\"\n[host.\"{server}\"]\n  capabilities = [\"pull\", \"resolve\"]\n")
}

fn registry(node: &Node) -> String {
    let (store, port) = (node.directory.join("registry"), node.ports.registry);
    let store = store.display();
    format!(
        "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: '{store}'}}}}\n\
         http: {{addr: '127.0.0.1:{port}'}}\n"
    )
}

fn containerd(node: &Node) -> String {
    let (directory, socket) = (node.directory.display(), node.containerd_socket());
    let (socket, shim) = (socket.display(), node.binaries.join("containerd-shim-runc-v2"));
    let shim = shim.display();
    format!(
        r#"version = 3
root = "{directory}/containerd/root"
state = "{directory}/containerd/state"
[grpc]
  address = "{socket}"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "plimsoll.test/pause:1"
  [plugins.'io.containerd.cri.v1.images'.registry]
    config_path = "{directory}/containerd/certs.d"
[plugins.'io.containerd.cri.v1.runtime']
  # In a container or sandbox of its own, root may not raise what was lowered for it.
  restrict_oom_score_adj = true
  # What is mounted for the pods is found, and unmounted, below one directory.
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{directory}/cni"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    # runc and not crun: Debian's crun wants control groups of version 2.
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      runtime_path = "{shim}"
"#
    )
}

fn kubelet(node: &Node) -> String {
    let (directory, host, port) = (node.directory.display(), node.network.host(), node.ports.kubelet);
    let socket = node.containerd_socket();
    let socket = socket.display();
    format!(
        r#"apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
port: {port}
healthzPort: 0
authentication: {{anonymous: {{enabled: false}}, webhook: {{enabled: true}}, x509: {{clientCAFile: "{directory}/pki/ca.crt"}}}}
authorization: {{mode: Webhook}}
tlsCertFile: "{directory}/pki/kubelet.crt"
tlsPrivateKeyFile: "{directory}/pki/kubelet.key"
containerRuntimeEndpoint: "unix://{socket}"
# Search domains and `ndots:5` in every pod, as in any cluster.
clusterDomain: cluster.local
clusterDNS: ["{host}"]
resolvConf: "{directory}/resolv.conf"
maxPods: 200
podLogsDir: "{directory}/pods"
# There is no kube-proxy, and `iptables` need not be installed.
makeIPTablesUtilChains: false
# Control groups of version 1, which may not be arranged as the kubelet would like, and swap that it does not control.
cgroupDriver: cgroupfs
failCgroupV1: false
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
localStorageCapacityIsolation: false
# Errors about limits of the kernel that nobody may raise in here are only logged.
featureGates: {{KubeletInUserNamespace: true, KubeletCrashLoopBackOffMax: true}}
# Whoever fails is tried again within seconds: a test need not last as long as a night on call.
crashLoopBackOff: {{maxContainerRestartPeriod: 5s}}
# A Secret that is mounted changes within seconds, not within a minute.
syncFrequency: 5s
configMapAndSecretChangeDetectionStrategy: Watch
# The disk is not ours alone: its being full is no reason to throw pods or images away.
imageGCHighThresholdPercent: 100
evictionHard: {{memory.available: 50Mi, nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%"}}
"#
    )
}
