//! The network is bad from the beginning: while a run connects, agrees on TLS, and logs in.

use std::time::Duration;

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::proxy::Side;
use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::toxiproxy::{Toxic, Toxiproxy};

use super::through;
use crate::scene::{INIT, ONE, POSTGRES, deploy, left, project, undisturbed};

const MIGRATIONS: [(&str, &str); 2] = [("1_init", INIT), ("2_one", ONE)];

/// The first words of both, the keys and certificates of TLS, and the login behind them.
const BAD: [Toxic; 9] = [
    Toxic::Reset,
    Toxic::Silence,
    Toxic::Timeout(Duration::from_millis(20)),
    Toxic::Limit(Side::Server, 1),
    Toxic::Limit(Side::Server, 200),
    Toxic::Limit(Side::Server, 1100),
    Toxic::Limit(Side::Runner, 8),
    Toxic::Limit(Side::Runner, 150),
    Toxic::Limit(Side::Runner, 350),
];

async fn bad_from_the_beginning(kind: Kind) {
    let expected = undisturbed(kind, &kind.empty().await, &MIGRATIONS).await;
    let base = kind.empty().await;
    let (_, port) = base.served().expect("it has a server");
    let network = Toxiproxy::start(port);
    let address = through(&base, network.port()).parameter("sslaccept", "accept_invalid_certs");
    let address = match base {
        Base::Postgres(_) => address.parameter("sslmode", "require"),
        _ => address,
    };
    let project = project(kind, address.parameter("connect_timeout", "1").url(), &MIGRATIONS);
    for toxic in BAD {
        network.poison(toxic);
        let ended = deploy(&project).arg("--wait=300ms").run();
        network.heal();
        assert_eq!(ended.code(), Some(69), "{kind:?} {toxic:?}\n{ended}");
        // How many bytes a login has is for libraries and certificates to say: the longest may end behind it.
        let codes =
            if matches!(toxic, Toxic::Limit(_, 350..)) { &["P1001", "P1017"][..] } else { &["P1001"] };
        assert!(codes.iter().any(|code| ended.stderr.contains(code)), "{kind:?} {toxic:?}\n{ended}");
        assert_eq!(base.history().await, [], "{toxic:?}");
    }
    network.poison(Toxic::Limit(Side::Server, 200));
    let running = deploy(&project).spawn();
    running.wait_for_stderr("waiting for up to 60 s");
    network.heal();
    running.wait().expect_code(0);
    assert_eq!(left(&base).await, expected);
}

#[tokio::test]
async fn a_network_that_is_bad_while_a_run_connects_is_waited_for() {
    for kind in [POSTGRES, Kind::Mysql(Flavour::Mysql), Kind::Mysql(Flavour::Mariadb)] {
        bad_from_the_beginning(kind).await;
    }
}
