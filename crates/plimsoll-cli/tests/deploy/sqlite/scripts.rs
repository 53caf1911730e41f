//! Scripts in SQLite's dialect.

use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE ship (name TEXT UNIQUE);\nINSERT INTO ship VALUES ('Ark');";

async fn with_ship() -> Scene {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    scene.deployed();
    scene
}

#[tokio::test]
async fn scripts_of_every_shape_are_applied_once() {
    const ADD: &str = "INSERT INTO ship VALUES ('Beagle')";
    for script in [
        ADD.to_owned(),
        format!("{ADD}; -- the end"),
        format!("{ADD}; /* not closed, which SQLite allows"),
        format!("BEGIN;\n{ADD};\nCOMMIT;\n"),
        format!("BEGIN IMMEDIATE; {ADD}; END TRANSACTION;"),
        format!("BEGIN; {ADD}; COMMIT; BEGIN; DELETE FROM ship WHERE name = 'Argo'; COMMIT;"),
        format!("SAVEPOINT s; DELETE FROM ship; ROLLBACK TO s; RELEASE s; {ADD};"),
        format!(
            "{ADD}; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT * FROM n;"
        ),
        format!("{ADD} RETURNING name; PRAGMA table_info(ship); SELECT 1;"),
        format!(
            "CREATE TRIGGER t AFTER INSERT ON ship BEGIN SELECT 1; UPDATE ship SET name = name; END;\n{ADD};"
        ),
        format!(
            "CREATE TABLE \"begin; commit\" (\"a;\" TEXT); INSERT INTO [begin; commit] VALUES ('; COMMIT'); {ADD};"
        ),
    ] {
        let scene = with_ship().await.migration("2_script", &script);
        scene.deployed();
        assert_eq!(scene.applied().await, ["1_init", "2_script"], "{script}");
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2", "{script}");
        assert_eq!(scene.base.history().await[1].applied_steps_count, "1");
    }
}

#[tokio::test]
async fn what_refuses_a_transaction_runs_alone() {
    for script in ["VACUUM;", "PRAGMA journal_mode=WAL;", "-- why\nPRAGMA journal_mode = delete"] {
        let scene = with_ship()
            .await
            .migration("2_alone", script)
            .migration("3_after", "INSERT INTO ship VALUES ('Beagle');");
        scene.deployed();
        assert_eq!(scene.applied().await, ["1_init", "2_alone", "3_after"], "{script}");
        assert!(scene.base.history().await.iter().all(|row| row.logs.is_none()));
    }
    let scene = with_ship().await.migration("2_wal", "PRAGMA journal_mode=WAL;");
    scene.deployed();
    assert_eq!(scene.base.value("PRAGMA journal_mode").await, "wal");
}

#[tokio::test]
async fn what_can_only_be_alone_is_refused_beside_others() {
    for statement in ["VACUUM", "PRAGMA journal_mode=WAL", "ATTACH 'other.db' AS other"] {
        let scene = with_ship().await.migration("2_good", "INSERT INTO ship VALUES ('Beagle');");
        let scene = scene.migration("3_mixed", &format!("INSERT INTO ship VALUES ('doomed');\n{statement};"));
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM201", "3_mixed/migration.sql:2:1"]);
        assert_eq!(scene.applied().await, ["1_init"]);
    }
}

#[tokio::test]
async fn the_place_of_a_failure_is_shown() {
    for (script, place, said) in [
        ("SELECT 1;\nSELECT 'ü', nope FROM ship;", ":2:13", "no such column: nope"),
        ("-- ü\r\nSELECT 1;\r\n  SELEC 2;", ":3:3", "near \"SELEC\": syntax error"),
        (
            "INSERT INTO ship VALUES ('Beagle');\nINSERT INTO ship\n  VALUES ('Ark');\nSELECT 1;",
            ":2:1",
            "UNIQUE constraint failed",
        ),
        (
            "CREATE TRIGGER t AFTER INSERT ON ship BEGIN SELECT 1; SELECT 2; END;\nINSERT INTO ship VALUES ('Ark');",
            ":2:1",
            "UNIQUE",
        ),
        ("INSERT INTO ship VALUES ('open", ":1:", "unrecognized token"),
    ] {
        let scene = with_ship().await.migration("2_wrong", script);
        let failed = scene.run(&["deploy"]).expect_code(65);
        assert_says(&failed.stderr, &["P3018", &format!("2_wrong/migration.sql{place}"), said]);
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1", "{script}");
        assert_eq!(scene.applied().await, ["1_init"]);
    }
}

