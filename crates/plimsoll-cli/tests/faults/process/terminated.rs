//! SIGTERM at every step of what a run and its server say to each other, counted, so that no phase of a run is left to chance.

use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::proxy::{Deed, Moment, Proxy, Side, Strike};
use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::transcript::Transcript;
use plimsoll_testkit::wait::wait_for;

use crate::scene::{INIT, MOST_AFTER_SIGNAL, ONE, POSTGRES, assert_says, deploy, project};

/// One transaction, segments, one in the script's own words.
const ON_POSTGRES: [(&str, &str); 4] = [
    ("1_init", INIT),
    ("2_one", ONE),
    (
        "3_index",
        "UPDATE counter SET n = n + 1;\nCREATE INDEX CONCURRENTLY i ON counter (n);\nUPDATE counter SET n = n + 1;\n",
    ),
    ("4_own", "BEGIN;\nUPDATE counter SET n = n + 1;\nCOMMIT;\n"),
];

/// More than are on the way at once.
const TOGETHER: [(&str, &str); 12] = [
    ("01_init", INIT),
    ("02_more", "CREATE TABLE more (n INTEGER);"),
    ("03_more", "ALTER TABLE more ADD COLUMN a INTEGER;"),
    ("04_more", ONE),
    ("05_more", "ALTER TABLE more ADD COLUMN b INTEGER;"),
    ("06_more", "ALTER TABLE more ADD COLUMN c INTEGER;"),
    ("07_more", ONE),
    ("08_more", "ALTER TABLE more ADD COLUMN d INTEGER;"),
    ("09_more", "ALTER TABLE more ADD COLUMN e INTEGER;"),
    ("10_more", ONE),
    ("11_more", "ALTER TABLE more ADD COLUMN f INTEGER;"),
    ("12_more", ONE),
];

/// One transaction, and definitions between changes of rows.
const ON_MYSQL: [(&str, &str); 3] = [
    ("1_init", INIT),
    ("2_two", "UPDATE counter SET n = n + 1;\nUPDATE counter SET n = n + 1;\n"),
    (
        "3_index",
        "UPDATE counter SET n = n + 1;\nCREATE INDEX i ON counter (n);\nUPDATE counter SET n = n + 1;\n",
    ),
];

/// So often is `n` counted up by either.
const COUNTED: &str = "4";

/// A kind of database with what is applied to it.
#[derive(Clone, Copy)]
struct Tale {
    kind: Kind,
    migrations: &'static [(&'static str, &'static str)],
}

/// Ends a run at one step, and has the next one finish: false if the run ended before that step.
async fn ends_and_is_taken_up(tale: Tale, worker: usize, strike: Strike) -> bool {
    let base = tale.kind.missing_for(worker);
    let (protocol, port) = base.served().expect("it is on a server");
    let proxy = Proxy::start(protocol, port, strike);
    let through = project(tale.kind, base.url_through(proxy.port()), tale.migrations);
    let running = deploy(&through).arg("--verbose").spawn();
    proxy.runner(running.pid());
    let ended = running.wait();
    let took = proxy.struck_for();
    proxy.runner_ended();
    if let Some(took) = took {
        assert!(took < MOST_AFTER_SIGNAL, "{strike:?}: it took {took:?} to end:\n{ended}");
        says_what_became_of_it(&ended, strike, &base).await;
    }
    let next = deploy(&through.env_url(base.url())).run();
    assert_eq!(next.code(), Some(0), "{strike:?}\n{ended}\nand then\n{next}");
    assert_eq!(base.value("SELECT n FROM counter").await, COUNTED, "{strike:?}\n{ended}\nand then\n{next}");
    let history = base.history().await;
    let finished = history.iter().filter(|row| row.finished_at.is_some()).count();
    assert_eq!(
        (finished, history.len()),
        (tale.migrations.len(), finished),
        "{strike:?}\n{ended}\nand then\n{next}"
    );
    took.is_some()
}

