//! `resolve --resume`, and what is said of an attempt that waits for a person.

use plimsoll_core::Script;
use plimsoll_core::history::{Attempt, Done, Progress};
use plimsoll_testkit::server::{Flavour, Version};

use crate::scene::{Kind, Scene, assert_says, flat};

const FAILED: &str = "A migration failed to apply. New migrations cannot be applied before the error is recovered from.\n\n\
                      Database error:\nno such column: tonnes\n\nStatement:\nUPDATE ship SET tonnes = 1;";

/// Puts a started row into the history.
async fn started(scene: &Scene, name: &str, script: &str, logs: &str) {
    let (checksum, logs) = (Script::new(script).checksum().to_string(), logs.replace('\'', "''"));
    let insert = format!(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, started_at) \
         VALUES ('4711', '{checksum}', '{name}', '{logs}', CURRENT_TIMESTAMP)"
    );
    scene.base.execute(&insert).await;
}

async fn with_one_applied(kind: Kind) -> Scene {
    let scene = Scene::new(kind).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    scene.deployed();
    scene
}

#[tokio::test]
async fn what_is_not_recorded_is_not_carried_on() {
    for kind in [
        Kind::Postgres(Version::V13),
        Kind::Sqlite,
        Kind::Mysql(Flavour::Mysql),
        Kind::Mysql(Flavour::Mariadb),
    ] {
        let scene = with_one_applied(kind).await.migration("2_next", "SELECT 1;");
        started(&scene, "2_next", "SELECT 1;", FAILED).await;
        let refused = scene.run(&["deploy"]).expect_code(65);
        assert_says(
            &refused.stderr,
            &["P3009", "no such column: tonnes", "UPDATE ship SET", "--rolled-back 2_next"],
        );
        assert!(!flat(&refused.stderr).contains("--resume"), "{refused}");
        let before = scene.base.history().await;
        let resumed = scene.run(&["resolve", "--resume", "2_next"]).expect_code(65);
        assert_says(
            &resumed.stderr,
            &["PLM220", "nothing is recorded", "--rolled-back 2_next", "--applied 2_next"],
        );
        assert_says(&scene.run(&["resolve", "--resume", "1_init"]).expect_code(65).stderr, &["P3008"]);
        assert_says(&scene.run(&["resolve", "--resume", "3_none"]).expect_code(78).stderr, &["P3017"]);
        assert_eq!(scene.base.history().await, before);
    }
}

#[tokio::test]
async fn it_is_an_argument_of_its_own_and_not_one_of_prismas() {
    let scene = with_one_applied(Kind::Sqlite).await;
    assert_says(&scene.run(&["resolve"]).expect_code(64).stderr, &["--resume", "--rolled-back", "--applied"]);
    let two = scene.run(&["resolve", "--resume", "1_init", "--applied", "1_init"]).expect_code(64);
    assert_says(&two.stderr, &["only one of"]);
    scene.run(&["migrate", "resolve", "--resume", "1_init"]).expect_code(64);
}

/// What `status` and P3009 show of it is the same.
#[tokio::test]
async fn status_shows_the_error_how_far_it_got_and_the_three_ways_on() {
    const SCRIPT: &str = "DELETE FROM ship;\nUPDATE ship SET tonnes = 1;\n";
    for kind in [
        Kind::Postgres(Version::V15),
        Kind::Sqlite,
        Kind::Mysql(Flavour::Mysql),
        Kind::Mysql(Flavour::Mariadb),
    ] {
        let scene = with_one_applied(kind).await.migration("2_half", SCRIPT);
        let progress =
            Progress { done: Done::of(["DELETE FROM ship;"]), ..Progress::new(Attempt::Failed, "pod") };
        started(&scene, "2_half", SCRIPT, &progress.log(FAILED)).await;
        let status = scene.run(&["status"]).expect_code(1);
        let blocked = scene.run(&["deploy"]).expect_code(65);
        for said in [&status.stdout, &blocked.stderr] {
            assert_says(
                said,
                &[
                    "no such column: tonnes",
                    "UPDATE ship SET tonnes = 1;",
                    "1 of its statements is done",
                    "plimsoll resolve --resume 2_half",
                    "plimsoll resolve --rolled-back 2_half",
                    "plimsoll resolve --applied 2_half",
                ],
            );
        }
        scene.project.set_migration("2_half", "DELETE FROM ship;\n");
        assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["the script has been changed since"]);
    }
}

