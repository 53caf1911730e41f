//! Deploying from inside of the image.

use plimsoll_core::Provider;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Version, postgres};

use crate::container::Image;

pub(crate) const SCHEMA: &str = "--schema=/app/prisma/schema.prisma";

/// A project with one migration.
pub(crate) fn ships(provider: Provider, url: &str) -> Project {
    let script = "CREATE TABLE \"Ship\" (\"name\" TEXT);\n";
    Project::new(provider).migration("20240101000000_ships", script).env_url(url)
}

#[test]
fn sqlite_needs_nothing_but_the_directory_of_its_file() {
    let image = Image::plain();
    let project = ships(Provider::Sqlite, "file:/data/ships.db");
    let first = image.run(&project, &["deploy", SCHEMA]).run().expect_code(0);
    assert!(first.stderr.contains("20240101000000_ships"), "{first}");
    image.run(&project, &["status", SCHEMA]).run().expect_code(0);
}

#[test]
fn a_place_where_nobody_may_write_is_an_error_and_not_a_crash() {
    let image = Image::plain();
    let project = ships(Provider::Sqlite, "file:/ships.db");
    let refused = image.run(&project, &["deploy", SCHEMA]).run();
    assert_eq!(refused.code(), Some(78), "{refused}");
    assert!(refused.stderr.contains("Read-only file system"), "{refused}");
}

#[tokio::test]
async fn postgresql_is_reached_by_its_address_without_a_resolver() {
    let image = Image::plain();
    assert!(!image.file("etc/resolv.conf").exists() && !image.file("etc/passwd").exists());
    assert!(!image.file("tmp").exists() && !image.file("etc/hosts").exists());
    let database = postgres(Version::V15).database().await;
    let project = ships(Provider::Postgresql, &database.url());
    image.run(&project, &["deploy", SCHEMA]).run().expect_code(0);
    assert_eq!(database.history().await.len(), 1);
}
