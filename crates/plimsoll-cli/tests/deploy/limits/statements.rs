//! How long a statement of a migration may take.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use plimsoll_testkit::server::{Flavour, Version};

use super::SOON;
use crate::scene::{Kind, Scene, assert_says};

const NAMED: &str = "a statement took longer than `--statement-timeout` allows (1 s)";

/// Fails unless the migration ended so, at once and without another try.
fn ended_by_the_flag(scene: &Scene) {
    let ended = scene.run(&["deploy", "--statement-timeout=1s"]).expect_code(65);
    assert!(ended.elapsed < SOON, "{ended}");
    assert_says(&ended.stderr, &["P3018", "2_slow", NAMED]);
    assert!(!ended.stderr.contains("tried again"), "{ended}");
}

#[tokio::test]
async fn a_statement_that_takes_longer_than_it_may_fails_its_migration_by_name() {
    let scene =
        Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    scene.deployed();
    let scene = scene.migration("2_slow", "INSERT INTO ship VALUES ('Ark');\nSELECT pg_sleep(60);\n");
    ended_by_the_flag(&scene);
    assert_eq!(scene.applied().await, ["1_init"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "0");
    // Each of them takes less than it may.
    scene.project.set_migration("2_slow", "SELECT pg_sleep(0.6);\nSELECT pg_sleep(0.6);\n");
    scene.run(&["deploy", "--statement-timeout=1s"]).expect_code(0);
}

#[tokio::test]
async fn what_the_url_says_of_statements_gives_way_to_the_flag() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    let look = "INSERT INTO seen VALUES (current_setting('statement_timeout'));\n";
    let scene = scene.migration("1_init", &format!("CREATE TABLE seen (statement TEXT);\n{look}"));
    let url = scene.postgres().address().parameter("socket_timeout", "7").url();
    scene.run(&["deploy", "--url", &url]).expect_code(0);
    for (name, flag) in [("2_none", "--statement-timeout=0"), ("3_given", "--statement-timeout=8s")] {
        scene.project.set_migration(name, look);
        scene.run(&["deploy", "--url", &url, flag]).expect_code(0);
    }
    let seen: Vec<_> =
        scene.base.query("SELECT statement FROM seen").await.into_iter().flatten().flatten().collect();
    assert_eq!(seen, ["7s", "0", "8s"]);
}

#[tokio::test]
async fn a_statement_of_mysql_or_mariadb_is_cancelled_when_its_time_is_over() {
    for flavour in Flavour::ALL {
        let init = "CREATE TABLE held (n INT PRIMARY KEY);\nINSERT INTO held VALUES (1);\n";
        let scene = Scene::alone(Kind::Mysql(flavour)).await.migration("1_init", init);
        scene.deployed();
        let mut holder = scene.base.mysql().connect().await;
        holder.query_drop("BEGIN; UPDATE held SET n = 2").await.expect("it is ours");
        scene.project.set_migration("2_slow", "UPDATE held SET n = 4;\n");
        ended_by_the_flag(&scene);
        scene.project.set_migration("2_slow", "ALTER TABLE held ADD COLUMN m INT;\n");
        ended_by_the_flag(&scene);
        holder.query_drop("ROLLBACK").await.expect("it is ours");
        scene.run(&["deploy", "--statement-timeout=30s"]).expect_code(0);
        // Each of them takes less than it may.
        scene.project.set_migration("3_each", "DO SLEEP(0.6);\nDO SLEEP(0.6);\n");
        scene.run(&["deploy", "--statement-timeout=1s"]).expect_code(0);
    }
}

#[tokio::test]
async fn a_statement_of_sqlite_is_interrupted_when_its_time_is_over() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", "CREATE TABLE ship (n INT);");
    scene.deployed();
    let count = |most: u64| {
        format!(
            "INSERT INTO ship WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT {most}) SELECT count(*) FROM c;\n"
        )
    };
    let scene = scene.migration("2_slow", &format!("INSERT INTO ship VALUES (1);\n{}", count(1 << 40)));
    ended_by_the_flag(&scene);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "0");
    scene.project.set_migration("2_slow", &count(1 << 10));
    scene.run(&["deploy", "--statement-timeout=1s"]).expect_code(0);
}

/// How fast a machine counts nobody knows: more and more, until all of them together take longer than each may.
#[tokio::test]
async fn the_statements_of_sqlite_have_their_time_one_by_one() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", "CREATE TABLE ship (n INT);");
    scene.deployed();
    for power in 14..40 {
        let count = format!(
            "INSERT INTO ship WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT {}) SELECT count(*) FROM c;\n",
            1_u64 << power
        );
        scene.project.set_migration(&format!("2_count_{power}"), &count.repeat(8));
        let ended = scene.run(&["deploy", "--statement-timeout=1s"]).expect_code(0);
        if ended.elapsed > Duration::from_millis(1500) {
            return;
        }
    }
    panic!("nothing takes long on this machine");
}
