//! What has gone wrong on paper, in reviews, and must never go wrong in a database.

use plimsoll_core::Provider;
use plimsoll_core::history::{Attempt, Progress, UnderWay};
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::Signal;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Options, PostgresServer, Role, Version};

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
    let before = [("index".to_owned(), "absent".to_owned())].into();
    let progress = Progress { under_way: Some(UnderWay { before }), ..Progress::new(Attempt::Running, "x") };
    let logs = progress.running_log();
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

/// A commit that no lexer of ours finds: to this database a backslash in a string is an escape, and the string ends earlier
/// than it does by default.
#[tokio::test]
async fn a_script_that_ends_the_transaction_unseen_is_not_called_rolled_back() {
    let script =
        r"SELECT '\''; INSERT INTO ship VALUES ($$kept$$); COMMIT; INSERT INTO ship VALUES ($$too$$); --'";
    let scene = with_ship().await.migration("2_hidden", script);
    let database = scene.postgres().name().to_owned();
    let set = format!("ALTER DATABASE {database} SET standard_conforming_strings = off");
    scene.base.execute(&set).await;
    let said = scene.run(&["deploy"]).expect_code(65).stderr;
    assert_says(&said, &["PLM213", "2_hidden", "resolve"]);
    assert!(!said.contains("nothing of it is in the database"), "{said}");
    assert_eq!(ships(&scene).await, "3");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "2_hidden"]);
    assert_eq!(ships(&scene).await, "3");
}

/// The script itself says how its strings end, once that cannot be known any more before it is sent.
#[tokio::test]
async fn a_segment_that_ends_its_transaction_unseen_waits_for_a_person() {
    let hidden =
        r"SELECT '\''; INSERT INTO ship VALUES ($$kept$$); COMMIT; INSERT INTO ship VALUES ($$gone$$); --'";
    let script = format!("SET standard_conforming_strings = off;\nVACUUM ship;\n{hidden}");
    let scene = with_ship().await.migration("2_hidden", &script);
    let said = scene.run(&["deploy"]).expect_code(65).stderr;
    assert_says(&said, &["PLM213", "2 of its 3 statements are done", "--rolled-back 2_hidden"]);
    let next = scene.run(&["deploy"]).expect_code(65).stderr;
    assert_says(&next, &["P3009", "ended the transaction", "--applied 2_hidden"]);
    assert!(!format!("{said}{next}").contains("--resume"), "it would run again what is committed: {next}");
    scene.run(&["resolve", "--resume", "2_hidden"]).expect_code(65);
    assert_eq!(scene.base.value("SELECT string_agg(name, ' ') FROM ship").await, "Ark kept");
}

/// What somebody has written into the history by hand, without a lock, is not written over by a failure.
#[tokio::test]
async fn a_failure_is_not_recorded_in_a_row_that_somebody_has_given_up() {
    let segments = "INSERT INTO ship VALUES ('Beagle');\nVACUUM ship;\nSELECT pg_advisory_xact_lock(4711);\nSELECT nope;";
    let first = "SELECT pg_advisory_xact_lock(4711);\nSELECT nope;\nVACUUM ship;";
    let self_managed =
        "BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT pg_advisory_xact_lock(4711);\nSELECT nope;\nCOMMIT;";
    for script in [segments, first, self_managed] {
        let scene = with_ship().await.migration("2_fails", script);
        let gate = scene.postgres().connect().await;
        gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
        let running = scene.command(&["deploy"]).spawn();
        until_true(scene.postgres(), "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()").await;
        scene
            .base
            .execute("UPDATE _prisma_migrations SET rolled_back_at = '2026-01-01', logs = 'by hand' WHERE finished_at IS NULL")
            .await;
        gate.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("it is ours");
        let said = running.wait().expect_code(65).stderr;
        assert_says(&said, &["P3018", "nope"]);
        let row = scene.base.value("SELECT logs || ' ' || rolled_back_at::date FROM _prisma_migrations WHERE finished_at IS NULL").await;
        assert_eq!(row, "by hand 2026-01-01", "{script}");
        if script != first {
            assert_says(&said, &["could not be recorded: somebody changed"]);
        }
    }
}