const SEGMENTS: &str = "INSERT INTO ship VALUES ('Beagle');\nCREATE INDEX CONCURRENTLY i ON ship (name);\n\
                        INSERT INTO ship VALUES ('Cutty');\nSELECT nope;\n";

/// A script of three segments, whose third one fails.
async fn failing_in_the_third_segment(version: Version) -> Scene {
    let scene = with_one_applied(Kind::Postgres(version)).await.migration("2_mixed", SEGMENTS);
    assert_says(
        &scene.run(&["deploy"]).expect_code(65).stderr,
        &["P3018", "2_mixed ended in statement 3 of 4: those before it are committed"],
    );
    scene
}

#[tokio::test]
async fn a_corrected_script_is_carried_on_behind_what_is_done() {
    for version in Version::ALL {
        let scene = failing_in_the_third_segment(version).await;
        let refused = scene.run(&["deploy"]).expect_code(65);
        assert_says(
            &refused.stderr,
            &[
                "P3009",
                "2_mixed/migration.sql:4:8",
                "SELECT nope;",
                "2 of its statements are done",
                "--resume 2_mixed",
            ],
        );
        let corrected =
            format!("{}-- what is new\nINSERT INTO ship VALUES ('Dart');\n", SEGMENTS.replace("nope", "1"));
        scene.project.set_migration("2_mixed", &corrected);
        let resumed = scene.run(&["resolve", "--resume", "2_mixed"]).expect_code(0);
        assert_eq!(resumed.stdout, "2_mixed is carried on by the next deploy, where it failed\n");
        scene.run(&["resolve", "--resume", "2_mixed"]).expect_code(0);
        assert_says(
            &scene.run(&["plan"]).expect_code(0).stdout,
            &["2_mixed (in 3 segments, each recorded, taking up an attempt", "2 of its statements are done"],
        );
        scene.deployed();
        let ships = scene.base.value("SELECT string_agg(name, ' ' ORDER BY name) FROM ship").await;
        assert_eq!(ships, "Beagle Cutty Dart", "each statement is carried out once");
        assert_eq!(
            scene
                .base
                .value("SELECT bool_and(indisvalid) FROM pg_index WHERE indexrelid = 'i'::regclass")
                .await,
            "t"
        );
        let rows = scene.base.history().await;
        assert_eq!(rows.len(), 2, "it is the same row");
        assert_eq!(
            (rows[1].checksum.as_str(), rows[1].logs.as_deref()),
            (Script::new(corrected).checksum().to_string().as_str(), None)
        );
        assert_eq!(scene.deployed().stdout, "up to date\n");
    }
}

#[tokio::test]
async fn what_is_done_must_still_be_what_the_script_begins_with() {
    let scene = failing_in_the_third_segment(Version::V15).await;
    let before = scene.base.history().await;
    for changed in [SEGMENTS.replace("Beagle", "Argo"), "INSERT INTO ship VALUES ('Beagle');".to_owned()] {
        scene.project.set_migration("2_mixed", &changed);
        let refused = scene.run(&["resolve", "--resume", "2_mixed"]).expect_code(65);
        assert_says(&refused.stderr, &["PLM220", "2 of its statements are done", "--rolled-back 2_mixed"]);
        assert_eq!(scene.base.history().await, before);
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "changed since"]);
    }
    // Remarks and blanks between statements are none of them.
    scene.project.set_migration("2_mixed", &format!("-- a remark\n\n{}", SEGMENTS.replace("nope", "1")));
    scene.run(&["resolve", "--resume", "2_mixed"]).expect_code(0);
    scene.deployed();
}

