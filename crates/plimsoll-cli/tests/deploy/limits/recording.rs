//! The history is written under limits of its own: what is done is never said to be rolled back, and what an attempt left is
//! waited for.

use plimsoll_testkit::program::{Running, Signal};
use plimsoll_testkit::server::{Flavour, Version};
use plimsoll_testkit::transcript::Transcript;
use plimsoll_testkit::wait::until_async;
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

/// How a run ends whose script fails while somebody keeps the history from being written; `meanwhile` it waits for that.
async fn failed_behind_a_locked_history(
    scene: &Scene,
    arguments: &[&str],
    meanwhile: impl FnOnce(&mut Running),
) -> Transcript {
    let keeper = scene.postgres().connect().await;
    keeper
        .batch_execute("BEGIN; LOCK TABLE _prisma_migrations IN SHARE MODE")
        .await
        .expect("nobody writes it");
    let mut running = scene.command(&[&["deploy"], arguments].concat()).spawn();
    let recording = "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%rolled_back_at%' \
        AND wait_event_type = 'Lock' AND datname = current_database()";
    until_true(scene.postgres(), recording).await;
    meanwhile(&mut running);
    let ended = running.wait();
    assert_eq!(scene.base.history().await.len(), 1, "{ended}");
    ended
}

fn assert_says_the_failure(ended: Transcript, code: i32) {
    assert_says(&ended.expect_code(code).stderr, &["P3018", "division by zero"]);
}

#[tokio::test]
async fn a_failure_that_cannot_be_recorded_is_said_all_the_same() {
    let scene = scene().await.migration("2_fails", "SELECT 1 / 0;\n");
    assert_says_the_failure(failed_behind_a_locked_history(&scene, &[], |_| {}).await, 65);
}

/// The next try would come to the same end, and only this one can say which.
#[tokio::test]
async fn a_failure_is_said_though_the_run_is_stopped_before_it_is_recorded() {
    let scene = scene().await.migration("2_fails", "SELECT 1 / 0;\n");
    let stop = |running: &mut Running| running.signal(Signal::TERM);
    assert_says_the_failure(failed_behind_a_locked_history(&scene, &[], stop).await, 143);
    assert_says_the_failure(failed_behind_a_locked_history(&scene, &["--timeout=3s"], |_| {}).await, 65);
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

/// Whether a statement of this database that begins so has been under way for so many seconds.
async fn is_under_way(scene: &Scene, begins: &str, seconds: u8) -> bool {
    let asked = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '{begins}%' AND DB = DATABASE() AND TIME >= {seconds}"
    );
    scene.base.value(&asked).await != "0"
}

/// As `mysqldump --lock-tables` keeps it. Nobody could tell afterwards whether the row is there.
#[tokio::test]
async fn a_row_without_transactions_is_recorded_however_long_mysql_and_mariadb_have_the_history_locked() {
    for flavour in Flavour::ALL {
        let scene = Scene::new(Kind::Mysql(flavour)).await;
        let scene = scene.migration("1_init", "CREATE TABLE m (n INT) ENGINE = MyISAM;\n");
        scene.deployed();
        let scene = scene.migration("2_rows", "INSERT INTO m SELECT SLEEP(2);\n");
        let running = scene.command(&["deploy", "--lock-timeout=1s"]).spawn();
        until_async("it is sent", async || is_under_way(&scene, "INSERT INTO m", 0).await).await;
        let backup = scene.base.mysql().holding("LOCK TABLES _prisma_migrations READ").await;
        until_async("it waits for long", async || is_under_way(&scene, "UPDATE", 3).await).await;
        backup.release().await;
        let ended = running.wait().expect_code(0);
        assert!(!ended.stderr.contains("is tried again"), "{ended}");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM m").await, "1", "{flavour:?}");
    }
}

/// The catalog cannot tell that two tables have changed places, and nobody could write down that they have.
#[tokio::test]
async fn what_a_session_of_mysql_or_mariadb_has_done_is_known_to_its_next_try_though_the_row_does_not_say_so()
{
    const INIT: &str = "CREATE TABLE held (n INT);\nINSERT INTO held VALUES (1);\nCREATE TABLE held_new (n INT);\n\
        INSERT INTO held_new VALUES (2);\nCREATE TABLE port (n INT);\nINSERT INTO port VALUES (1);\n";
    const SCRIPT: &str = "SET SESSION innodb_lock_wait_timeout = 3, SESSION lock_wait_timeout = 1;\n\
        RENAME TABLE held TO passing, held_new TO held, passing TO held_new;\nUPDATE port SET n = n + 1;\n";
    for flavour in Flavour::ALL {
        let scene = Scene::new(Kind::Mysql(flavour)).await.migration("1_init", INIT);
        scene.deployed();
        let scene = scene.migration("2_next", SCRIPT);
        let holder = scene.base.mysql().holding("BEGIN; UPDATE port SET n = 5").await;
        let running = scene.command(&["deploy"]).spawn();
        until_async("it waits for a row", async || is_under_way(&scene, "UPDATE port", 0).await).await;
        let backup = scene.base.mysql().holding("LOCK TABLES _prisma_migrations READ").await;
        running.wait_for_stderr("2_next is tried again behind what is done of it");
        backup.release().await;
        holder.release().await;
        running.wait().expect_code(0);
        let swapped = "SELECT CONCAT(held.n, held_new.n) FROM held, held_new";
        assert_eq!(scene.base.value(swapped).await, "21", "{flavour:?}");
    }
}
