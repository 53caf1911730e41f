//! What has gone wrong on paper, in reviews, and must never go wrong in a database.

use plimsoll_testkit::program::Signal;
use plimsoll_testkit::server::{Role, Version};

use crate::scene::{Kind, Scene, assert_says, until_true};

const ASLEEP: &str = "SELECT count(*) > 0 FROM pg_stat_activity \
                      WHERE datname = current_database() AND wait_event = 'PgSleep'";

async fn with_ship() -> Scene {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    let scene = scene.migration("1_init", "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');");
    scene.deployed();
    scene
}

async fn ships(scene: &Scene) -> String {
    scene.base.value("SELECT count(*) FROM ship").await
}

/// What a runner leaves that was killed between its started row and the end of its statement.
async fn left_by_a_killed_runner(scene: &Scene, name: &str, script: &str) {
    let checksum = plimsoll_core::Script::new(script).checksum();
    let logs = plimsoll_core::history::running_log("x", ",\"index\":\"absent\"");
    let insert = "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs)";
    scene.base.execute(&format!("{insert} VALUES ('left', '{checksum}', '{name}', '{logs}')")).await;
}

#[tokio::test]
async fn a_block_that_commits_by_itself_is_run_once() {
    let scene = with_ship().await;
    scene.base.execute("CREATE TABLE busy ()").await;
    let holder = scene.postgres().connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE busy").await.expect("the table is there");
    let script = "DO $$ BEGIN INSERT INTO ship VALUES ('Beagle'); COMMIT; LOCK TABLE busy NOWAIT; END $$;";
    let scene = scene.migration("2_commits", script);
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3018", "2_commits", "resolve"]);
    assert_eq!(ships(&scene).await, "2");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "2_commits"]);
    assert_eq!(ships(&scene).await, "2");
}

#[tokio::test]
async fn a_database_that_vanishes_during_a_run_is_not_created_again() {
    let scene = with_ship().await.migration("2_slow", "SELECT pg_sleep(60);");
    let running = scene.command(&["deploy", "--wait=3s"]).spawn();
    until_true(scene.postgres(), ASLEEP).await;
    let elsewhere = scene.postgres().server().database().await;
    let name = scene.postgres().name().to_owned();
    elsewhere.execute(&format!("DROP DATABASE \"{name}\" WITH (FORCE)")).await;
    assert_says(&running.wait().expect_code(78).stderr, &["P1003"]);
    let there = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(elsewhere.value(&there).await, "0");
}

#[tokio::test]
async fn nothing_starts_on_a_connection_that_has_lost_the_lock() {
    let index = "CREATE INDEX CONCURRENTLY ship_name ON ship (name);";
    let scene = with_ship()
        .await
        .migration("2_unlock", "SELECT pg_advisory_unlock_all();")
        .migration("3_index", index);
    assert_says(&scene.run(&["deploy"]).expect_code(75).stderr, &["PLM206"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM pg_indexes WHERE indexname = 'ship_name'").await, "0");
    scene.deployed();
    assert_eq!(scene.applied().await, ["1_init", "2_unlock", "3_index"]);
}

/// A commit that no lexer of ours finds: `begin` is a column here, and `atomic` its other name.
#[tokio::test]
async fn a_script_that_ends_the_transaction_unseen_is_not_called_rolled_back() {
    let script = "CREATE TABLE ev (begin int);\n\
                  CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN (SELECT begin atomic FROM ev);\n\
                  INSERT INTO ship VALUES ('kept');\nCOMMIT;\nINSERT INTO ship VALUES ('undone');\n";
    let scene = with_ship().await.migration("2_hidden", script);
    let said = scene.run(&["deploy"]).expect_code(65).stderr;
    assert_says(&said, &["PLM213", "2_hidden", "resolve"]);
    assert!(!said.contains("nothing of it is in the database"), "{said}");
    assert_eq!(ships(&scene).await, "2");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "2_hidden"]);
    assert_eq!(ships(&scene).await, "2");
}

#[tokio::test]
async fn what_does_not_stop_is_not_called_rolled_back() {
    let script = "DO $$ BEGIN INSERT INTO ship VALUES ('Beagle'); PERFORM pg_sleep(60); \
                  EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(2.5); END $$;";
    let scene = with_ship().await.migration("2_stubborn", script);
    let mut running = scene.command(&["deploy"]).spawn();
    until_true(scene.postgres(), ASLEEP).await;
    running.signal(Signal::TERM);
    let said = running.wait().expect_code(143).stderr;
    assert_says(&said, &["may be committed or not"]);
    assert!(!said.contains("rolled back"), "{said}");
}

