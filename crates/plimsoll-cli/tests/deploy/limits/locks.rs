//! For how long a statement of a migration waits for a lock.

use plimsoll_testkit::program::Program;
use plimsoll_testkit::server::{Flavour, Version};

use crate::scene::{Kind, Scene, assert_says, until_true};

/// Notes how long its migration would wait for a lock.
const LOOK: &str = "INSERT INTO seen VALUES (now_());\n";

/// The same outside of any transaction: a function of an index is called where the index is built.
const LOOK_OUTSIDE: &str = "CREATE INDEX CONCURRENTLY ON ship (looked(name, '0'));\nVACUUM ship;\n";

const INIT: &str = "CREATE TABLE seen (lock TEXT);\nCREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');\n\
    CREATE FUNCTION looked(name TEXT, expected TEXT) RETURNS TEXT IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN\n\
    IF current_setting('lock_timeout') <> expected THEN RAISE EXCEPTION 'it is %', current_setting('lock_timeout'); END IF;\n\
    RETURN name; END $$;\n\
    CREATE FUNCTION now_() RETURNS TEXT LANGUAGE sql AS $$ SELECT current_setting('lock_timeout') $$;\n\
    CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; PERFORM looked('', '0'); END $$;\n";

/// What each of three scripts sees: one that is a transaction, one that is run in parts, and the next.
async fn seen(scene: &Scene, program: Program) -> Vec<String> {
    scene.project.set_migration("2_atomic", LOOK);
    scene.project.set_migration("3_parts", &format!("{LOOK}VACUUM ship;\n{LOOK}"));
    scene.project.set_migration("4_atomic", LOOK);
    program.run().expect_code(0);
    scene.base.query("SELECT lock FROM seen").await.into_iter().flatten().flatten().collect()
}

async fn scene() -> Scene {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    scene.deployed();
    scene
}

#[tokio::test]
async fn every_script_waits_five_seconds_for_a_lock_unless_somebody_says_otherwise() {
    let quiet = scene().await;
    assert_eq!(seen(&quiet, quiet.command(&["deploy"])).await, ["5s"; 4]);

    let of_database = scene().await;
    let name = of_database.postgres().name();
    of_database.base.execute(&format!("ALTER DATABASE \"{name}\" SET lock_timeout = '7s'")).await;
    assert_eq!(seen(&of_database, of_database.command(&["deploy"])).await, ["7s"; 4]);

    let of_url = scene().await;
    let url = of_url.postgres().address().parameter("options", "-c lock_timeout=8s").url();
    assert_eq!(seen(&of_url, of_url.command(&["deploy", "--url", &url])).await, ["8s"; 4]);
}

#[tokio::test]
async fn a_lock_timeout_that_is_given_wins_over_the_databases_and_a_script_over_both() {
    let scene = scene().await;
    let name = scene.postgres().name();
    scene.base.execute(&format!("ALTER DATABASE \"{name}\" SET lock_timeout = '7s'")).await;
    let given = scene.command(&["deploy", "--lock-timeout=9m"]).env("PLIMSOLL_LOCK_TIMEOUT", "1h");
    assert_eq!(seen(&scene, given).await, ["9min"; 4]);

    scene.base.execute("DELETE FROM seen").await;
    scene.project.set_migration("5_none", LOOK);
    scene.command(&["deploy"]).env("PLIMSOLL_LOCK_TIMEOUT", "0").run().expect_code(0);
    scene.project.set_migration("6_own", &format!("SET lock_timeout = '6s';\n{LOOK}"));
    scene.project.set_migration("7_own", &format!("SET lock_timeout = '6s';\nVACUUM ship;\n{LOOK}"));
    scene.run(&["deploy", "--lock-timeout=9s"]).expect_code(0);
    let seen: Vec<_> =
        scene.base.query("SELECT lock FROM seen").await.into_iter().flatten().flatten().collect();
    assert_eq!(seen, ["0", "6s", "6s"]);
}

#[tokio::test]
async fn an_index_that_is_built_concurrently_waits_without_end_unless_somebody_says_otherwise() {
    let scene = scene().await.migration("2_index", &format!("{LOOK_OUTSIDE}{LOOK}"));
    scene.deployed();
    assert_eq!(
        scene.base.value("SELECT lock FROM seen").await,
        "5s",
        "the rest of the script has its limit again"
    );
    let given = "CREATE INDEX CONCURRENTLY ON ship (looked(name, '9s'));\n";
    scene.project.set_migration("3_given", given);
    scene.run(&["deploy", "--lock-timeout=9s"]).expect_code(0);
    let own = "SET lock_timeout = '8s';\nCREATE INDEX CONCURRENTLY ON ship (looked(name, '8s'));\n";
    scene.project.set_migration("4_own", own);
    scene.deployed();
}

/// What it leaves when it gives up is an invalid index, which would be in its way.
#[tokio::test]
async fn an_index_whose_build_gave_up_waiting_is_built_once_the_others_are_done() {
    const WAITING: &str = "SELECT count(*) > 0 FROM pg_index WHERE NOT indisvalid";
    let scene = scene().await.migration("2_index", "CREATE INDEX CONCURRENTLY i ON ship (name);\n");
    let writer = scene.postgres().connect().await;
    writer.batch_execute("BEGIN; DELETE FROM ship").await.expect("the table is there");
    let running = scene.command(&["deploy", "--lock-timeout=100ms"]).spawn();
    until_true(scene.postgres(), WAITING).await;
    running.wait_for_stderr("2_index is tried again behind what is done of it");
    writer.batch_execute("COMMIT").await.expect("the transaction is ours");
    running.wait().expect_code(0);
    assert_eq!(scene.base.value("SELECT bool_and(indisvalid) FROM pg_index").await, "t");
}