/// `RAISE(ROLLBACK)` and `ON CONFLICT ROLLBACK` end our transaction from within: what follows must not run outside of it.
#[tokio::test]
async fn a_statement_that_rolls_everything_back_fails_the_script() {
    for raise in [
        "CREATE TRIGGER t BEFORE INSERT ON ship WHEN NEW.name = 'Titanic' BEGIN SELECT RAISE(ROLLBACK, 'it sinks'); END;\n\
         INSERT INTO ship VALUES ('Titanic');",
        "INSERT OR ROLLBACK INTO ship VALUES ('Ark');",
    ] {
        let script =
            format!("INSERT INTO ship VALUES ('before');\n{raise}\nINSERT INTO ship VALUES ('after');\n");
        let scene = with_ship().await.migration("2_raise", &script);
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3018", "2_raise"]);
        assert_eq!(scene.base.value("SELECT group_concat(name) FROM ship").await, "Ark");
        assert_eq!(scene.applied().await, ["1_init"]);
        scene.project.set_migration("2_raise", "INSERT INTO ship VALUES ('mended');");
        scene.deployed();
        assert_eq!(scene.base.value("SELECT group_concat(name) FROM ship").await, "Ark,mended");
    }
}

#[tokio::test]
async fn a_transaction_that_is_left_open_is_not_even_begun() {
    let scene = with_ship().await.migration("2_open", "BEGIN;\nINSERT INTO ship VALUES ('doomed');\n");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM202", "2_open"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
    assert_eq!(scene.base.history().await.len(), 1);
}

/// The row belongs into the real history, whatever a script puts in front of it.
#[tokio::test]
async fn a_temporary_table_does_not_swallow_the_history() {
    let script = "CREATE TEMP TABLE _prisma_migrations AS SELECT * FROM _prisma_migrations;\n\
                  INSERT INTO ship VALUES ('Beagle');";
    let scene = with_ship().await.migration("2_temporary", script);
    scene.deployed();
    assert_eq!(scene.deployed().stdout, "up to date\n");
    assert_eq!(scene.base.value("SELECT count(*) FROM ship WHERE name = 'Beagle'").await, "1");
}

/// One that sees the other's started row must not take it for a failure.
#[tokio::test]
async fn a_second_runner_waits_for_a_script_that_has_a_started_row() {
    let mut scene = with_ship().await;
    for number in 2..6 {
        scene = scene.migration(&format!("{number}_vacuum"), "VACUUM;");
    }
    let runners: Vec<_> = (0..4).map(|_| scene.command(&["deploy"]).spawn()).collect();
    for runner in runners {
        runner.wait().expect_code(0);
    }
    assert_eq!(scene.applied().await, ["1_init", "2_vacuum", "3_vacuum", "4_vacuum", "5_vacuum"]);
}

/// What lasts as long as a connection does not leak into the next script.
#[tokio::test]
async fn settings_do_not_leak() {
    let scene = with_ship().await.migration(
        "2_set",
        "PRAGMA case_sensitive_like=ON;\nPRAGMA recursive_triggers=ON;\nCREATE TEMP TABLE t (a);",
    );
    let scene =
        scene.migration("3_look", "CREATE TABLE seen AS SELECT 'A' LIKE 'a' AS it;\nCREATE TABLE t (a);");
    scene.deployed();
    assert_eq!(scene.base.value("SELECT it FROM seen").await, "1");
    assert_eq!(scene.base.value("SELECT count(*) FROM sqlite_master WHERE name = 't'").await, "1");
}

#[tokio::test]
async fn a_table_that_is_no_history_is_not_taken_for_one() {
    let scene = with_ship().await;
    scene.base.execute("ALTER TABLE _prisma_migrations RENAME COLUMN checksum TO sum").await;
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM210", "checksum"]);
}

/// Two transactions, or a row before its script, would leave the table.
#[tokio::test]
async fn a_row_that_cannot_be_written_takes_its_script_with_it() {
    const REFUSE: &str = "CREATE TRIGGER refuse BEFORE INSERT ON _prisma_migrations \
                          WHEN NEW.finished_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'refused'); END;";
    let scene = with_ship().await;
    scene.base.execute(REFUSE).await;
    let scene = scene.migration("2_table", "CREATE TABLE port (name TEXT);");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["refused"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM sqlite_master WHERE name = 'port'").await, "0");
    assert_eq!(scene.applied().await, ["1_init"]);
}
