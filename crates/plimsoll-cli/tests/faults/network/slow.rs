//! A network that is slow and loses nothing.

use std::time::Duration;

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::toxiproxy::{Toxic, Toxiproxy};

use crate::scene::{INIT, POSTGRES, deploy, left, project, undisturbed};

/// Deploys through such a network, which has to take at least so long.
async fn slowly(kind: Kind, toxic: Toxic, at_least: Duration) {
    // Inside of the statement: a comment before one is not sent to every server.
    let long = format!("UPDATE counter SET n = n + 1 WHERE '{}' <> '';", "x".repeat(60_000));
    let migrations = [("1_init", INIT), ("2_long", &long)];
    let expected = undisturbed(kind, &kind.empty().await, &migrations).await;
    let base = kind.empty().await;
    let (_, port) = base.served().expect("it has a server");
    let network = Toxiproxy::start(port);
    network.poison(toxic);
    let project = project(kind, base.url_through(network.port()), &migrations);
    let ended = deploy(&project).run().expect_code(0);
    assert!(ended.elapsed >= at_least, "{kind:?} {toxic:?}: only {:?}", ended.elapsed);
    assert!(!ended.stderr.contains("connecting again"), "{ended}");
    network.heal();
    deploy(&project).run().expect_code(0);
    assert_eq!(left(&base).await, expected, "{kind:?} {toxic:?}");
}

#[tokio::test]
async fn a_slow_network_only_takes_longer() {
    for kind in [POSTGRES, Kind::Mysql(Flavour::Mysql), Kind::Mysql(Flavour::Mariadb)] {
        // Ten questions and answers at least, each of them twice 30 ms; and one second for the long script.
        slowly(kind, Toxic::Latency(Duration::from_millis(30)), Duration::from_millis(600)).await;
        slowly(kind, Toxic::Bandwidth(60), Duration::from_millis(900)).await;
    }
}
