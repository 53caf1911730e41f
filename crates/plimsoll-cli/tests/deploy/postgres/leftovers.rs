//! What a concurrent statement leaves: never taken for what it was to make, and never left for good.

use plimsoll_testkit::program::Running;
use plimsoll_testkit::server::Version;
use tokio_postgres::Client;

use super::resume::{INDEX, begun, invalid};
use super::segments::{assert_finished, ships, with_ship};
use crate::scene::{Scene, assert_says, until_true};

/// The indexes of the table, and whether they are valid.
const VALID: &str = "SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ', ' ORDER BY indexrelid::regclass::text) \
                     FROM pg_index WHERE indrelid = 'ship'::regclass";

/// Deploys while somebody else is building an index on the table, which is held up until the deployment waits for it.
async fn deployed_beside_a_build(scene: &Scene) {
    let (writer, builder) = (scene.postgres().connect().await, scene.postgres().connect().await);
    writer.batch_execute("BEGIN; INSERT INTO ship VALUES ('Dart')").await.expect("the table is there");
    let build = tokio::spawn(async move {
        builder.batch_execute("CREATE INDEX CONCURRENTLY another ON ship (name)").await.is_ok()
    });
    let builds = "SELECT count(*) > 0 FROM pg_stat_progress_create_index WHERE datname = current_database()";
    until_true(scene.postgres(), builds).await;
    let running = scene.command(&["deploy"]).spawn();
    running.wait_for_stderr("is being built");
    writer.batch_execute("COMMIT").await.expect("the transaction is ours");
    assert!(build.await.expect("it ends"), "the other build is not disturbed");
    running.wait().expect_code(0);
}

#[tokio::test]
async fn an_invalid_index_is_not_recorded_as_built_while_another_one_is_being_built() {
    for version in Version::ALL {
        let scene = begun(version, INDEX, Some(&[("index", "absent")])).await;
        scene.base.execute("CREATE INDEX ship_name ON ship (name)").await;
        invalid(&scene, "ship_name").await;
        deployed_beside_a_build(&scene).await;
        assert_eq!(scene.base.value(VALID).await, "another true, ship_name true");
        assert_finished(&scene, INDEX).await;
    }
}

#[tokio::test]
async fn an_invalid_index_is_not_enough_for_if_not_exists_while_another_one_is_being_built() {
    let script = INDEX.replace("ship_name", "IF NOT EXISTS ship_name");
    let scene = with_ship(Version::V15).await.migration("2_mixed", &script);
    scene.base.execute("CREATE INDEX ship_name ON ship (name)").await;
    invalid(&scene, "ship_name").await;
    deployed_beside_a_build(&scene).await;
    assert_eq!(scene.base.value(VALID).await, "another true, ship_name true");
}

#[tokio::test]
async fn an_invalid_index_without_a_name_is_not_recorded_as_built_while_another_one_is_being_built() {
    let rest = "CREATE INDEX CONCURRENTLY ON ship (name);\nINSERT INTO ship VALUES ('Cutty');";
    let scene = begun(Version::V15, rest, Some(&[("indexes", "")])).await;
    scene.base.execute("CREATE INDEX ship_name_idx ON ship (name)").await;
    invalid(&scene, "ship_name_idx").await;
    let (writer, builder) = (scene.postgres().connect().await, scene.postgres().connect().await);
    writer.batch_execute("BEGIN; INSERT INTO ship VALUES ('Dart')").await.expect("the table is there");
    let build = tokio::spawn(async move {
        builder.batch_execute("CREATE INDEX CONCURRENTLY another ON ship (name)").await.is_ok()
    });
    let builds = "SELECT count(*) > 0 FROM pg_stat_progress_create_index WHERE datname = current_database()";
    until_true(scene.postgres(), builds).await;
    let running = scene.command(&["deploy"]).spawn();
    running.wait_for_stderr("is being built");
    let aborts = "SELECT count(pg_cancel_backend(pid)) > 0 FROM pg_stat_progress_create_index \
                  WHERE datname = current_database()";
    assert_eq!(scene.base.value(aborts).await, "t");
    assert!(!build.await.expect("it ends"), "it is cancelled");
    writer.batch_execute("COMMIT").await.expect("the transaction is ours");
    running.wait().expect_code(0);
    assert_eq!(scene.base.value(VALID).await, "ship_name_idx true");
    assert_eq!(ships(&scene).await, "Ark Beagle Cutty Dart");
}

