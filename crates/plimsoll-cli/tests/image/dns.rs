//! A cluster's DNS: the names of its services, `NXDOMAIN` for everything else that would be inside.

use plimsoll_testkit::program::{Program, Running, Signal};
use plimsoll_testkit::project::Project;

use crate::container::Image;

/// A DNS server on a loopback address of its own. It ends with its owner.
pub(crate) struct Dns {
    running: Running,
}

impl Dns {
    /// An address that only this test uses. Port 53 is the only one that a resolver asks, and every address has its own.
    pub(crate) fn address(test: u8) -> String {
        let process = std::process::id().to_be_bytes();
        format!("127.{}.{}.{}", 100 + test, process[2], process[3])
    }

    /// A server that knows these names as `127.0.0.1`, below `cluster.local` or `example.org`.
    pub(crate) fn start(address: &str, names: &[&str]) -> Self {
        let records = names.iter().map(|name| format!("--host-record={name},127.0.0.1"));
        let server = Program::new("dnsmasq", "dnsmasq".into(), &Project::empty())
            .current_dir("/".as_ref())
            .args(["--keep-in-foreground", "--log-facility=-", "--log-queries", "--user=root", "--pid-file"])
            .args(["--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces"])
            .args(["--local=/cluster.local/", "--local=/example.org/"])
            .arg(format!("--listen-address={address}"))
            .args(records);
        let running = server.spawn();
        running.wait_for_stderr("started");
        Self { running }
    }

    /// The names that it was asked for so far, in this order, each once.
    pub(crate) fn questions(mut self) -> Vec<String> {
        self.running.signal(Signal::TERM);
        let log = self.running.wait().stderr;
        let mut names: Vec<String> = log.lines().filter_map(question).map(str::to_owned).collect();
        names.dedup();
        names
    }
}

/// `query[A] NAME from ADDRESS`.
fn question(line: &str) -> Option<&str> {
    line.split_once("query[")?.1.split_whitespace().nth(1)
}

/// What the kubelet writes for a pod of the namespace `harbour`.
pub(crate) fn as_in_a_pod(image: &Image, address: &str) {
    let text = format!(
        "search harbour.svc.cluster.local svc.cluster.local cluster.local\nnameserver {address}\noptions ndots:5\n"
    );
    std::fs::write(image.file("etc/resolv.conf"), text).expect("the image has a directory `etc`");
}
