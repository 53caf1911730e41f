//! A database that stands at migrations which the project does not have: a rollback, and a late pod of the old release.

use std::time::Duration;

use plimsoll_testkit::program::Signal;
use plimsoll_testkit::server::Version;

use crate::scene::{Base, Kind, Scene, assert_says, until_true};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";
const KINDS: [Kind; 2] = [Kind::Postgres(Version::V15), Kind::Sqlite];
const WAITING: &str =
    "waiting for up to 600 s: the database stands at migrations that this project does not have: 3_new";

/// The old release, on a database that the new one has migrated. It lacks `3_new`, and has `2_late` still pending.
async fn rolled_back(kind: Kind) -> Scene {
    let scene =
        Scene::new(kind).await.migration("1_init", INIT).migration("3_new", "CREATE TABLE new (n INT);");
    scene.deployed();
    scene.project.remove_migration("3_new");
    scene.migration("2_late", "INSERT INTO ship VALUES ('late');")
}

async fn undo(base: &Base) {
    base.execute("DROP TABLE new").await;
    base.execute("DELETE FROM _prisma_migrations WHERE migration_name = '3_new'").await;
}

#[tokio::test]
async fn a_rollback_waits_until_the_newer_migrations_are_undone() {
    for kind in KINDS {
        let scene = rolled_back(kind).await;
        let running = scene.command(&["exec", "--if-ahead=wait", "--", "echo", "started"]).spawn();
        running.wait_for_stderr(WAITING);
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1", "it applies nothing");
        undo(&scene.base).await;
        let ended = running.wait().expect_code(0);
        assert_eq!(ended.stdout, "started\n");
        assert_eq!(scene.applied().await, ["1_init", "2_late"]);
        assert_eq!(ended.stderr.matches("waiting for").count(), 1, "{ended}");
    }
}

/// The rollout ends the pod, or its time is over and the next start waits again.
#[tokio::test]
async fn a_late_pod_of_the_old_release_applies_nothing_and_can_be_ended() {
    for kind in KINDS {
        let scene = rolled_back(kind).await;
        let mut running = scene.command(&["deploy"]).env("PLIMSOLL_IF_AHEAD", "wait").spawn();
        running.wait_for_stderr(WAITING);
        running.signal(Signal::TERM);
        assert_says(&running.wait().expect_code(143).stderr, &["PLM301"]);
        let over = scene.run(&["deploy", "--if-ahead=wait", "--lock-wait=300ms"]).expect_code(75);
        assert_says(&over.stderr, &["PLM214", "`3_new`", "--if-ahead=warn"]);
        assert!(over.elapsed >= Duration::from_millis(300), "{:?}", over.elapsed);
        assert_eq!(scene.applied().await, ["1_init", "3_new"]);
        // Nor does it wait if it has nothing to do itself: the application would meet the new schema.
        scene.project.remove_migration("2_late");
        scene.run(&["deploy", "--if-ahead=wait", "--lock-wait=0"]).expect_code(75);
        scene.run(&["deploy", "--if-ahead=warn"]).expect_code(0);
    }
}

#[tokio::test]
async fn whoever_only_looks_says_that_it_would_be_waited_for() {
    for kind in KINDS {
        let scene = rolled_back(kind).await;
        let plan = scene.run(&["plan", "--if-ahead=wait"]).expect_code(75);
        assert_says(&plan.stderr, &["PLM214", "`3_new`"]);
        scene.project.remove_migration("2_late");
        scene.run(&["wait"]).expect_code(0);
        let over = scene.run(&["wait", "--if-ahead=wait", "--wait=300ms"]).expect_code(75);
        assert_says(&over.stderr, &["PLM209", "`3_new`", "--if-ahead=warn", "wait longer with `--wait`"]);
        assert!(!over.stderr.contains("plimsoll deploy"), "nothing is to be applied: {over}");
        let running = scene.command(&["wait", "--if-ahead=wait"]).spawn();
        running.wait_for_stderr("waiting for up to 60 s");
        undo(&scene.base).await;
        running.wait().expect_code(0);
    }
}

