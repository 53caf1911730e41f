//! The connection stays and nothing comes through: what stands between a run and its server is alive and has lost it. The kernel
//! notices nothing then.

use std::ops::Range;
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

/// The limit, and twice that: what the machine has to do beside it, and connecting again for a while.
const HALF_A_MINUTE: Range<Duration> = Duration::from_secs(30)..Duration::from_mins(1);

/// The one test that takes so long: half a minute is the limit itself. Those who wait do it at once, and on MySQL and MariaDB, where
/// the lock is the whole server's, each on a server of its own.
#[test]
fn a_server_that_falls_silent_while_it_reads_or_the_lock_is_waited_for_is_lost_after_half_a_minute() {
    let postgres = own_postgres(&Options::default());
    let flavours = [Flavour::Mysql, Flavour::Mariadb];
    std::thread::scope(|scope| {
        for phase in [Phase::Read, Phase::Lock] {
            let postgres = *postgres;
            scope.spawn(move || took(HALF_A_MINUTE, postgres, phase, &[]));
            for flavour in flavours {
                scope
                    .spawn(move || took(HALF_A_MINUTE, *own_mysql(flavour, &Options::default()), phase, &[]));
            }
        }
    });
}

/// Fails unless a silence in this phase ends a run in this time.
fn took<S: Server>(time: Range<Duration>, server: &'static S, phase: Phase, parameters: &[(&str, &str)]) {
    let took = wait_for(silent(server, phase, parameters));
    assert!(time.contains(&took), "{:?}, {phase:?}: {took:?}", server.kind());
}

/// A statement may take as long as it likes, unless the URL says how long.
#[test]
fn a_server_that_falls_silent_behind_a_statement_is_lost_after_its_socket_timeout() {
    let servers = [Flavour::Mysql, Flavour::Mariadb].map(|flavour| own_mysql(flavour, &Options::default()));
    // Far from the half minute of a lock, which would be counted from the same moment.
    let time = Duration::from_secs(1)..Duration::from_secs(15);
    std::thread::scope(|scope| {
        for server in &servers {
            let time = time.clone();
            scope.spawn(move || took(time, **server, Phase::Apply, &[("socket_timeout", "1")]));
        }
    });
}
