//! A history that somebody else creates, or takes the place away from, after it was looked for: the next look tells what there is.

use std::path::Path;

use plimsoll_core::Secret;
use plimsoll_core::url::DatabaseUrl;
use plimsoll_engine::postgres::Scope;
use plimsoll_engine::{Backend, Kind, Mysql, Postgres, Session, Sqlite};
use plimsoll_testkit::base::{self, Base};
use plimsoll_testkit::server::{Flavour, Version};

/// As any of the kinds can create it.
const THEIRS: &str = "CREATE TABLE _prisma_migrations (id INTEGER)";

/// Creates a history after `meanwhile`, which somebody does who has been faster.
async fn is_overtaken_by(backend: impl Backend, base: &Base, meanwhile: &str) {
    let mut session = backend.connect(None).await.expect("it lets us in");
    session.read().await.expect("there is nothing yet");
    session.try_lock(None).await.expect("nobody holds it");
    base.execute(meanwhile).await;
    let error = session.create_history().await.expect_err("it is not ours");
    assert_eq!(error.kind, Kind::Overtaken, "{meanwhile}: {}", error.diagnostic);
    session.close().await;
}

#[tokio::test]
async fn a_history_that_appears_while_it_is_created_is_looked_for_again() {
    let postgres = Version::ALL.map(base::Kind::Postgres);
    let mysql = Flavour::EACH.map(base::Kind::Mysql);
    for kind in postgres.into_iter().chain(mysql).chain([base::Kind::Sqlite]) {
        let base = kind.empty().await;
        match DatabaseUrl::parse(kind.provider(), &Secret::new(base.url()), Path::new("/")) {
            Ok(DatabaseUrl::Postgres(url)) => {
                let backend = Postgres::new(*url, "us", Scope::default()).expect("it can be used");
                is_overtaken_by(backend, &base, THEIRS).await;
            }
            Ok(DatabaseUrl::Mysql(url)) => {
                let backend = Mysql::new(*url, "us", Vec::new()).expect("it can be used");
                is_overtaken_by(backend, &base, THEIRS).await;
            }
            Ok(DatabaseUrl::Sqlite(url)) => {
                is_overtaken_by(Sqlite::new(url, "us", Vec::new()), &base, THEIRS).await;
            }
            Err(error) => panic!("it is a URL: {error}"),
        }
    }
}

#[tokio::test]
async fn a_schema_that_is_gone_when_the_history_is_created_is_looked_for_again() {
    for version in Version::ALL {
        let base = base::Kind::Postgres(version).empty().await;
        let url =
            DatabaseUrl::parse(plimsoll_core::Provider::Postgresql, &Secret::new(base.url()), Path::new("/"));
        let Ok(DatabaseUrl::Postgres(url)) = url else { panic!("it is a URL") };
        let backend = Postgres::new(*url, "us", Scope::default()).expect("it can be used");
        is_overtaken_by(backend, &base, "DROP SCHEMA public").await;
    }
}
