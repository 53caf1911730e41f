//! The connection stays and nothing comes through: what stands between a run and its server is alive and has lost it. The kernel
//! notices nothing then.

use std::time::Duration;

use plimsoll_testkit::server::{Flavour, Options};
use plimsoll_testkit::toxiproxy::{Toxic, Toxiproxy};
use plimsoll_testkit::wait::wait_for;

use super::{Phase, migrations, through};
use crate::scene::{Server, assert_says, deploy, left, own_mysql, own_postgres, project, undisturbed};

/// What a silence in this phase comes to, with these parameters in the URL: so many seconds later, an end that says so.
async fn silent<S: Server>(server: &'static S, phase: Phase, parameters: &[(&str, &str)]) -> Duration {
    let kind = server.kind();
    let migrations = migrations(kind, phase);
    let expected = undisturbed(kind, &server.empty().await, &migrations).await;
    let base = server.empty().await;
    deploy(&project(kind, base.url(), &migrations[..1])).run().expect_code(0);
    let network = Toxiproxy::start(base.served().expect("it has a server").1);
    let short = through(&base, network.port()).parameter("connect_timeout", "1");
    let address = parameters.iter().fold(short, |address, (name, value)| address.parameter(name, value));
    let project = project(kind, address.url(), &migrations);
    let gate = phase.gate(&base).await;
    let running = deploy(&project).arg("--wait=500ms").within(Duration::from_secs(90)).spawn();
    phase.reached(&base, &running).await;
    network.poison(Toxic::Silence);
    let ended = running.wait().expect_code(69);
    assert_says(&ended.stderr, &["connecting again", "P1001"]);
    network.heal();
    gate.open().await;
    deploy(&project).run().expect_code(0);
    assert_eq!(left(&base).await, expected, "{phase:?}\n{ended}");
    ended.elapsed
}

/// The one test that takes so long: half a minute is the limit itself. Those who wait do it at once.
#[test]
fn a_server_that_falls_silent_while_the_lock_is_waited_for_is_lost_after_half_a_minute() {
    let limit = Duration::from_secs(30);
    let postgres = own_postgres(&Options::default());
    let (mysql, mariadb) =
        (own_mysql(Flavour::Mysql, &Options::default()), own_mysql(Flavour::Mariadb, &Options::default()));
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(wait_for(silent(*postgres, Phase::Lock, &[])) >= limit));
        scope.spawn(|| assert!(wait_for(silent(*mysql, Phase::Lock, &[])) >= limit));
        scope.spawn(|| assert!(wait_for(silent(*mariadb, Phase::Lock, &[])) >= limit));
        scope.spawn(|| assert!(wait_for(silent(*postgres, Phase::Read, &[])) >= limit));
    });
}

/// A statement may take as long as it likes, unless the URL says how long.
#[test]
fn a_server_that_falls_silent_behind_a_statement_is_lost_after_its_socket_timeout() {
    let servers = [Flavour::Mysql, Flavour::Mariadb].map(|flavour| own_mysql(flavour, &Options::default()));
    std::thread::scope(|scope| {
        for server in &servers {
            scope.spawn(|| wait_for(silent(**server, Phase::Apply, &[("socket_timeout", "1")])));
        }
    });
}
