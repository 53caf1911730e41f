//! `examples/mysql`: a project with a migration that cannot be one transaction.

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::wait::until_async;

use crate::project::{copy, migrations};

const OWNERS: &str = "20260316070000_owners";

fn project(base: &Base) -> Project {
    copy("mysql", &["prisma"]).env_url(base.url())
}

/// What the migrations have made of the harbour: two metres of water under each keel, and each ship with its owner.
async fn is_as_it_should_be(base: &Base) {
    let ships = "SELECT CONCAT_WS(' ', Ship.name, Owner.name, Berth.depth) FROM Ship JOIN Owner ON Owner.id = Ship.ownerId \
                 JOIN Berth ON Berth.shipId = Ship.id ORDER BY Ship.id";
    let ships: Vec<String> = base.query(ships).await.into_iter().flatten().flatten().collect();
    assert_eq!(
        ships,
        ["Ark Noah & Sons 8.50", "Argo Jason 3.20", "Beagle The Navy 5.80", "Endeavour The Navy 6.30"]
    );
    let history = base.history().await;
    assert!(history.iter().all(|row| row.finished_at.is_some() && row.rolled_back_at.is_none()));
    assert_eq!(history.len(), 3);
    assert!(history.iter().all(|row| row.applied_steps_count == "1"), "as Prisma would have it");
}

async fn the_harbour(flavour: Flavour) {
    let base = Kind::Mysql(flavour).missing();
    let project = project(&base);
    assert_eq!(migrations(&project).len(), 3);
    let deploy = || plimsoll(&project).args(["deploy", "--schema=prisma/schema.prisma"]);
    deploy().run().expect_code(0);
    is_as_it_should_be(&base).await;
    plimsoll(&project).args(["status", "--schema=prisma/schema.prisma"]).run().expect_code(0);
    assert_eq!(deploy().run().expect_code(0).stdout, "up to date\n");
}

/// A runner is killed while its eighth statement waits. The server does not know, and carries that one out.
async fn the_harbour_after_a_kill(flavour: Flavour) {
    let base = Kind::Mysql(flavour).empty().await;
    let project = project(&base);
    let deploy = || plimsoll(&project).args(["deploy", "--schema=prisma/schema.prisma"]);
    let owners = project.migrations().join(OWNERS);
    let aside = project.join(OWNERS);
    std::fs::rename(&owners, &aside).expect("the copy is ours");
    deploy().run().expect_code(0);
    std::fs::rename(&aside, &owners).expect("the copy is ours");
    let database = base.mysql();
    let reader = database.reading("Berth").await;
    let mut first = deploy().spawn();
    let waiting = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = '{}' \
         AND STATE = 'Waiting for table metadata lock'",
        database.name()
    );
    until_async("a statement waits", async || database.value(&waiting).await == "1").await;
    first.kill();
    first.wait();
    reader.release().await;
    deploy().run().expect_code(0);
    is_as_it_should_be(&base).await;
}

#[tokio::test]
async fn a_killed_runner_is_followed_by_one_that_carries_on_on_mysql() {
    the_harbour_after_a_kill(Flavour::Mysql).await;
}

#[tokio::test]
async fn a_killed_runner_is_followed_by_one_that_carries_on_on_mariadb() {
    the_harbour_after_a_kill(Flavour::Mariadb).await;
}

#[tokio::test]
async fn the_harbour_is_built_on_mysql() {
    the_harbour(Flavour::Mysql).await;
}

#[tokio::test]
async fn the_harbour_is_built_on_mariadb() {
    the_harbour(Flavour::Mariadb).await;
}
