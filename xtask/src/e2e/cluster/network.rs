//! The network between the pods and this machine, and the ports on it.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::process::Outcome;

/// Names the bridge, for whoever has to remove it.
pub(super) const BRIDGE_FILE: &str = "bridge";

/// `10.244.N.0/24` behind the bridge `plimN`, whose address is the node's and this machine's.
pub(super) struct Network {
    number: u8,
}

impl Network {
    /// Takes the first number that is free. Making the bridge is what takes it: two cannot have the same.
    pub(super) fn claim(directory: &Path) -> Outcome<Self> {
        let claimed = (0..=254).map(|number| Self { number }).find(Self::make_bridge);
        let network =
            claimed.ok_or("no bridge can be made with `ip link add … type bridge`: is this root?")?;
        let file = directory.join(BRIDGE_FILE);
        std::fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        std::fs::write(&file, network.bridge()).map_err(|error| format!("{}: {error}", file.display()))?;
        let address = format!("{}/24", network.host());
        // Kernels without the `dummy` kind of link have no better place for the node's address than the bridge.
        ip(&["address", "add", &address, "dev", &network.bridge()])?;
        ip(&["link", "set", &network.bridge(), "up"])?;
        Ok(network)
    }

    fn make_bridge(&self) -> bool {
        ip(&["link", "add", &self.bridge(), "address", &self.hardware(), "type", "bridge"]).is_ok()
    }

    /// The name of the bridge.
    pub(super) fn bridge(&self) -> String {
        format!("plim{}", self.number)
    }

    /// The bridge's hardware address, made of the other one. A bridge that is given none has the lowest of those that are plugged
    /// into it: whenever that pod went, the others would talk to somebody who is not there, until they ask again who has
    /// the address.
    fn hardware(&self) -> String {
        format!("0a:58:0a:f4:{:02x}:01", self.number)
    }

    /// The address under which pods reach this machine.
    pub(super) fn host(&self) -> String {
        format!("10.244.{}.1", self.number)
    }

    /// The addresses of the pods, as CNI's `host-local` wants them: the first ones are left for this machine.
    pub(super) fn range(&self) -> (String, String) {
        (format!("10.244.{}.0/24", self.number), format!("10.244.{}.10", self.number))
    }
}

/// Removes a bridge, and with it the way to every pod that is still on it.
pub(super) fn remove(bridge: &str) -> Outcome {
    ip(&["link", "delete", bridge])
}

fn ip(words: &[&str]) -> Outcome {
    let output = Command::new("ip").args(words).output().map_err(|error| format!("`ip`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`ip {}`: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

/// Ports on this machine. The scheduler and the controller manager listen on none.
pub(super) struct Ports {
    pub(super) etcd: u16,
    pub(super) etcd_peer: u16,
    pub(super) api: u16,
    pub(super) kubelet: u16,
    pub(super) registry: u16,
}

impl Ports {
    /// Five that are free now, looked for together so that they differ.
    pub(super) fn free() -> Outcome<Self> {
        let listeners: Vec<TcpListener> = (0..5)
            .map(|_| TcpListener::bind("0.0.0.0:0"))
            .collect::<Result<_, _>>()
            .map_err(|error| none_free(&error))?;
        let ports = listeners.iter().map(|one| one.local_addr().map(|address| address.port()));
        let ports: Vec<u16> = ports.collect::<Result<_, _>>().map_err(|error| none_free(&error))?;
        let [etcd, etcd_peer, api, kubelet, registry] = ports[..] else { return Err("five are five".into()) };
        Ok(Self { etcd, etcd_peer, api, kubelet, registry })
    }
}

/// The URL of a port on this machine.
pub(super) fn local(scheme: &str, port: u16) -> String {
    format!("{scheme}://127.0.0.1:{port}")
}

fn none_free(error: &std::io::Error) -> String {
    format!("no port is free: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_together() {
        let network = Network { number: 7 };
        assert_eq!(network.bridge(), "plim7");
        assert_eq!(network.host(), "10.244.7.1");
        assert_eq!(Network { number: 244 }.hardware(), "0a:58:0a:f4:f4:01");
        assert_eq!(network.range(), ("10.244.7.0/24".to_owned(), "10.244.7.10".to_owned()));
    }

    #[test]
    fn ports_differ() {
        let ports = Ports::free().unwrap();
        let mut all = [ports.etcd, ports.etcd_peer, ports.api, ports.kubelet, ports.registry];
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn what_ip_refuses_is_told_in_its_own_words() {
        assert!(ip(&["link", "delete", "plim-none"]).unwrap_err().contains("plim-none"));
    }
}
