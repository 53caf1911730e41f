//! Packets are lost and nobody says so, as when a node or its cable goes: two network namespaces and the link between them. Needs root.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use plimsoll_testkit::server::{Flavour, Options};
use plimsoll_testkit::wait::wait_for;

use super::{Phase, migrations, through};
use crate::scene::{Own, Server, deploy, left, own_mysql, own_postgres, project, undisturbed};

/// A network of its own for a runner, and the link to this machine.
struct Elsewhere {
    name: String,
    /// The first three numbers of the addresses: `.1` is this machine, `.2` the runner.
    prefix: String,
}

impl Elsewhere {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = std::process::id();
        // From the addresses that are set aside for measurements of networks.
        let prefix = format!("198.{}.{}", 18 + number % 2, (id + number / 2) % 256);
        let elsewhere = Self { name: format!("pl{id}n{number}"), prefix };
        let Self { name, prefix } = &elsewhere;
        ip(&format!("netns add {name}"));
        ip(&format!("link add {name} type veth peer name peer netns {name}"));
        ip(&format!("address add {prefix}.1/30 dev {name}"));
        ip(&format!("link set {name} up"));
        ip(&format!("-n {name} address add {prefix}.2/30 dev peer"));
        ip(&format!("-n {name} link set peer up"));
        elsewhere.probe_often();
        elsewhere
    }

    /// Where a driver sets no limits, the kernel's hold: for what is probed, and for what was sent and not acknowledged. Here they
    /// are short.
    fn probe_often(&self) {
        let script = "cd /proc/sys/net/ipv4 && echo 3 > tcp_keepalive_intvl && echo 2 > tcp_keepalive_probes \
                      && echo 5 > tcp_retries2";
        let status = Command::new("ip").args(["netns", "exec", &self.name, "sh", "-c", script]).status();
        assert!(status.is_ok_and(|status| status.success()), "the namespace has settings of its own");
    }

    fn pull(&self) {
        ip(&format!("link set {} down", self.name));
    }

    fn plug(&self) {
        ip(&format!("link set {} up", self.name));
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // The link goes with one of its ends.
        let _gone = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status();
    assert!(status.is_ok_and(|status| status.success()), "`ip {arguments}` failed: this test needs root");
}

/// Pulls the cable in the middle of a migration, and plugs it in when the run has noticed: how long that took.
async fn pulled<S: Server>(server: Own<S>) -> Duration {
    let (kind, phase) = (server.kind(), Phase::Apply);
    let migrations = migrations(kind, phase);
    let expected = undisturbed(kind, &server.empty().await, &migrations).await;
    let base = server.empty().await;
    deploy(&project(kind, base.url(), &migrations[..1])).run().expect_code(0);
    let elsewhere = Elsewhere::new();
    let (_, port) = base.served().expect("it has a server");
    let address = through(&base, port).host(&format!("{}.1", elsewhere.prefix));
    let there = project(kind, address.url(), &migrations);
    let gate = phase.gate(&base).await;
    let run = deploy(&there).in_network(&elsewhere.name).within(Duration::from_mins(2));
    let running = run.spawn();
    phase.reached(&base, &running).await;
    elsewhere.pull();
    let begun = Instant::now();
    running.wait_for_stderr("connecting again");
    let took = begun.elapsed();
    elsewhere.plug();
    gate.open().await;
    let ended = running.wait().expect_code(0);
    assert_eq!(left(&base).await, expected, "{ended}");
    deploy(&project(kind, base.url(), &migrations)).run().expect_code(0);
    took
}

/// It takes the half minute that the limit is. All servers are tried at once.
#[test]
fn a_cable_that_is_pulled_is_noticed_and_made_up_for() {
    let everywhere = Options::default().setting("bind-address", "0.0.0.0");
    let postgres = own_postgres(&Options::default().setting("listen_addresses", "*"));
    let (mysql, mariadb) = (own_mysql(Flavour::Mysql, &everywhere), own_mysql(Flavour::Mariadb, &everywhere));
    std::thread::scope(|scope| {
        let postgres = scope.spawn(|| wait_for(pulled(postgres)));
        let mysql = scope.spawn(|| wait_for(pulled(mysql)));
        let mariadb = scope.spawn(|| wait_for(pulled(mariadb)));
        for took in [postgres, mysql, mariadb] {
            let took = took.join().expect("it has said why");
            assert!((5..60).contains(&took.as_secs()), "{took:?}");
        }
    });
}