/// The newer release must be able to work while the older one waits for it.
#[tokio::test]
async fn a_pod_that_waits_holds_neither_lock_nor_transaction() {
    let scene = rolled_back(Kind::Postgres(Version::V15)).await;
    let running = scene.command(&["deploy", "--if-ahead=wait"]).env("HOSTNAME", "old").spawn();
    running.wait_for_stderr(WAITING);
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                 (SELECT oid FROM pg_database WHERE datname = current_database())";
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND application_name LIKE 'plimsoll old%' AND state LIKE 'idle in%'";
    assert_eq!((scene.base.value(locks).await, scene.base.value(open).await), ("0".into(), "0".into()));
    // The newer release comes back, migrates on, and is not held up.
    scene.project.set_migration("3_new", "CREATE TABLE new (n INT);");
    scene.project.set_migration("4_newer", "INSERT INTO new VALUES (1);");
    scene.run(&["deploy", "--lock-wait=0"]).expect_code(0);
    drop(running);
    assert_eq!(scene.base.value("SELECT count(*) FROM new").await, "1");
}

/// It was not ahead when the lock was asked for, and is when the lock is had: then the lock is let go again.
#[tokio::test]
async fn a_database_that_gets_ahead_while_the_lock_is_waited_for_is_noticed() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    scene.deployed();
    scene.project.set_migration("2_late", "INSERT INTO ship VALUES ('late');");
    let newer = scene.postgres().connect().await;
    newer.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("nobody else has it");
    let running = scene.command(&["deploy", "--if-ahead=wait"]).spawn();
    running.wait_for_stderr("waiting for another runner");
    let row = "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) \
               VALUES ('x', 'x', '3_new', now(), 1); SELECT pg_advisory_unlock(72707369)";
    newer.batch_execute(row).await.expect("the table is there");
    running.wait_for_stderr(WAITING);
    until_true(scene.postgres(), "SELECT pg_try_advisory_lock(72707369)").await;
    assert_eq!(scene.applied().await, ["1_init", "3_new"]);
    scene.base.execute("DELETE FROM _prisma_migrations WHERE id = 'x'").await;
    running.wait().expect_code(0);
    assert_eq!(scene.applied().await, ["1_init", "2_late"]);
}

/// The newer release died in a migration that is not one transaction, and was rolled back.
#[tokio::test]
async fn what_a_newer_release_left_half_done_is_waited_for_like_what_it_finished() {
    for kind in KINDS {
        let scene = Scene::new(kind).await.migration("1_init", INIT);
        scene.deployed();
        scene
            .base
            .execute(
                "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'x', '9_new')",
            )
            .await;
        let refused = scene.run(&["deploy", "--if-ahead=refuse"]).expect_code(65);
        assert_says(&refused.stderr, &["PLM205", "not finished: `9_new`", "resolve --rolled-back 9_new"]);
        assert!(!refused.stderr.contains("applied again"), "this image cannot: {refused}");
        let warned = scene.run(&["exec", "--if-ahead=warn", "--", "echo", "started"]).expect_code(0);
        assert_says(&warned.stderr, &["begun by another release and not finished: 9_new"]);
        assert_eq!(
            scene.run(&["exec", "--if-ahead=ok", "--", "echo", "started"]).expect_code(0).stdout,
            "started\n"
        );
        let running = scene.command(&["exec", "--if-ahead=wait", "--", "echo", "started"]).spawn();
        running.wait_for_stderr("begun and not finished: 9_new");
        // Nothing is put on top of it.
        scene.project.set_migration("2_late", "INSERT INTO ship VALUES ('late');");
        let blocked = scene.run(&["deploy", "--if-ahead=ok"]).expect_code(65);
        assert_says(&blocked.stderr, &["P3009", "this project does not have it"]);
        scene.project.remove_migration("2_late");
        scene.base.execute("DELETE FROM _prisma_migrations WHERE id = 'x'").await;
        assert_eq!(running.wait().expect_code(0).stdout, "started\n");
    }
}
