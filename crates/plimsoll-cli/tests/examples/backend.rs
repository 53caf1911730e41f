//! `examples/backend`: a service on Prisma's client whose database Plimsoll brings up to date.

use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::Database;
use plimsoll_testkit::example;
use plimsoll_testkit::program::Signal;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Version, postgres};

use crate::http::{free_port, get};
use crate::project::{copy, migrations};

async fn scene() -> (Database<'static>, Project) {
    let database = postgres(Version::V18).database().await;
    let project = copy("backend", &["prisma", "prisma.config.ts", "package.json"]);
    let project = project.env_url(database.url());
    (database, project)
}

#[tokio::test]
async fn the_backend_serves_what_its_migrations_have_made() {
    let (database, project) = scene().await;
    plimsoll(&project).args(["migrate", "deploy", "--schema=./prisma/schema.prisma"]).run().expect_code(0);
    let applied: Vec<_> = database.history().await.into_iter().map(|row| row.migration_name).collect();
    assert_eq!(applied, migrations(&project));
    let port = free_port();
    let mut backend = example::backend(&project, port).spawn();
    backend.wait_for_stdout("listening");
    let (status, health) = get(port, "/healthz");
    assert_eq!((status, health["loadLines"].as_u64()), (200, Some(3)), "{health}");
    let (status, ships) = get(port, "/ships");
    assert_eq!((status, ships[0]["name"].as_str()), (200, Some("Ark")), "{ships}");
    assert_eq!(ships[0]["loadLine"]["centimetres"], 400);
    assert_eq!(get(port, "/nothing").0, 404);
    backend.signal(Signal::TERM);
    let end = backend.wait().expect_code(0);
    assert!(end.stdout.contains("\"stopped\""), "{end}");
}

#[tokio::test]
async fn the_backend_tells_when_it_was_started_before_its_last_migration() {
    let (_database, project) = scene().await;
    let last = migrations(&project).pop().expect("the example has migrations");
    project.remove_migration(&last);
    plimsoll(&project).args(["deploy"]).run().expect_code(0);
    let end = example::backend(&project, free_port()).run().expect_code(1);
    assert!(end.stdout.contains("started before its database was ready"), "{end}");
}

#[tokio::test]
async fn the_health_of_the_backend_is_that_of_its_table() {
    let (database, project) = scene().await;
    plimsoll(&project).args(["deploy"]).run().expect_code(0);
    let port = free_port();
    let backend = example::backend(&project, port).spawn();
    backend.wait_for_stdout("listening");
    assert_eq!(get(port, "/healthz").0, 200);
    database.execute("DROP TABLE \"LoadLine\"").await;
    assert_eq!(get(port, "/healthz").0, 503);
}

#[test]
fn the_manifest_after_is_what_inject_makes_of_the_one_before() {
    let project = copy("backend", &["k8s"]);
    let injected = plimsoll(&project).args(["inject", "k8s/before/deployment.yaml"]).run().expect_code(0);
    assert_eq!(
        injected.stdout,
        project.read("k8s/after/deployment.yaml"),
        "make it anew with `plimsoll inject`"
    );
    let removed = plimsoll(&project).args(["inject", "--remove", "k8s/after/deployment.yaml"]).run();
    assert_eq!(removed.expect_code(0).stdout, project.read("k8s/before/deployment.yaml"));
}