/// A server signals a session for one request to cancel twice: the process, then its group. Wherever the second one finds it,
/// there is one block that goes on.
#[tokio::test]
async fn what_does_not_stop_is_not_called_rolled_back() {
    let script = "DO $$ BEGIN \
                  BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; \
                  PERFORM pg_sleep(60); \
                  EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(60); END $$;";
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

/// It may be what ends the server: it is not sent again and again.
#[tokio::test]
async fn a_script_that_ends_its_connection_is_sent_twice_and_no_more() {
    let scene = with_ship().await;
    scene.base.execute("CREATE SEQUENCE sent").await;
    let script = "SELECT nextval('sent');\nSELECT pg_terminate_backend(pg_backend_pid());";
    let scene = scene.migration("2_ends", script);
    assert_says(&scene.run(&["deploy"]).expect_code(69).stderr, &["P1017", "2_ends"]);
    assert_eq!(scene.base.value("SELECT last_value FROM sent").await, "2");
    assert_eq!(scene.applied().await, ["1_init"]);
}

#[tokio::test]
async fn a_server_without_room_is_not_the_scripts_fault() {
    let script = "SET LOCAL temp_file_limit = '64kB';\nSET LOCAL work_mem = '64kB';\n\
                  SELECT count(*) FROM (SELECT n FROM generate_series(1, 500000) AS n ORDER BY n DESC) AS sorted;";
    let scene = with_ship().await.migration("2_sorts", script);
    assert_says(&scene.run(&["deploy"]).expect_code(75).stderr, &["PLM212", "53400"]);
    assert_eq!(scene.base.history().await.len(), 1);
}

#[tokio::test]
async fn a_table_that_is_no_history_is_not_taken_for_one() {
    let scene = with_ship().await;
    scene.base.execute("ALTER TABLE _prisma_migrations RENAME COLUMN checksum TO sum").await;
    let said = scene.run(&["deploy"]).expect_code(65).stderr;
    assert_says(&said, &["PLM210", "42703"]);
}

#[tokio::test]
async fn what_the_server_says_is_passed_on() {
    let scene = with_ship().await;
    let url = scene.postgres().address().parameter("options", "-c nosuchsetting=1").url();
    let said = scene.command(&["deploy"]).env("DATABASE_URL", &url).run().expect_code(65).stderr;
    assert_says(&said, &["PLM303", "nosuchsetting"]);
}

/// Two transactions, or a row before its script, would leave the table.
#[tokio::test]
async fn a_row_that_cannot_be_written_takes_its_script_with_it() {
    const REFUSE: &str = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                          IF NEW.finished_at IS NOT NULL THEN RAISE 'refused'; END IF; RETURN NEW; END $$; \
                          CREATE TRIGGER refuse BEFORE INSERT ON _prisma_migrations \
                          FOR EACH ROW EXECUTE FUNCTION refuse();";
    let scene = with_ship().await;
    scene.base.execute(REFUSE).await;
    let scene = scene.migration("2_table", "CREATE TABLE port (name TEXT);");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3018", "refused"]);
    assert_eq!(scene.base.value("SELECT to_regclass('port') IS NULL").await, "t");
    assert_eq!(scene.applied().await, ["1_init"]);
}

#[tokio::test]
async fn a_run_without_work_makes_one_connection_and_takes_no_lock() {
    let server = PostgresServer::start(Version::V15, &Options::default().setting("log_connections", "on"));
    let database = server.database().await;
    let project = Project::new(Provider::Postgresql)
        .migration("1_init", "CREATE TABLE ship ();")
        .env_url(database.url());
    plimsoll(&project).arg("deploy").run().expect_code(0);
    let holder = database.connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("nobody else has it");
    let authorized = || server.log().matches("connection authorized").count();
    let before = authorized();
    plimsoll(&project).args(["deploy", "--lock-wait=0"]).run().expect_code(0);
    assert_eq!(authorized() - before, 1);
}

/// As on SQLite: a session's own things, and a table that stands in front of the history.
#[tokio::test]
async fn nothing_that_a_session_has_lasts_into_the_next_script() {
    let first = "CREATE TEMP TABLE _prisma_migrations AS SELECT * FROM _prisma_migrations;\n\
                 CREATE TEMP TABLE port (name TEXT);\nPREPARE look AS SELECT 1;\n\
                 DECLARE hand CURSOR WITH HOLD FOR SELECT 1;\nLISTEN news;";
    let second = "CREATE TABLE seen AS SELECT (SELECT count(*) FROM pg_prepared_statements) \
                  + (SELECT count(*) FROM pg_cursors WHERE name <> '') + (SELECT count(*) FROM pg_listening_channels()) AS it;\n\
                  CREATE TABLE port (name TEXT);";
    let scene = with_ship().await.migration("2_session", first).migration("3_look", second);
    scene.deployed();
    assert_eq!(scene.base.value("SELECT it FROM seen").await, "0");
    assert_eq!(scene.base.value("SELECT count(*) FROM pg_tables WHERE tablename = 'port'").await, "1");
    assert_eq!(scene.deployed().stdout, "up to date\n");
}

/// A signal that comes while a statement waits to be tried again must not be followed by another try.
#[tokio::test]
async fn nothing_is_sent_after_a_signal() {
    let script = "CREATE INDEX CONCURRENTLY ship_name ON ship (name);";
    let scene = with_ship().await;
    let name = scene.postgres().name().to_owned();
    scene.base.execute(&format!("ALTER DATABASE \"{name}\" SET lock_timeout = '50ms'")).await;
    let blocker = scene.postgres().connect().await;
    blocker.batch_execute("BEGIN; LOCK TABLE ship").await.expect("the table is there");
    let scene = scene.migration("2_index", script);
    let mut running = scene.command(&["deploy"]).spawn();
    running.wait_for_stderr("is tried again");
    running.signal(Signal::TERM);
    running.wait().expect_code(143);
    let active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND state = 'active' \
                  AND datname = current_database()";
    assert_eq!(scene.base.value(active).await, "0");
    blocker.batch_execute("COMMIT").await.expect("the transaction is ours");
    scene.base.execute(&format!("ALTER DATABASE \"{name}\" RESET lock_timeout")).await;
    scene.deployed();
    assert_eq!(scene.applied().await, ["1_init", "2_index"]);
}
