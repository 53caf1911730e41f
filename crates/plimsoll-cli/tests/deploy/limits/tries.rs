//! A migration that works for long before it meets a lock.

use mysql_async::prelude::Queryable as _;
use plimsoll_testkit::server::{Flavour, Version};

use crate::scene::{Base, Kind, Scene};

/// What it works is no waiting: a run that counted it would never try again.
#[tokio::test]
async fn a_migration_that_works_for_longer_than_a_lock_is_waited_for_is_tried_again() {
    let scene =
        Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", "CREATE TABLE ship (n INT);");
    scene.deployed();
    let scene = scene.migration("2_long", "SELECT pg_sleep(1.5);\nALTER TABLE ship ADD COLUMN tonnes INT;\n");
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; SELECT FROM ship").await.expect("the table is there");
    let running = scene.command(&["deploy", "--lock-timeout=200ms", "--lock-wait=500ms"]).spawn();
    running.wait_for_stderr("2_long was rolled back and is tried again");
    reader.batch_execute("COMMIT").await.expect("the transaction is ours");
    running.wait().expect_code(0);
}

/// The first try works for more than eleven seconds, of which five may have been waiting.
#[tokio::test]
async fn the_next_try_of_a_long_migration_waits_longer_for_a_lock_on_postgresql() {
    let long = "DO $$ BEGIN IF nextval('tries') = 1 THEN PERFORM pg_sleep(11.2);\n\
        RAISE EXCEPTION 'not now' USING ERRCODE = '55P03'; END IF; END $$;\n\
        INSERT INTO seen SELECT setting::INT FROM pg_settings WHERE name = 'lock_timeout';\n";
    let init = "CREATE SEQUENCE tries;\nCREATE TABLE seen (lock INT);\n";
    let next = "INSERT INTO seen SELECT setting::INT FROM pg_settings WHERE name = 'lock_timeout';\n";
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    let scene = scene.migration("1_init", init).migration("2_long", long).migration("3_next", next);
    scene.deployed();
    let looked = "SELECT min(lock) || ' ' || (max(lock) BETWEEN 6001 AND 60000) FROM seen";
    assert_eq!(scene.base.value(looked).await, "5000 true", "and the next migration does not");
}

#[tokio::test]
async fn the_next_try_of_a_long_migration_waits_longer_for_a_lock_on_mariadb() {
    let scene = Scene::alone(Kind::Mysql(Flavour::Mariadb)).await;
    let init = "CREATE TABLE ship (n INT);\nCREATE TABLE seen (t INT, r INT);\nINSERT INTO ship VALUES (1);\nINSERT INTO seen VALUES (0, 0);\n";
    let scene = scene.migration("1_init", init);
    scene.deployed();
    // A script that names the variables has them to itself.
    let look = "INSERT INTO seen SELECT MIN(VARIABLE_VALUE + 0), MAX(VARIABLE_VALUE + 0) \
        FROM information_schema.SESSION_VARIABLES WHERE VARIABLE_NAME LIKE '%LOCK_WAIT%OUT';\n";
    let long = format!("DELETE FROM seen WHERE SLEEP(6.5) = 1;\nUPDATE ship SET n = 2;\n{look}");
    let scene = scene.migration("2_long", &long).migration("3_next", look);
    let Base::Mysql(database) = &scene.base else { panic!("it is a server") };
    let mut other = database.connect().await;
    other.query_drop("BEGIN").await.expect("the server is there");
    other.query_drop("SELECT n FROM ship LOCK IN SHARE MODE").await.expect("the table is there");
    let running = scene.command(&["deploy"]).spawn();
    let running = tokio::task::spawn_blocking(move || {
        running.wait_for_stderr("2_long was rolled back and is tried again");
        running
    });
    let running = running.await.expect("it is tried again");
    other.query_drop("COMMIT").await.expect("the transaction is ours");
    tokio::task::spawn_blocking(move || running.wait()).await.expect("it ends").expect_code(0);
    assert_eq!(
        scene.base.value("SELECT GROUP_CONCAT(CONCAT(t >= 6, r >= 6) ORDER BY t DESC) FROM seen").await,
        "11,00,00"
    );
}
