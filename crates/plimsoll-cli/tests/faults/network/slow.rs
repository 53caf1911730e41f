//! A network that is slow and loses nothing.

use std::time::Duration;

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::toxiproxy::{Toxic, Toxiproxy};

use crate::scene::{INIT, POSTGRES, deploy, left, project, undisturbed};

async fn slowly(kind: Kind, toxic: Toxic) {
    let long = format!("-- {}\nUPDATE counter SET n = n + 1;", "x".repeat(60_000));
    let migrations = [("1_init", INIT), ("2_long", &long)];
    let expected = undisturbed(kind, &kind.empty().await, &migrations).await;
    let base = kind.empty().await;
    let (_, port) = base.served().expect("it has a server");
    let network = Toxiproxy::start(port);
    network.poison(toxic);
    let project = project(kind, base.url_through(network.port()), &migrations);
    let ended = deploy(&project).run().expect_code(0);
    assert!(!ended.stderr.contains("connecting again"), "{ended}");
    assert_eq!(left(&base).await, expected, "{kind:?} {toxic:?}");
}

#[tokio::test]
async fn a_slow_network_only_takes_longer() {
    for kind in [POSTGRES, Kind::Mysql(Flavour::Mysql), Kind::Mysql(Flavour::Mariadb)] {
        slowly(kind, Toxic::Latency(Duration::from_millis(30))).await;
        slowly(kind, Toxic::Bandwidth(60)).await;
    }
}
