//! `resolve --resume`, and what is said of an attempt that waits for a person.

use plimsoll_core::Script;
use plimsoll_core::history::{Attempt, Done, Progress};
use plimsoll_testkit::server::Version;

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
    for kind in [Kind::Postgres(Version::V13), Kind::Sqlite] {
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
    for kind in [Kind::Postgres(Version::V15), Kind::Sqlite] {
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
