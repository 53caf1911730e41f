//! A server that has no more of something: connections, locks.

use plimsoll_testkit::server::{Options, Role, Stop};
use plimsoll_testkit::wait::until_async;

use crate::scene::{INIT, ONE, POSTGRES, assert_says, deploy, own_postgres, project};

#[tokio::test]
async fn a_postgresql_without_free_connections_is_waited_for() {
    let options =
        Options::default().setting("max_connections", "5").setting("superuser_reserved_connections", "3");
    let server = own_postgres(&options);
    let database = server.database().await;
    let url = database.address().role(Role::Md5).url();
    let project = project(POSTGRES, url, &[("1_init", INIT), ("2_one", ONE)]);
    // What is reserved for superusers does not help a role that is none.
    let others = [database.connect().await, database.connect().await];
    let over = deploy(&project).arg("--wait=1s").run().expect_code(69);
    assert_says(&over.stderr, &["P1001", "53300"]);
    let running = deploy(&project).spawn();
    running.wait_for_stderr("waiting for up to 60 s");
    drop(others);
    let theirs = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'testkit'";
    until_async("they are gone", async || database.value(theirs).await == "1").await;
    running.wait().expect_code(0);
    assert_eq!(database.value("SELECT n FROM counter").await, "1");
    assert_eq!(database.history().await.len(), 2);
}

#[tokio::test]
async fn a_server_out_of_locks_is_said_and_nothing_is_left() {
    let few = Options::default().setting("max_connections", "10").setting("max_locks_per_transaction", "10");
    let server = own_postgres(&few);
    let database = server.database().await;
    let many = "UPDATE counter SET n = n + 1;\nSELECT count(pg_advisory_xact_lock(n)) FROM generate_series(1, 5000) AS n;";
    let project = project(POSTGRES, database.url(), &[("1_init", INIT), ("2_many", many)]);
    let ended = deploy(&project).run().expect_code(75);
    assert_says(&ended.stderr, &["PLM212", "53200", "max_locks_per_transaction"]);
    assert_eq!(database.value("SELECT n FROM counter").await, "0");
    let counted = database.history().await.into_iter().filter(|row| row.finished_at.is_some()).count();
    assert_eq!(counted, 1);
    database.execute("ALTER SYSTEM SET max_locks_per_transaction = 1000").await;
    server.restart(Stop::Fast);
    deploy(&project).run().expect_code(0);
    assert_eq!(database.value("SELECT n FROM counter").await, "1");
}
