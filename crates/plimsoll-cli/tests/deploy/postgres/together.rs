//! Two runners and a script that cannot be one transaction: the case in which every tool that waits inside a statement ends in
//! a deadlock, an invalid index and a failed migration.

use std::time::Duration;

use plimsoll_testkit::prisma;
use plimsoll_testkit::program::Running;
use plimsoll_testkit::server::Version;

use super::segments::{assert_finished, ships, with_ship};
use crate::scene::{Scene, assert_says, until_true};

const MIXED: &str = "INSERT INTO ship VALUES ('Beagle');\nCREATE INDEX CONCURRENTLY ship_name ON ship (name);\n\
                     INSERT INTO ship VALUES ('Cutty');";
const VALID: &str = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ship_name'::regclass";
/// Longer than a process waits before it looks for a deadlock: later it is not the one that finds it.
const WAITS: &str = "SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE locktype = 'advisory' \
                     AND objid = 72707369 AND NOT granted AND datname = current_database() \
                     AND database = datid AND query_start < clock_timestamp() - interval '1500 ms'";

/// The lock that keeps the slow migration from ending.
const GATE: &str = "locktype = 'advisory' AND objid = 4711 \
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// A slow migration and one that cannot be one transaction, and a runner that is in the first one.
struct AtWork {
    scene: Scene,
    first: Running,
}

async fn at_work(version: Version) -> AtWork {
    let scene = with_ship(version).await.migration("2_slow", "SELECT pg_advisory_xact_lock(4711);");
    let gate = scene.postgres().connect().await;
    tokio::spawn(
        async move { gate.batch_execute("SELECT pg_advisory_lock(4711); SELECT pg_sleep(600)").await },
    );
    until_true(scene.postgres(), &format!("SELECT count(*) > 0 FROM pg_locks WHERE {GATE} AND granted"))
        .await;
    let scene = scene.migration("3_mixed", MIXED);
    // It waits for the gate without ever letting go: what is tried here is another lock.
    let first = scene.command(&["deploy", "--lock-timeout=0"]).spawn();
    until_true(scene.postgres(), &format!("SELECT count(*) > 0 FROM pg_locks WHERE {GATE} AND NOT granted"))
        .await;
    AtWork { scene, first }
}

impl AtWork {
    /// Lets the slow migration end.
    async fn open(&self) {
        let open = format!("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {GATE} AND granted");
        self.scene.base.execute(&open).await;
    }

    /// Lets the slow migration end, and the runner with it.
    async fn ends(self) -> (Scene, String) {
        self.open().await;
        let said = self.first.wait().expect_code(0).stderr;
        (self.scene, said)
    }
}

async fn assert_done(scene: &Scene) {
    assert_eq!(scene.base.value(VALID).await, "t");
    assert_eq!(ships(scene).await, "Ark Beagle Cutty");
    assert_eq!(scene.applied().await, ["1_init", "2_slow", "3_mixed"]);
    assert_finished(scene, MIXED).await;
}

#[tokio::test]
async fn two_runners_and_an_index_that_is_built_concurrently_both_end_well() {
    for version in Version::ALL {
        let at_work = at_work(version).await;
        let second = at_work.scene.command(&["deploy"]).spawn();
        second.wait_for_stderr("waiting for another runner");
        let (scene, _said) = at_work.ends().await;
        second.wait().expect_code(0);
        assert_done(&scene).await;
    }
}

/// Prisma waits inside a statement for 10 seconds. The connection that it leaves behind then waits for ever.
#[tokio::test]
async fn a_waiting_prisma_is_outlasted() {
    let at_work = at_work(Version::V15).await;
    let theirs = prisma::migrate(&at_work.scene.project, &at_work.scene.base.url(), &["deploy"]).spawn();
    until_true(at_work.scene.postgres(), WAITS).await;
    let (scene, said) = at_work.ends().await;
    assert_says(&said, &["3_mixed is tried again behind what is done of it", "deadlock detected"]);
    theirs.wait();
    assert_done(&scene).await;
}

/// As from a Prisma that was killed: nobody reads what the server has to say to it.
#[tokio::test]
async fn a_waiter_that_nobody_listens_to_is_let_go() {
    for version in Version::ALL {
        let at_work = at_work(version).await;
        let url = at_work.scene.base.url();
        let mut theirs = prisma::migrate(&at_work.scene.project, &url, &["deploy"]).spawn();
        until_true(at_work.scene.postgres(), WAITS).await;
        theirs.kill();
        let _killed = theirs.wait();
        let (scene, said) = at_work.ends().await;
        assert_says(&said, &["gets the migration lock for a moment"]);
        assert_done(&scene).await;
    }
}

/// Somebody who has got the lock meanwhile keeps it for a while.
#[tokio::test]
async fn a_waiter_that_means_it_is_waited_for() {
    let at_work = at_work(Version::V15).await;
    let waiter = at_work.scene.postgres().connect().await;
    let waiting = tokio::spawn(async move {
        waiter.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("it comes in the end");
        waiter.batch_execute("SELECT pg_sleep(6)").await.expect("nobody cancels it");
    });
    until_true(at_work.scene.postgres(), WAITS).await;
    at_work.open().await;
    waiting.await.expect("it ends");
    let said = at_work.first.wait().expect_code(0).stderr;
    assert_says(&said, &["gets the migration lock for a moment", "another runner holds the migration lock"]);
    assert_done(&at_work.scene).await;
}

/// What is done stays done, and nobody has to say so.
#[tokio::test]
async fn who_runs_out_of_patience_is_carried_on_by_the_next() {
    let scene = with_ship(Version::V15).await.migration("2_mixed", MIXED);
    let name = scene.postgres().name().to_owned();
    scene.base.execute(&format!("ALTER DATABASE \"{name}\" SET lock_timeout = '100ms'")).await;
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; INSERT INTO ship VALUES ('Dart')").await.expect("the table is there");
    let first = scene.command(&["deploy", "--lock-wait=1s"]).within(Duration::from_secs(30)).run();
    assert_says(&first.expect_code(75).stderr, &["PLM211", "55P03"]);
    let rows = scene.base.history().await;
    assert_eq!(rows.last().map(|row| row.applied_steps_count.as_str()), Some("1"));
    reader.batch_execute("COMMIT").await.expect("the transaction is ours");
    scene.deployed();
    assert_eq!(scene.base.value(VALID).await, "t");
    assert_eq!(ships(&scene).await, "Ark Beagle Cutty Dart");
}