/// A script that is not ours to send again would otherwise wait for a person.
#[tokio::test]
async fn what_could_not_be_tried_again_waits_without_end() {
    let scene = scene().await.migration("2_call", "CALL p();\n");
    let own = format!("BEGIN;\n{LOOK}SAVEPOINT a;\nROLLBACK TO a;\nCOMMIT AND CHAIN;\nCOMMIT;\n");
    let scene = scene.migration("3_self_managed", &own).migration("4_next", LOOK);
    scene.deployed();
    let seen: Vec<_> =
        scene.base.query("SELECT lock FROM seen").await.into_iter().flatten().flatten().collect();
    assert_eq!(seen, ["0", "5s"]);
}

#[tokio::test]
async fn locks_of_mysql_and_mariadb_have_the_same_limits() {
    const LOOK: &str =
        "INSERT INTO seen VALUES (@@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout);\n";
    for flavour in Flavour::ALL {
        let scene = Scene::alone(Kind::Mysql(flavour)).await;
        let scene = scene.migration(
            "1_init",
            &format!("CREATE TABLE seen (t INT, r INT);\nCREATE PROCEDURE look() BEGIN {LOOK} END;\n{LOOK}"),
        );
        scene.deployed();
        scene.project.set_migration("2_given", LOOK);
        scene.run(&["deploy", "--lock-timeout=1500ms"]).expect_code(0);
        scene.project.set_migration("3_none", LOOK);
        scene.run(&["deploy", "--lock-timeout=0"]).expect_code(0);
        scene.project.set_migration("4_own", &format!("SET SESSION lock_wait_timeout = 7;\n{LOOK}"));
        scene.project.set_migration("5_next", LOOK);
        // Nobody could send a call again: it waits as long as the server says.
        scene.project.set_migration("6_call", "CALL look();\nCALL look();\n");
        scene.project.set_migration("7_last", LOOK);
        scene.deployed();
        let seen = scene.base.query("SELECT t, r FROM seen").await;
        let seen: Vec<String> =
            seen.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" ")).collect();
        let of_server = scene
            .base
            .value("SELECT CONCAT(@@GLOBAL.lock_wait_timeout, ' ', @@GLOBAL.innodb_lock_wait_timeout)")
            .await;
        assert_eq!(
            seen,
            ["5 5", "2 2", "31536000 31536000", "7 5", "5 5", &of_server, &of_server, "5 5"],
            "{flavour:?}"
        );
    }
}

/// Whoever wants to read a SQLite file waits while a commit waits for those who are reading.
#[tokio::test]
async fn a_commit_waits_for_the_readers_of_a_file_as_long_as_for_a_lock() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    scene.deployed();
    let scene = scene.migration("2_next", "INSERT INTO ship VALUES ('Ark');");
    let reader = scene.sqlite().connect();
    reader.execute_batch("BEGIN; SELECT * FROM ship").expect("the table is there");
    let ended = scene.run(&["deploy", "--lock-timeout=300ms", "--lock-wait=0"]).expect_code(75);
    assert!(ended.elapsed < crate::limits::SOON, "{ended}");
    assert_says(&ended.stderr, &["keeps the database file"]);
    reader.execute_batch("COMMIT").expect("it is ours");
    scene.deployed();
}

/// Whoever reads it may not know that there is a limit.
#[tokio::test]
async fn the_limit_that_ended_a_wait_is_named() {
    const GIVEN: [&str; 3] = ["deploy", "--lock-timeout=1s", "--lock-wait=0"];
    const ALTER: &str = "ALTER TABLE ship ADD COLUMN tonnes INT;\n";
    let named = ["PLM211", "`--lock-timeout` (1 s) ended its wait for a lock"];
    let of_postgres = scene().await.migration("2_alter", ALTER);
    let reader = of_postgres.postgres().connect().await;
    reader.batch_execute("BEGIN; SELECT * FROM ship").await.expect("the table is there");
    assert_says(&of_postgres.run(&GIVEN).expect_code(75).stderr, &named);
    let default = of_postgres.run(&["deploy", "--lock-wait=0"]).expect_code(75);
    assert_says(&default.stderr, &["PLM211", "the default of `--lock-timeout` (5 s) ended its wait"]);

    for flavour in Flavour::ALL {
        let scene =
            Scene::alone(Kind::Mysql(flavour)).await.migration("1_init", "CREATE TABLE ship (n INT);");
        scene.deployed();
        let scene = scene.migration("2_alter", ALTER);
        let reader = scene.base.mysql().reading("ship").await;
        assert_says(&scene.run(&GIVEN).expect_code(75).stderr, &named);
        reader.release().await;
    }
}

#[tokio::test]
async fn a_limit_that_somebody_else_has_set_is_not_called_ours() {
    let scene = scene().await.migration("2_alter", "ALTER TABLE ship ADD COLUMN tonnes INT;\n");
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; SELECT * FROM ship").await.expect("the table is there");
    let url = scene.postgres().address().parameter("options", "-c lock_timeout=300").url();
    let ended = scene.run(&["deploy", "--lock-wait=0", "--url", &url]).expect_code(75);
    assert_says(
        &ended.stderr,
        &["PLM211", "`lock_timeout` (of the role, the database, the server or the URL)"],
    );
    for own in ["SET lock_timeout = '300ms';\n", "SELECT * FROM ship FOR UPDATE NOWAIT;\n"] {
        reader.batch_execute("SELECT * FROM ship FOR UPDATE").await.expect("the row is there");
        scene.project.set_migration("2_alter", &format!("{own}ALTER TABLE ship ADD COLUMN tonnes INT;\n"));
        let ended = scene.run(&["deploy", "--lock-wait=0"]).expect_code(75);
        assert!(!ended.stderr.contains("ended its wait"), "{ended}");
    }
}
