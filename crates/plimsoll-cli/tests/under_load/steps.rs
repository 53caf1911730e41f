//! A run can be struck before and after every step that it takes: the next one finishes, nothing is done twice, and nobody
//! can tell afterwards. Steps are counted, so that none of them is left to chance.

mod mysql;
mod postgres;
mod sqlite;

use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::database::Rows;
use plimsoll_testkit::history::HistoryRow;
use plimsoll_testkit::kill::{Struck, struck};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::proxy::{Deed, Moment, Side, Strike};
use plimsoll_testkit::transcript::Transcript;
use plimsoll_testkit::wait::wait_for;

use crate::story::deploy;

/// Migrations with the kind of database that they are for. Each script counts: whatever is done twice, or not at all, shows in
/// the tables `counter` or `log`.
#[derive(Clone, Copy)]
struct Tale {
    kind: Kind,
    migrations: &'static [(&'static str, &'static str)],
    /// What `counter` shows at the end.
    counted: &'static str,
    /// How many steps there are for each migration at least.
    least: usize,
}

fn project(tale: Tale, base: &Base) -> Project {
    let project = Project::new(tale.kind.provider()).env_url(base.url());
    for (name, script) in tale.migrations {
        project.set_migration(name, script);
    }
    project
}

/// What is in a database, comparable between databases.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    schema: String,
    data: [Rows; 2],
    invalid_indexes: Rows,
    history: Vec<HistoryRow>,
}

async fn found(base: &Base) -> Found {
    let data =
        [base.query("SELECT n FROM counter").await, base.query("SELECT what FROM log ORDER BY what").await];
    let invalid_indexes = match base {
        Base::Postgres(database) => {
            database.query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid").await
        }
        Base::Mysql(_) | Base::Sqlite(_) => Rows::new(),
    };
    Found { schema: base.schema_dump(), data, invalid_indexes, history: base.history().await }
}

async fn undisturbed(tale: Tale) -> Found {
    let base = tale.kind.missing();
    deploy(&project(tale, &base)).run().expect_code(0);
    assert_eq!(base.value("SELECT n FROM counter").await, tale.counted);
    found(&base).await
}

/// What a step was, and how the run ended that was struck there: it stands in front of every failure.
fn told(strike: &impl std::fmt::Debug, first: &Transcript, next: &Transcript) -> String {
    format!("{strike:?}\n{first}\nand then\n{next}")
}

/// So many runs at once. Most of the time they wait: for the disk of the server, or for a lock.
const WORKERS: usize = 5;

/// Strikes at every step of one side.
fn at_every_step(tale: Tale, deed: Deed, side: Side, moment: Moment) {
    let expected = wait_for(undisturbed(tale));
    let next = AtomicUsize::new(1);
    let work = async |worker| {
        let strike = || Strike { deed, side, moment, number: next.fetch_add(1, Ordering::Relaxed) };
        while is_taken_up(&tale.kind.missing_for(worker), tale, strike(), &expected).await {}
    };
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let work = &work;
            scope.spawn(move || wait_for(work(worker)));
        }
    });
    // Each of them has found out for itself that there are no more.
    let steps = next.into_inner() - 1 - WORKERS;
    assert!(steps > tale.least * tale.migrations.len(), "a run of {steps} steps cannot have been all of it");
}

/// Strikes one run, and has the next one finish: false if it ended before the step.
async fn is_taken_up(base: &Base, tale: Tale, strike: Strike, expected: &Found) -> bool {
    let (struck, project) = struck(base, project(tale, base), strike, deploy);
    let (Struck::AtStep(first) | Struck::Never(first)) = &struck;
    let next = deploy(&project).run();
    let told = told(&strike, first, &next);
    assert_eq!(next.code(), Some(0), "{told}");
    match first.code() {
        // It has said that everything is done.
        Some(0) => assert_eq!(next.stdout, "up to date\n", "{told}"),
        // Whoever looks at the code knows that another start may help.
        Some(code) => assert!([69, 75].contains(&code), "{told}"),
        None => {}
    }
    assert_eq!(found(base).await, *expected, "{told}");
    let at_step = matches!(struck, Struck::AtStep(_));
    assert!(at_step || first.code() == Some(0), "nobody has disturbed it: {told}");
    at_step
}
