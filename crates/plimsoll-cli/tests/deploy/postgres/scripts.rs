//! Scripts that want something else than one transaction, and scripts that look as if they did.

use plimsoll_testkit::server::Version;

use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";

async fn with_ship(version: Version) -> Scene {
    let scene = Scene::new(Kind::Postgres(version)).await.migration("1_init", INIT);
    scene.deployed();
    scene
}

/// Deploys one script: how many ships there are then.
async fn ships_after(version: Version, script: &str) -> String {
    let scene = with_ship(version).await.migration("2_script", script);
    scene.deployed();
    assert_eq!(scene.applied().await, ["1_init", "2_script"], "{script}");
    let rows = scene.base.history().await;
    assert_eq!((rows[1].logs.as_deref(), rows[1].applied_steps_count.as_str()), (None, "1"), "{script}");
    assert_eq!(scene.deployed().stdout, "up to date\n", "{script}");
    scene.base.value("SELECT count(*) FROM ship").await
}

#[tokio::test]
async fn scripts_of_every_shape_are_applied_once() {
    const ADD: &str = "INSERT INTO ship VALUES ('Beagle')";
    for version in Version::ALL {
        for script in [
            ADD.to_owned(),
            format!("{ADD}; -- the end"),
            format!("/* a /* nested */ remark */ {ADD}\n--"),
            format!("BEGIN;\n{ADD};\nCOMMIT;\n"),
            format!("begin transaction; {ADD}; end;"),
            format!("START TRANSACTION; COMMIT; BEGIN; {ADD}; COMMIT;"),
            format!("BEGIN; {ADD}; COMMIT; BEGIN; DELETE FROM ship WHERE name = 'Argo'; COMMIT;"),
            format!("BEGIN ISOLATION LEVEL SERIALIZABLE; {ADD}; COMMIT;"),
            format!("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; {ADD};"),
            format!("BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {ADD}; COMMIT;"),
            format!(
                "SET LOCAL lock_timeout = '5s'; LOCK ship; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; {ADD};"
            ),
            format!(
                "BEGIN; LOCK ship; SET LOCAL transaction_isolation = serializable; {ADD}; END; VACUUM ship;"
            ),
            format!("SAVEPOINT s; DELETE FROM ship; ROLLBACK TO s; {ADD};"),
            format!("DO $$ BEGIN {ADD}; COMMIT; PERFORM 1; END $$;"),
            "DO $a$ BEGIN EXECUTE 'INSERT INTO ship VALUES (''COMMIT;'')'; END $a$;".to_owned(),
            format!("{ADD}; SELECT generate_series(1, 200000);"),
            format!("{ADD}; SELECT repeat('x', 100000) FROM generate_series(1, 100);"),
        ] {
            assert_eq!(ships_after(version, &script).await, "2", "{script}");
        }
    }
}

#[tokio::test]
async fn what_refuses_a_transaction_runs_alone() {
    for script in [
        "VACUUM ship;",
        "-- why\nVACUUM (ANALYZE) ship",
        "CREATE INDEX CONCURRENTLY ship_name ON ship (name);",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ship_name ON public.ship (name);",
        "REINDEX TABLE CONCURRENTLY ship;",
        "ALTER SYSTEM RESET work_mem;",
    ] {
        for version in Version::ALL {
            assert_eq!(ships_after(version, script).await, "1", "{script}");
        }
    }
}

/// `IF NOT EXISTS` would take what a failed attempt has left for the index.
#[tokio::test]
async fn an_index_that_fails_leaves_no_invalid_one_and_is_tried_again() {
    const INDEXES: &str = "SELECT count(*) FROM pg_index WHERE indrelid = 'ship'::regclass";
    for version in Version::ALL {
        for create in ["CREATE UNIQUE INDEX CONCURRENTLY", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS"] {
            let scene = with_ship(version).await;
            scene.base.execute("INSERT INTO ship VALUES ('Ark')").await;
            let scene = scene.migration("2_index", &format!("{create} \"Ship_name\" ON ship (name);"));
            for _ in 0..2 {
                let failed = scene.run(&["deploy"]).expect_code(65);
                assert_says(&failed.stderr, &["P3018", "23505", "(name)=(Ark)"]);
                assert_eq!(scene.base.value(INDEXES).await, "0");
                assert_eq!(scene.applied().await, ["1_init"]);
            }
            scene.base.execute("DELETE FROM ship").await;
            scene.deployed();
            assert_eq!(scene.base.value(&format!("{INDEXES} AND indisvalid")).await, "1");
        }
    }
}

/// What cannot be cut is refused before anything of the run is done.
#[tokio::test]
async fn what_refuses_the_transaction_that_its_script_asks_for_is_refused() {
    let script = "BEGIN;\nINSERT INTO ship VALUES ('doomed');\nVACUUM ship;\nCOMMIT;\n";
    let scene = with_ship(Version::V15).await.migration("2_good", "INSERT INTO ship VALUES ('Beagle');");
    let scene = scene.migration("3_inside", script);
    let refused = scene.run(&["deploy"]).expect_code(65);
    assert_says(&refused.stderr, &["PLM201", "3_inside/migration.sql:3:1", "behind the COMMIT"]);
    assert_eq!(scene.applied().await, ["1_init"], "nothing is applied before what cannot be");
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
}

#[tokio::test]
async fn a_script_that_needs_a_client_is_refused() {
    for copy in ["COPY ship FROM STDIN;\nBeagle\n\\.\n", "COPY ship TO STDOUT;"] {
        let scene = with_ship(Version::V15).await.migration("2_good", "INSERT INTO ship VALUES ('Beagle');");
        let scene = scene.migration("3_copy", copy);
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM203", "3_copy/migration.sql:1:1"]);
        assert_eq!(scene.applied().await, ["1_init"]);
    }
}

/// The script says itself when something is committed, so that only a person can know what a failure has left.
#[tokio::test]
async fn a_transaction_that_is_left_open_is_not_even_begun() {
    for version in Version::ALL {
        let scene =
            with_ship(version).await.migration("2_open", "BEGIN;\nINSERT INTO ship VALUES ('doomed');\n");
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM202", "2_open"]);
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
        assert_eq!(scene.applied().await, ["1_init"]);
        assert_eq!(scene.base.history().await.len(), 1);
        scene.project.set_migration("2_open", "INSERT INTO ship VALUES ('mended');");
        scene.deployed();
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2");
    }
}

/// One transaction of its own is one with the history; it fails like any other script.
#[tokio::test]
async fn a_failure_in_a_transaction_of_its_own_needs_nobody() {
    let script = "BEGIN;\nINSERT INTO ship VALUES ('doomed');\nSELECT nope;\nCOMMIT;\n";
    let scene = with_ship(Version::V15).await.migration("2_own", script);
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3018", "2_own/migration.sql:3:8"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
    scene.project.set_migration("2_own", &script.replace("nope", "1"));
    scene.deployed();
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2");
}

/// Nobody can see it before it has happened, and it is not left open on a connection either.
#[tokio::test]
async fn a_transaction_that_is_left_open_by_other_means_is_rolled_back() {
    let script = "COMMIT;\nBEGIN ISOLATION LEVEL SERIALIZABLE;\nINSERT INTO ship VALUES ('doomed');\n";
    let scene = with_ship(Version::V15).await.migration("2_open", script);
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM202", "2_open"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "2_open", "did not end it"]);
    scene.project.set_migration("2_open", "INSERT INTO ship VALUES ('mended');");
    scene.run(&["resolve", "--rolled-back", "2_open"]).expect_code(0);
    scene.deployed();
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2");
}