#[tokio::test]
async fn a_history_that_cannot_be_seen_is_not_taken_for_an_empty_one() {
    let scene = with_ship().await;
    let plain = Role::Plain.name();
    let url = scene.postgres().address().role(Role::Plain).url();
    let deploy = || scene.command(&["deploy"]).env("DATABASE_URL", &url).run().expect_code(77);
    scene.base.execute(&format!("GRANT SELECT ON _prisma_migrations TO \"{plain}\"")).await;
    scene.base.execute("ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY").await;
    assert_says(&deploy().stderr, &["P1010"]);
    scene.base.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC").await;
    scene.base.execute(&format!("REVOKE ALL ON SCHEMA public FROM \"{plain}\"")).await;
    assert_says(&deploy().stderr, &["P1010", "_prisma_migrations", "USAGE"]);
}

/// `parse_ident` does not cut names, and the server does.
#[tokio::test]
async fn an_index_with_a_very_long_name_is_taken_up() {
    let name = "a_name_of_an_index_that_is_longer_than_the_sixty_three_bytes_that_it_may_have";
    let script = format!("CREATE INDEX CONCURRENTLY {name} ON ship (name);");
    let scene = with_ship().await.migration("2_index", &script);
    left_by_a_killed_runner(&scene, "2_index", &script).await;
    scene.base.execute(&script).await;
    assert_says(&scene.deployed().stderr, &["had taken effect"]);
    assert_eq!(scene.applied().await, ["1_init", "2_index"]);
}

#[tokio::test]
async fn a_statement_of_a_killed_runner_that_did_not_take_effect_is_run() {
    let script = "CREATE INDEX CONCURRENTLY ship_name ON ship (name);";
    let scene = with_ship().await.migration("2_index", script);
    left_by_a_killed_runner(&scene, "2_index", script).await;
    scene.deployed();
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ship_name'::regclass";
    assert_eq!(scene.base.value(valid).await, "t");
    assert_eq!(scene.base.history().await.len(), 2);
}

#[tokio::test]
async fn a_rollback_is_not_held_up_by_what_the_newer_release_left() {
    let scene = with_ship().await;
    left_by_a_killed_runner(&scene, "2_newer", "CREATE INDEX CONCURRENTLY i ON ship (name);").await;
    assert_says(&scene.deployed().stderr, &["ahead", "2_newer"]);
}

#[tokio::test]
async fn a_failing_index_does_not_fill_the_history() {
    let scene = with_ship().await;
    scene.base.execute("INSERT INTO ship VALUES ('Ark')").await;
    let script = "CREATE UNIQUE INDEX CONCURRENTLY ship_name ON ship (name);";
    let scene = scene.migration("2_unique", script);
    for _ in 0..3 {
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3018", "23505"]);
    }
    assert_eq!(scene.base.history().await.len(), 2);
    assert_eq!(scene.base.value("SELECT count(*) FROM pg_indexes WHERE indexname = 'ship_name'").await, "0");
}

#[tokio::test]
async fn the_id_of_a_row_is_data() {
    let script = "VACUUM ship;";
    let scene = with_ship().await.migration("2_vacuum", script);
    left_by_a_killed_runner(&scene, "2_vacuum", script).await;
    scene.base.execute("UPDATE _prisma_migrations SET id = ''';DROP TABLE ship;--' WHERE id = 'left'").await;
    scene.deployed();
    assert_eq!(ships(&scene).await, "1");
}

/// A statement that runs is under way: it has not failed, and its runner may well be alive.
#[tokio::test]
async fn what_is_under_way_is_not_called_failed() {
    let script = "CREATE INDEX CONCURRENTLY ship_name ON ship (name);";
    let scene = with_ship().await.migration("2_index", script);
    let blocker = scene.postgres().connect().await;
    blocker.batch_execute("BEGIN; INSERT INTO ship VALUES ('held')").await.expect("the table is there");
    let running = scene.command(&["deploy"]).spawn();
    until_true(scene.postgres(), "SELECT count(*) = 2 FROM _prisma_migrations").await;
    assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["under way 2_index"]);
    let prisma = scene.run(&["migrate", "status"]).expect_code(1);
    assert!(!prisma.to_string().contains("failed"), "{prisma}");
    blocker.batch_execute("COMMIT").await.expect("the transaction is ours");
    running.wait().expect_code(0);
}
