//! One node of Kubernetes with its control plane, a registry and a name server, as processes of this machine.
//!
//! Everything that they write is below one directory. Ports, the network and its bridge are chosen when they start, so that
//! the clusters of several working copies can run at once.

mod leftovers;
mod network;
mod node;
mod pki;
mod service;
mod settings;

use std::process::Command;
use std::time::{Duration, Instant};

use super::{Places, leash};
use crate::process::Outcome;
use crate::say;
use network::{Network, Ports};
use node::Node;
use service::Service;

/// What the process that owns the cluster says when it can be used.
pub(super) const READY: &str = "e2e: the cluster is ready";

/// A node that is slow is no failure; this one takes 11 s on two cores.
const START_LIMIT: Duration = Duration::from_mins(3);
const TICK: Duration = Duration::from_millis(100);

/// Brings the cluster up, and takes it down when the process that asked for it lets go.
pub(super) fn supervise(places: &Places) -> Outcome {
    let directory = places.cluster();
    // What a supervisor left that was killed itself.
    leftovers::clear(&directory)?;
    let cluster = Cluster::start(Node::new(places, Network::claim(&directory)?, Ports::free()?)?)?;
    say(READY);
    leash::wait_for_the_end();
    cluster.stop()
}

struct Cluster {
    node: Node,
    /// In the order in which they were started.
    services: Vec<Service>,
}

impl Cluster {
    fn start(node: Node) -> Outcome<Self> {
        let mut cluster = Self { node, services: Vec::new() };
        match cluster.bring_up() {
            Ok(()) => Ok(cluster),
            Err(why) => {
                let logs = cluster.node.directory.join("log");
                // What went wrong first is what a person wants to read.
                let _ = cluster.stop();
                Err(format!("{why}\nThe logs are in {}", logs.display()))
            }
        }
    }

    fn bring_up(&mut self) -> Outcome {
        settings::write(&self.node)?;
        pki::write(&self.node)?;
        self.launch("etcd", self.node.etcd())?;
        self.launch("registry", Node::registry())?;
        self.launch("dns", self.node.dns())?;
        self.launch("apiserver", self.node.apiserver())?;
        self.launch("containerd", self.node.containerd())?;
        self.wait_until("the API server is ready", self.node.kubectl(&["get", "--raw", "/readyz"]))?;
        self.launch("manager", self.node.manager())?;
        self.launch("scheduler", self.node.scheduler())?;
        self.wait_until("containerd answers", self.node.ctr(&["version"]))?;
        self.launch("kubelet", self.node.kubelet())?;
        let ready = ["wait", "--for=condition=Ready", "--timeout=5s", "node/lab"];
        self.wait_until("the node is ready", self.node.kubectl(&ready))?;
        self.wait_until("pods can be made", self.node.kubectl(&["get", "serviceaccount", "default"]))?;
        self.node.describe()
    }

    fn launch(&mut self, name: &'static str, command: Command) -> Outcome {
        self.services.push(Service::start(&self.node.directory, name, command)?);
        Ok(())
    }

    /// Tries a command until it succeeds, unless one of the services has given up.
    fn wait_until(&self, what: &str, mut command: Command) -> Outcome {
        let begun = Instant::now();
        while !service::succeeds(&mut command) {
            self.services.iter().try_for_each(Service::check)?;
            if begun.elapsed() > START_LIMIT {
                return Err(format!("not within {START_LIMIT:?}: {what}"));
            }
            std::thread::sleep(TICK);
        }
        Ok(())
    }

    /// Ends the services, the last one first: the API server cannot end well without etcd. Pods go with their node.
    fn stop(mut self) -> Outcome {
        while let Some(service) = self.services.pop() {
            service.stop();
        }
        leftovers::clear(&self.node.directory)
    }
}