/// A run that was ended says so, and names nothing as committed that is not. One whose work was done by then may say that.
async fn says_what_became_of_it(ended: &Transcript, strike: Strike, base: &Base) {
    let history = if base.exists().await { base.history().await } else { Vec::new() };
    let finished =
        |name: &str| history.iter().any(|row| row.migration_name == name && row.finished_at.is_some());
    let said = ended.stderr.lines().filter_map(|line| line.strip_prefix("applied ")?.split(' ').next());
    for name in said.filter(|name| name.contains('_')) {
        assert!(finished(name), "{strike:?}: {name} is not applied:\n{ended}");
    }
    match ended.code() {
        Some(0) => assert!(ended.stdout.contains("applied in"), "{strike:?}\n{ended}"),
        Some(143) => assert_says(&ended.stderr, &["PLM301", "interrupted"]),
        _ => panic!("{strike:?}\n{ended}"),
    }
}

/// Which steps are struck at: the first of them, and how many later the next one is.
#[derive(Clone, Copy)]
struct Steps(usize, usize);

/// Strikes at steps of one side, with so many runs at once: most of the time they wait.
fn at_steps(tale: Tale, deed: Deed, side: Side, workers: usize, Steps(first, every): Steps) {
    let next = AtomicUsize::new(first);
    let work = async |worker| loop {
        let number = next.fetch_add(every, Ordering::Relaxed);
        let strike = Strike { deed, side, moment: Moment::Before, number };
        if !ends_and_is_taken_up(tale, worker, strike).await {
            break;
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let work = &work;
            scope.spawn(move || wait_for(work(worker)));
        }
    });
    let steps = next.into_inner() - every * workers;
    assert!(steps > tale.migrations.len(), "a run of {steps} steps cannot have been all of it");
}

/// The runner has just said something that its server has not heard yet.
#[test]
fn a_run_on_postgresql_ends_at_every_step_that_it_is_told_to() {
    let tale = Tale { kind: POSTGRES, migrations: &ON_POSTGRES };
    at_steps(tale, Deed::Terminate, Side::Runner, 3, Steps(1, 1));
}

/// The server has done what it was asked for, and its answer does not arrive, nor anything else.
#[test]
fn a_run_on_postgresql_that_hears_nothing_any_more_ends_at_every_step() {
    let tale = Tale { kind: POSTGRES, migrations: &ON_POSTGRES };
    at_steps(tale, Deed::TerminateUnheard, Side::Server, 8, Steps(1, 1));
}

/// What is behind the one that is cancelled is there already.
#[test]
fn a_run_with_several_on_the_way_ends_at_every_step_that_it_is_told_to() {
    let tale = Tale { kind: POSTGRES, migrations: &TOGETHER };
    at_steps(tale, Deed::Terminate, Side::Runner, 3, Steps(1, 1));
}

#[test]
fn a_run_with_several_on_the_way_that_hears_nothing_any_more_ends_at_every_step() {
    let tale = Tale { kind: POSTGRES, migrations: &TOGETHER };
    at_steps(tale, Deed::TerminateUnheard, Side::Server, 8, Steps(1, 1));
}

/// They speak the same protocol, and share the steps: there are many.
#[test]
fn a_run_on_mysql_and_mariadb_ends_at_every_step_that_it_is_told_to() {
    for (first, flavour) in [(1, Flavour::Mysql), (2, Flavour::Mariadb)] {
        let tale = Tale { kind: Kind::Mysql(flavour), migrations: &ON_MYSQL };
        at_steps(tale, Deed::Terminate, Side::Runner, 2, Steps(first, 2));
    }
}

#[test]
fn a_run_on_mysql_that_hears_nothing_any_more_ends_at_every_third_step() {
    let tale = Tale { kind: Kind::Mysql(Flavour::Mysql), migrations: &ON_MYSQL };
    at_steps(tale, Deed::TerminateUnheard, Side::Server, 2, Steps(1, 3));
}
