//! The real Prisma runs on the testkit's projects and databases.

use plimsoll_core::Provider;
use plimsoll_testkit::database::SqliteDatabase;
use plimsoll_testkit::prisma;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Version, postgres};

const INIT: &str =
    "CREATE TABLE \"User\" (\"id\" INTEGER PRIMARY KEY);\nCREATE TABLE \"Post\" (\"id\" INTEGER);\n";
const BODY: &str =
    "CREATE FUNCTION two() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; RETURN 2; END $$;\n";

#[tokio::test]
async fn prisma_deploys_a_project_to_postgresql() {
    let database = postgres(Version::V15).database().await;
    let project = Project::new(Provider::Postgresql).migration("20240101000000_init", INIT);
    let project = project.migration("20240102000000_body", BODY);
    let transcript = prisma::deploy(&project, &database.url()).expect_code(0);
    assert!(transcript.stdout.contains("All migrations have been successfully applied."), "{transcript}");
    assert!(transcript.to_string().starts_with("$ prisma migrate deploy\n"), "{transcript}");
    let history = database.history().await;
    let names: Vec<_> = history.iter().map(|row| row.migration_name.as_str()).collect();
    assert_eq!(names, ["20240101000000_init", "20240102000000_body"]);
    assert!(history.iter().all(|row| row.id == "<id>" && row.finished_at.as_deref() == Some("<time>")));
    assert!(database.schema_dump().contains("CREATE FUNCTION public.two()"));
}

#[tokio::test]
async fn prisma_honours_the_schema_of_the_url() {
    let database = postgres(Version::V18).database().await;
    let project = Project::new(Provider::Postgresql).migration("20240101000000_init", INIT);
    let url = database.address().parameter("schema", "other").url();
    prisma::deploy(&project, &url).expect_code(0);
    assert_eq!(database.history_of("other").await.len(), 1);
    assert_eq!(database.value("SELECT to_regclass('other.\"User\"') IS NOT NULL").await, "t");
}

#[test]
fn prisma_deploys_a_project_to_sqlite() {
    let database = SqliteDatabase::new();
    let project = Project::new(Provider::Sqlite).migration("20240101000000_init", INIT);
    prisma::deploy(&project, &database.url()).expect_code(0);
    prisma::status(&project, &database.url()).expect_code(0);
    assert_eq!(database.history().len(), 1);
    assert!(database.schema_dump().contains("CREATE TABLE \"User\""));
}

#[test]
fn prisma_resolves() {
    let database = SqliteDatabase::new();
    let project = Project::new(Provider::Sqlite).migration("20240101000000_init", INIT);
    prisma::deploy(&project, &database.url()).expect_code(0);
    project.set_migration("20240102000000_late", INIT);
    let before = prisma::status(&project, &database.url()).expect_code(1);
    assert!(before.stdout.contains("20240102000000_late"), "{before}");
    prisma::resolve(&project, &database.url(), &["--applied", "20240102000000_late"]).expect_code(0);
    assert_eq!(database.history()[1].applied_steps_count, "0");
    let again =
        prisma::resolve(&project, &database.url(), &["--applied", "20240102000000_late"]).expect_code(1);
    assert!(again.stderr.contains("P3008"), "{again}");
}

#[tokio::test]
async fn prisma_tells_the_status_of_an_empty_postgresql() {
    let database = postgres(Version::V13).database().await;
    let project = Project::new(Provider::Postgresql).migration("20240101000000_init", INIT);
    let transcript = prisma::status(&project, &database.url()).expect_code(1);
    assert!(transcript.stdout.contains("have not yet been applied"), "{transcript}");
}
