//! A connection that is begun before anybody asks for it, on a real PostgreSQL.

use std::path::Path;

use plimsoll_core::Secret;
use plimsoll_core::url::{DatabaseUrl, PostgresUrl};
use plimsoll_engine::postgres::Scope;
use plimsoll_engine::{Backend, Postgres, Session};
use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::server::Version;
use plimsoll_testkit::wait::until_async;

/// The connections to a database, in the order in which they were begun, but for the one that asks.
const OTHERS: &str = "SELECT coalesce(string_agg(application_name || ' ' || pid, ',' ORDER BY backend_start), '') \
                      FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn empty() -> (Base, PostgresUrl) {
    let kind = Kind::Postgres(Version::V18);
    let base = kind.empty().await;
    match DatabaseUrl::parse(kind.provider(), &Secret::new(base.url()), Path::new("/")) {
        Ok(DatabaseUrl::Postgres(url)) => (base, *url),
        other => panic!("it is a URL: {other:?}"),
    }
}

#[tokio::test]
async fn what_was_begun_is_used_by_the_first_session_and_by_no_other() {
    let (base, url) = empty().await;
    let backend = Postgres::new(url, "app", Scope::default()).expect("it can be used");
    assert!(backend.begin_to_connect());
    until_async("it is there before it is asked for", async || base.value(OTHERS).await.contains("app "))
        .await;
    let begun = base.value(OTHERS).await;
    let mut first = backend.connect(None).await.expect("it lets us in");
    first.read().await.expect("it answers");
    assert_eq!(base.value(OTHERS).await, begun, "it has made no other one");
    let mut second = backend.connect(None).await.expect("it lets us in");
    second.read().await.expect("it answers");
    let both = base.value(OTHERS).await;
    assert!(both.starts_with(&begun) && both.matches("app ").count() == 2, "{begun}, {both}");
    first.close().await;
    second.close().await;
}

/// Whoever asks gets to know what became of it, and may try again.
#[tokio::test]
async fn what_was_begun_in_vain_is_told_to_the_first_who_asks() {
    let (base, mut later) = empty().await;
    let missing = format!("{}_later", later.database);
    later.database.clone_from(&missing);
    let backend = Postgres::new(later, "app", Scope::default()).expect("it can be used");
    assert!(backend.begin_to_connect());
    let error = backend.connect(None).await.err().expect("there is no such database");
    assert!(error.diagnostic.message.contains(&missing), "{}", error.diagnostic);
    base.execute(&format!("CREATE DATABASE \"{missing}\" TEMPLATE template0")).await;
    backend.connect(None).await.expect("it is there now").close().await;
    base.execute(&format!("DROP DATABASE \"{missing}\" WITH (FORCE)")).await;
}
