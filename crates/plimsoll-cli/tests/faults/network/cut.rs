//! The network goes in every phase of a run, and comes back: while the run still tries, or for the next one.

use std::time::Duration;

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::server::{Flavour, Options, Version, postgres};
use plimsoll_testkit::toxiproxy::{Toxic, Toxiproxy};
use plimsoll_testkit::wait::wait_for;

use super::phase::Gate;
use super::{Phase, migrations};
use crate::scene::{Left, POSTGRES, deploy, left, own_mysql, project, undisturbed};

/// For how long the network is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    /// Until the run has noticed.
    AMoment,
    /// Until the run has given up.
    Longer,
}

impl Lasts {
    /// A run that is to notice a moment has the time that a slow machine takes until the moment is over.
    fn wait(self) -> &'static str {
        match self {
            Self::AMoment => "--wait=30s",
            Self::Longer => "--wait=500ms",
        }
    }
}

/// A reset strikes what is said next: the server has done its work, and its answer is not heard. The others strike while it works, and
/// it does not notice.
const CUTS: [(Toxic, Lasts); 4] = [
    (Toxic::Reset, Lasts::AMoment),
    (Toxic::Reset, Lasts::Longer),
    (Toxic::Timeout(Duration::from_millis(20)), Lasts::AMoment),
    (Toxic::Timeout(Duration::from_millis(20)), Lasts::Longer),
];

/// Cuts a run in this phase, and looks at what comes of it.
async fn cut(kind: Kind, base: &Base, phase: Phase, (toxic, lasts): (Toxic, Lasts), expected: &Left) {
    let migrations = migrations(kind, phase);
    deploy(&project(kind, base.url(), &migrations[..1])).run().expect_code(0);
    let (_, port) = base.served().expect("it has a server");
    let network = Toxiproxy::start(port);
    let project = project(kind, base.url_through(network.port()), &migrations);
    let mut gate = Some(phase.gate(base).await);
    let running = deploy(&project).arg(lasts.wait()).spawn();
    phase.reached(base, &running).await;
    network.poison(toxic);
    if toxic == Toxic::Reset {
        open(&mut gate).await;
    }
    let code = match lasts {
        Lasts::AMoment => {
            running.wait_for_stderr("connecting again");
            network.heal();
            open(&mut gate).await;
            0
        }
        Lasts::Longer => 69,
    };
    let ended = running.wait().expect_code(code);
    network.heal();
    open(&mut gate).await;
    deploy(&project).run().expect_code(0);
    assert_eq!(left(base).await, *expected, "{phase:?} {toxic:?} {lasts:?}\n{ended}");
}

async fn open(gate: &mut Option<Gate>) {
    if let Some(gate) = gate.take() {
        gate.open().await;
    }
}

/// Cuts runs in one phase in every way, each in a database of its own.
async fn cut_in(kind: Kind, phase: Phase, empty: impl AsyncFn() -> Base) {
    let expected = undisturbed(kind, &empty().await, &migrations(kind, phase)).await;
    for how in CUTS {
        cut(kind, &empty().await, phase, how, &expected).await;
    }
}

#[test]
fn a_cut_in_every_phase_on_postgresql_is_made_up_for() {
    std::thread::scope(|scope| {
        for phase in Phase::all(POSTGRES) {
            let empty = async || Base::Postgres(postgres(Version::V15).database().await);
            scope.spawn(move || wait_for(cut_in(POSTGRES, *phase, empty)));
        }
    });
}

async fn on(flavour: Flavour) {
    // Its lock is one for the whole server, and is held for long here.
    let server = own_mysql(flavour, &Options::default());
    let kind = Kind::Mysql(flavour);
    for phase in Phase::all(kind) {
        cut_in(kind, *phase, async || Base::Mysql(server.database().await)).await;
    }
}

#[tokio::test]
async fn a_cut_in_every_phase_on_mysql_is_made_up_for() {
    on(Flavour::Mysql).await;
}

#[tokio::test]
async fn a_cut_in_every_phase_on_mariadb_is_made_up_for() {
    on(Flavour::Mariadb).await;
}
