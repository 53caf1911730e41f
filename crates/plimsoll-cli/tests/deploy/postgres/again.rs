//! Failures that pass: the same is tried again, and applied once.

use plimsoll_testkit::server::Version;
use tokio::task::JoinHandle;

use crate::scene::{Kind, Scene, assert_says, until_true};

const WAITING: &str = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock' AND query LIKE ";

async fn two_tables() -> Scene {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    let scene = scene.migration("1_init", "CREATE TABLE ship (name TEXT);\nCREATE TABLE port (name TEXT);");
    scene.deployed();
    scene
}

#[tokio::test]
async fn a_lock_timeout_of_the_script_is_tried_again() {
    let scene = two_tables().await.migration(
        "2_alter",
        "SET LOCAL lock_timeout = '50ms';\nINSERT INTO port VALUES ('Bristol');\nALTER TABLE ship ADD COLUMN tonnes INT;\n",
    );
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; SELECT FROM ship").await.expect("the table is there");
    let running = scene.command(&["deploy"]).spawn();
    running.wait_for_stderr("is tried again");
    reader.batch_execute("COMMIT").await.expect("the transaction is ours");
    assert_says(&running.wait().expect_code(0).stderr, &["2_alter was rolled back and is tried again"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM port").await, "1");
    assert_eq!(scene.base.history().await.len(), 2, "what passed is no failure");
}

/// If it does not pass in time, it is a failure like any other: rolled back, recorded, tried again by the next run.
#[tokio::test]
async fn a_lock_that_is_never_free_is_not_the_scripts_fault() {
    let scene = two_tables()
        .await
        .migration("2_alter", "SET LOCAL lock_timeout = '10ms';\nALTER TABLE ship ADD COLUMN tonnes INT;\n");
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; SELECT FROM ship").await.expect("the table is there");
    let transcript = scene.run(&["deploy", "--lock-wait=1s"]).expect_code(75);
    assert_says(&transcript.stderr, &["PLM211", "55P03"]);
    reader.batch_execute("COMMIT").await.expect("the transaction is ours");
    assert_eq!(scene.applied().await, ["1_init"]);
    scene.deployed();
}

/// The script asks for a deadlock sooner than the other one does, and so is the victim.
#[tokio::test]
async fn the_victim_of_a_deadlock_is_tried_again() {
    let scene = two_tables().await.migration(
        "2_both",
        "SET LOCAL deadlock_timeout = '10ms';\nINSERT INTO port VALUES ('Bristol');\nLOCK TABLE ship;\n\
         SELECT pg_advisory_xact_lock(4711);\nLOCK TABLE port;\n",
    );
    let (gate, other) = (scene.postgres().connect().await, scene.postgres().connect().await);
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    other.batch_execute("BEGIN; LOCK TABLE port IN ROW EXCLUSIVE MODE").await.expect("the table is there");
    let running = scene.command(&["deploy"]).spawn();
    until_true(scene.postgres(), &format!("{WAITING} '%(4711)%'")).await;
    let crossed: JoinHandle<bool> =
        tokio::spawn(async move { other.batch_execute("LOCK TABLE ship; COMMIT").await.is_ok() });
    until_true(scene.postgres(), &format!("{WAITING} 'LOCK TABLE ship; COMMIT'")).await;
    gate.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("it is ours");
    assert!(crossed.await.expect("it ends"), "the other one is not the victim");
    assert_says(
        &running.wait().expect_code(0).stderr,
        &["2_both was rolled back and is tried again", "deadlock"],
    );
    assert_eq!(scene.base.value("SELECT count(*) FROM port").await, "1");
    assert_eq!(scene.base.history().await.len(), 2);
}