/// A deployment whose concurrent build was cancelled, and which waits to drop what that left: for the transaction, which holds up both.
async fn cancelled(scene: &Scene) -> (Running, Client) {
    let writer = scene.postgres().connect().await;
    writer.batch_execute("BEGIN; INSERT INTO ship VALUES ('Dart')").await.expect("the table is there");
    let running = scene.command(&["deploy"]).spawn();
    let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                 AND query LIKE '%INDEX%CONCURRENTLY%ship%' AND query NOT LIKE '%pg_stat%' AND wait_event_type = 'Lock'";
    until_true(scene.postgres(), waits).await;
    let cancels = "SELECT count(pg_cancel_backend(pid)) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                   AND query LIKE '%INDEX%CONCURRENTLY%ship%' AND query NOT LIKE '%pg_stat%'";
    assert_eq!(scene.base.value(cancels).await, "t");
    until_true(scene.postgres(), &format!("SELECT count(*) > 0 {DROPS}")).await;
    (running, writer)
}

const DROPS: &str = "FROM pg_stat_activity WHERE datname = current_database() \
                     AND query LIKE 'DROP INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'";

/// Deploys while a transaction holds up every concurrent build on the table, and has the build cancelled.
async fn cut_short(scene: &Scene) {
    let (running, writer) = cancelled(scene).await;
    writer.batch_execute("COMMIT").await.expect("the transaction is ours");
    assert_says(&running.wait().expect_code(65).stderr, &["57014"]);
}

/// What it left is there, and the row says so: the next start can carry on, and nothing has failed.
#[tokio::test]
async fn a_build_that_is_cancelled_and_leaves_an_index_is_carried_on_by_the_next_start() {
    let script = "CREATE INDEX CONCURRENTLY ship_name ON ship (name);\nINSERT INTO ship VALUES ('Cutty');";
    let scene = with_ship(Version::V15).await.migration("2_mixed", script);
    let (running, writer) = cancelled(&scene).await;
    assert_eq!(scene.base.value(&format!("SELECT count(pg_cancel_backend(pid)) {DROPS}")).await, "1");
    let ended = running.wait().expect_code(75);
    assert_says(&ended.stderr, &["PLM222", "57014", "carries on or says what to do"]);
    assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["under way 2_mixed"]);
    writer.batch_execute("COMMIT").await.expect("the transaction is ours");
    scene.deployed();
    assert_eq!(scene.base.value(VALID).await, "ship_name true");
    assert_finished(&scene, script).await;
}

#[tokio::test]
async fn a_build_that_is_cancelled_leaves_no_index_behind() {
    for version in Version::ALL {
        let script = "CREATE INDEX CONCURRENTLY ON ship (name);\nINSERT INTO ship VALUES ('Cutty');";
        let scene = with_ship(version).await.migration("2_mixed", script);
        cut_short(&scene).await;
        assert_eq!(
            scene.base.value("SELECT count(*) FROM pg_index WHERE indrelid = 'ship'::regclass").await,
            "0"
        );
        scene.deployed();
        assert_eq!(scene.base.value(VALID).await, "ship_name_idx true");
        assert_finished(&scene, script).await;
    }
}

#[tokio::test]
async fn a_reindex_that_is_cancelled_in_a_later_segment_leaves_no_index_behind() {
    let script = "INSERT INTO ship VALUES ('Beagle');\nREINDEX INDEX CONCURRENTLY ship_name;";
    let scene = with_ship(Version::V15).await.migration("2_mixed", script);
    scene.base.execute("CREATE INDEX ship_name ON ship (name)").await;
    cut_short(&scene).await;
    assert_eq!(scene.base.value(VALID).await, "ship_name true");
    scene.run(&["resolve", "--resume", "2_mixed"]).expect_code(0);
    scene.deployed();
    assert_eq!(scene.base.value(VALID).await, "ship_name true");
}

/// When the new index has taken its place, the old one has another name and the number that it always had.
#[tokio::test]
async fn what_a_reindex_has_replaced_and_not_dropped_is_dropped() {
    for version in Version::ALL {
        for what in ["INDEX CONCURRENTLY ship_name", "TABLE CONCURRENTLY ship"] {
            let script = format!("INSERT INTO ship VALUES ('Beagle');\nREINDEX {what};");
            let scene = with_ship(version).await.migration("2_mixed", &script);
            scene.base.execute("CREATE INDEX ship_name ON ship (name)").await;
            let reader = scene.postgres().connect().await;
            reader.batch_execute("BEGIN; SELECT FROM ship").await.expect("the table is there");
            let mut running = scene.command(&["deploy"]).spawn();
            until_true(scene.postgres(), "SELECT count(*) > 0 FROM pg_class WHERE relname LIKE '%_ccold'")
                .await;
            running.kill();
            let _killed = running.wait();
            let end = "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity \
                       WHERE datname = current_database() AND query LIKE 'REINDEX%'";
            assert_eq!(scene.base.value(end).await, "t");
            reader.batch_execute("COMMIT").await.expect("the transaction is ours");
            scene.deployed();
            assert_eq!(scene.base.value(VALID).await, "ship_name true", "{version:?}: {what}");
            let left = "SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)'";
            assert_eq!(scene.base.value(left).await, "0", "{version:?}: {what}");
        }
    }
}
