//! A network that closes every connection behind so many bytes: where messages of an undisturbed run end, and in the middle of
//! some. [`plimsoll_testkit::proxy`] cuts one connection once; here the next one does not get further, either.

use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::proxy::{Proxy, Side};
use plimsoll_testkit::server::{Flavour, mysql_for};
use plimsoll_testkit::toxiproxy::{Toxic, Toxiproxy};
use plimsoll_testkit::wait::wait_for;

use super::through;
use crate::scene::{INIT, Left, ONE, POSTGRES, deploy, left, project, undisturbed};

/// One transaction, and one script that cannot be one.
fn migrations(kind: Kind) -> [(&'static str, &'static str); 3] {
    let parts = match kind {
        Kind::Postgres(_) => {
            "UPDATE counter SET n = n + 10;\nCREATE INDEX CONCURRENTLY counter_n ON counter (n);\nUPDATE counter SET n = n + 100;"
        }
        _ => {
            "UPDATE counter SET n = n + 10;\nALTER TABLE counter ADD COLUMN m INTEGER;\nUPDATE counter SET n = n + 100;"
        }
    };
    [("1_init", INIT), ("2_one", ONE), ("3_parts", parts)]
}

/// Without TLS, so that what is counted are messages.
fn url(base: &Base, port: u16) -> String {
    let address = through(base, port);
    let plain =
        if matches!(base, Base::Postgres(_)) { address.parameter("sslmode", "disable") } else { address };
    plain.url()
}

/// Where the messages of a run end, and the middle of every third, in bytes from the beginning of the connection.
async fn positions(kind: Kind) -> Vec<(Side, usize)> {
    let base = kind.empty().await;
    let (protocol, port) = base.served().expect("it has a server");
    let watched = Proxy::watch(protocol, port);
    deploy(&project(kind, url(&base, watched.port()), &migrations(kind))).run().expect_code(0);
    let mut positions = Vec::new();
    for side in [Side::Runner, Side::Server] {
        let mut end = 0;
        for (number, length) in watched.lengths(side).into_iter().enumerate() {
            if number % 3 == 0 {
                positions.push((side, end + length / 2));
            }
            end += length;
            positions.push((side, end));
        }
    }
    positions
}

/// Lets a run and its connections get no further than this, and the next one as far as it likes.
async fn limited(
    kind: Kind,
    base: &Base,
    network: &Toxiproxy,
    (side, bytes): (Side, usize),
    expected: &Left,
) {
    let project = project(kind, url(base, network.port()), &migrations(kind));
    network.poison(Toxic::Limit(side, bytes));
    let first = deploy(&project).arg("--wait=0").run();
    network.heal();
    let next = deploy(&project).run();
    let told = format!("{side:?} {bytes}\n{first}\n{next}");
    assert_eq!(next.code(), Some(0), "{told}");
    match first.code() {
        Some(0) => assert_eq!(next.stdout, "up to date\n", "{told}"),
        code => assert!(matches!(code, Some(69 | 75)), "{told}"),
    }
    assert_eq!(left(base).await, *expected, "{told}");
}

/// So many runs at once. Most of the time they wait before they connect again.
const WORKERS: usize = 10;

/// An empty database, on one of several servers if the lock is one for all of a server's.
async fn empty(kind: Kind, worker: usize) -> Base {
    match kind {
        Kind::Mysql(flavour) => Base::Mysql(mysql_for(flavour, worker).database().await),
        other => other.empty().await,
    }
}

fn at_every(kind: Kind, step: usize) {
    let positions: Vec<_> = wait_for(positions(kind)).into_iter().step_by(step).collect();
    assert!(positions.len() > 20, "a run of {} positions cannot have been all of it", positions.len());
    let expected = wait_for(async { undisturbed(kind, &kind.empty().await, &migrations(kind)).await });
    let next = AtomicUsize::new(0);
    let work = async |worker| {
        let (_, port) = empty(kind, worker).await.served().expect("it has a server");
        let network = Toxiproxy::start(port);
        while let Some(position) = positions.get(next.fetch_add(1, Ordering::Relaxed)) {
            limited(kind, &empty(kind, worker).await, &network, *position, &expected).await;
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let work = &work;
            scope.spawn(move || wait_for(work(worker)));
        }
    });
}

#[test]
fn connections_to_postgresql_that_all_end_at_the_same_byte_are_given_up_and_made_up_for() {
    at_every(POSTGRES, 1);
}

/// It takes a message for each statement, so that every second one is tried.
#[test]
fn connections_to_mysql_that_all_end_at_the_same_byte_are_given_up_and_made_up_for() {
    at_every(Kind::Mysql(Flavour::Mysql), 2);
}

#[test]
fn connections_to_mariadb_that_all_end_at_the_same_byte_are_given_up_and_made_up_for() {
    at_every(Kind::Mysql(Flavour::Mariadb), 2);
}
