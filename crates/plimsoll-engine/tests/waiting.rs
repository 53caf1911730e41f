//! What a waiter sees of the one who has the lock, on real databases.

use std::path::Path;

use plimsoll_core::Secret;
use plimsoll_core::url::{DatabaseUrl, MysqlUrl, PostgresUrl};
use plimsoll_engine::postgres::Scope;
use plimsoll_engine::{Backend, Lock, Mysql, Postgres, Session, Sqlite};
use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::server::{Flavour, Version};
use plimsoll_testkit::wait::until_async;

/// One that is done, one that was given up after it was, one that was given up, one that is under way.
const ROWS: &str = "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, rolled_back_at) VALUES \
     ('1', 'x', 'a', CURRENT_TIMESTAMP, NULL), ('2', 'x', 'b', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP), \
     ('3', 'x', 'c', NULL, CURRENT_TIMESTAMP), ('4', 'x', 'd', NULL, NULL)";

/// The two are of the same database. The holder is known under this name there, if the server tells.
async fn counts(holder: impl Backend, waiter: impl Backend, base: Base, known_as: Option<&str>) {
    let (mut holder, mut waiter) = (
        holder.connect(None).await.expect("it lets us in"),
        waiter.connect(None).await.expect("it lets us in"),
    );
    holder.read().await.expect("it answers");
    waiter.read().await.expect("it answers");
    assert_eq!(holder.try_lock(None).await.expect("it answers"), Lock::Taken);
    assert_eq!(waiter.try_lock(None).await.expect("it answers"), Lock::Held);
    let named = waiter.holder().await.expect("it answers").expect("somebody has it").application;
    assert!(known_as.is_none_or(|name| name == named), "{named}");
    assert_eq!(waiter.count_finished().await.expect("it answers"), Some(0), "there is no history");
    holder.create_history().await.expect("it answers");
    assert_eq!(waiter.count_finished().await.expect("it answers"), Some(0), "it is empty");
    base.execute(ROWS).await;
    assert_eq!(waiter.count_finished().await.expect("it answers"), Some(1));
    holder.close().await;
    // A server may hear of it a moment later.
    until_async("the lock is free", async || waiter.try_lock(None).await.expect("it answers") == Lock::Taken)
        .await;
    waiter.close().await;
}

fn url(base: &Base, kind: Kind) -> DatabaseUrl {
    DatabaseUrl::parse(kind.provider(), &Secret::new(base.url()), Path::new("/")).expect("it is a URL")
}

async fn on_postgres(version: Version) {
    let kind = Kind::Postgres(version);
    let base = kind.empty().await;
    let DatabaseUrl::Postgres(url) = url(&base, kind) else { panic!("another kind") };
    let named =
        |name| Postgres::new(PostgresUrl::clone(&url), name, Scope::default()).expect("it can be used");
    counts(named("holder"), named("waiter"), base, Some("holder")).await;
}

async fn on_mysql(flavour: Flavour, known_as: Option<&str>) {
    let kind = Kind::Mysql(flavour);
    let base = kind.alone().await;
    let DatabaseUrl::Mysql(url) = url(&base, kind) else { panic!("another kind") };
    let named = |name| Mysql::new(MysqlUrl::clone(&url), name, Vec::new()).expect("it can be used");
    counts(named("holder"), named("waiter"), base, known_as).await;
}

#[tokio::test]
async fn what_is_done_is_counted_and_the_holder_is_named_on_postgresql() {
    on_postgres(Version::V13).await;
    on_postgres(Version::V18).await;
}

#[tokio::test]
async fn what_is_done_is_counted_and_the_holder_is_named_on_mysql() {
    on_mysql(Flavour::Mysql, Some("holder")).await;
}

#[tokio::test]
async fn what_is_done_is_counted_on_mariadb() {
    // Names are in its `performance_schema`, which is off.
    on_mysql(Flavour::Mariadb, None).await;
}

#[tokio::test]
async fn what_is_done_is_counted_and_the_holder_is_named_on_sqlite() {
    let base = Kind::Sqlite.empty().await;
    let DatabaseUrl::Sqlite(url) = url(&base, Kind::Sqlite) else { panic!("another kind") };
    let named = |name| Sqlite::new(url.clone(), name, Vec::new());
    counts(named("holder"), named("waiter"), base, Some("holder")).await;
}
