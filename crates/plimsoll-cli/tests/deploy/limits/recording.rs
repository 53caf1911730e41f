//! The history is written under limits of its own: what is done is never said to be rolled back, and what an attempt left is
//! waited for.

use plimsoll_testkit::program::Running;
use plimsoll_testkit::server::Version;
use tokio_postgres::Client;

use crate::scene::{Kind, Scene, assert_says, until_true};

/// A migration whose index is built while somebody keeps the history locked, and who that is.
async fn built_behind_a_locked_history(scene: &Scene) -> (Running, Client) {
    const BUILDING: &str = "SELECT count(*) > 0 FROM pg_index WHERE NOT indisvalid";
    const BUILT: &str =
        "SELECT count(*) > 0 FROM pg_index WHERE indisvalid AND indexrelid = to_regclass('i')";
    let writer = scene.postgres().connect().await;
    writer.batch_execute("BEGIN; DELETE FROM ship").await.expect("the table is there");
    let running = scene.command(&["deploy", "--statement-timeout=4s", "--lock-timeout=4s"]).spawn();
    until_true(scene.postgres(), BUILDING).await;
    let keeper = scene.postgres().connect().await;
    keeper
        .batch_execute("BEGIN; LOCK TABLE _prisma_migrations")
        .await
        .expect("nobody writes it at the moment");
    writer.batch_execute("COMMIT").await.expect("the transaction is ours");
    until_true(scene.postgres(), BUILT).await;
    (running, keeper)
}

async fn scene() -> Scene {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    let scene =
        scene.migration("1_init", "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');\n");
    scene.deployed();
    scene
}

const WRITES: &str = "FROM pg_stat_activity WHERE query LIKE 'BEGIN ISOLATION%UPDATE%' AND wait_event_type = 'Lock' \
    AND datname = current_database()";

#[tokio::test]
async fn a_statement_that_is_done_is_recorded_however_long_the_history_is_locked() {
    let scene = scene().await.migration("2_index", "CREATE INDEX CONCURRENTLY i ON ship (name);\n");
    let (running, keeper) = built_behind_a_locked_history(&scene).await;
    let for_long = format!("SELECT count(*) > 0 {WRITES} AND clock_timestamp() - query_start > '4.5 s'");
    until_true(scene.postgres(), &for_long).await;
    keeper.batch_execute("COMMIT").await.expect("the transaction is ours");
    running.wait().expect_code(0);
    assert_eq!(scene.applied().await, ["1_init", "2_index"]);
}

#[tokio::test]
async fn a_statement_whose_record_is_cancelled_is_recorded_by_the_next_start() {
    let scene = scene().await.migration("2_index", "CREATE INDEX CONCURRENTLY i ON ship (name);\n");
    let (running, keeper) = built_behind_a_locked_history(&scene).await;
    until_true(scene.postgres(), &format!("SELECT count(*) > 0 {WRITES}")).await;
    until_true(scene.postgres(), &format!("SELECT count(pg_cancel_backend(pid)) > 0 {WRITES}")).await;
    keeper.batch_execute("COMMIT").await.expect("the transaction is ours");
    assert_ne!(running.wait().code(), Some(0));
    assert_eq!(scene.applied().await, ["1_init"]);
    assert_says(&scene.deployed().stderr, &["had taken effect"]);
    assert_eq!(scene.applied().await, ["1_init", "2_index"]);
}

/// An older transaction has used the table, and goes on for longer than a lock is waited for.
#[tokio::test]
async fn what_an_attempt_left_is_dropped_as_patiently_as_an_index_is_built() {
    let scene = scene().await;
    scene.base.execute("INSERT INTO ship VALUES ('Ark')").await;
    let ours = scene.postgres().connect().await;
    ours.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY i ON ship (name)").await.expect_err("there are two");
    scene.base.execute("DELETE FROM ship").await;
    let scene = scene.migration("2_index", "CREATE UNIQUE INDEX CONCURRENTLY i ON ship (name);\n");
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; SELECT FROM ship").await.expect("the table is there");
    let running = scene.command(&["deploy"]).spawn();
    let for_long = "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'DROP INDEX CONCURRENTLY%' \
        AND datname = current_database() AND clock_timestamp() - query_start > '5.5 s' AND state = 'active'";
    until_true(scene.postgres(), for_long).await;
    reader.batch_execute("COMMIT").await.expect("the transaction is ours");
    let ended = running.wait().expect_code(0);
    assert!(!ended.stderr.contains("is tried again"), "{ended}");
    assert_eq!(
        scene.base.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass").await,
        "t"
    );
}