/// What failed because of the data is carried on with the very same script.
#[tokio::test]
async fn what_stood_in_the_way_may_be_removed_instead() {
    let script =
        "CREATE INDEX CONCURRENTLY i ON ship (name);\nALTER TABLE ship ALTER COLUMN name SET NOT NULL;\n";
    let scene = with_one_applied(Kind::Postgres(Version::V18)).await.migration("2_strict", script);
    scene.base.execute("INSERT INTO ship VALUES (NULL)").await;
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["23502", "1 of its 2 statements"]);
    scene.base.execute("DELETE FROM ship").await;
    assert_says(
        &scene.run(&["deploy"]).expect_code(65).stderr,
        &[
            "P3009",
            "null values",
            "Position: prisma/migrations/2_strict/migration.sql:2:1",
            "ALTER TABLE ship ALTER COLUMN name SET NOT NULL;",
        ],
    );
    scene.run(&["resolve", "--resume", "2_strict"]).expect_code(0);
    scene.deployed();
}

/// The row as the next runner reads it: this attempt, under way, with the corrected script.
#[tokio::test]
async fn the_row_is_taken_over_by_the_corrected_script() {
    const SCRIPT: &str = "DELETE FROM ship;\nALTER TABLE ship ADD tonnes nope;\n";
    for kind in [Kind::Mysql(Flavour::Mysql), Kind::Mysql(Flavour::Mariadb)] {
        let scene = with_one_applied(kind).await.migration("2_half", &SCRIPT.replace("nope", "INT"));
        let progress =
            Progress { done: Done::of(["DELETE FROM ship"]), ..Progress::new(Attempt::Failed, "pod") };
        started(&scene, "2_half", SCRIPT, &progress.log(FAILED)).await;
        scene.run(&["resolve", "--resume", "2_half"]).expect_code(0);
        let rows = scene.base.history().await;
        let row = rows.iter().find(|row| row.migration_name == "2_half").expect("it is still there");
        let logs = row.logs.as_deref().expect("it is under way");
        assert_eq!(Progress::parse(logs), Some(Progress { attempt: Attempt::Running, ..progress }));
        assert_eq!(row.checksum, Script::new(SCRIPT.replace("nope", "INT")).checksum().to_string());
        assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["under way 2_half"]);
        assert_says(
            &scene.run(&["plan"]).expect_code(0).stdout,
            &[
                "2_half (statement by statement, each of 2 recorded, taking up",
                "migration.sql:2:1: ALTER TABLE",
            ],
        );
    }
}

#[tokio::test]
async fn a_corrected_script_is_carried_on_at_its_statement_on_mysql_and_mariadb() {
    const SCRIPT: &str = "INSERT INTO ship VALUES ('Beagle');\nCREATE TABLE port (name TEXT);\n\
                          INSERT INTO port VALUES ('Bristol');\nALTER TABLE port ADD berths nope;\n";
    for flavour in Flavour::ALL {
        let scene = with_one_applied(Kind::Mysql(flavour)).await.migration("2_half", SCRIPT);
        let failed = scene.run(&["deploy"]).expect_code(65);
        assert_says(&failed.stderr, &["P3018", "2_half ended in statement 4 of 4", "--resume 2_half"]);
        let blocked = scene.run(&["deploy"]).expect_code(65);
        assert_says(
            &blocked.stderr,
            &[
                "P3009",
                "migration.sql:4:1",
                "ALTER TABLE port ADD berths nope",
                "3 of its statements are done",
            ],
        );
        scene.project.set_migration("2_half", &SCRIPT.replace("nope", "INT").replace("Bristol", "Hull"));
        assert_says(&scene.run(&["resolve", "--resume", "2_half"]).expect_code(65).stderr, &["PLM220"]);
        scene.project.set_migration("2_half", &SCRIPT.replace("nope", "INT"));
        scene.run(&["resolve", "--resume", "2_half"]).expect_code(0);
        scene.deployed();
        let once =
            "SELECT CONCAT((SELECT COUNT(*) FROM ship), (SELECT COUNT(*) FROM port WHERE berths IS NULL))";
        assert_eq!(scene.base.value(once).await, "11");
        assert_eq!(scene.deployed().stdout, "up to date\n");
    }
}
