//! Migrations that are on the way together: whatever becomes of one, none behind it is applied without it.

use plimsoll_testkit::program::{Running, Signal};
use plimsoll_testkit::server::Version;
use tokio_postgres::Client;

use crate::scene::{Kind, Scene, assert_says, until_true};

/// How many are on the way at once.
const ON_THE_WAY: usize = 8;

/// A database with the tables `first`, which the migrations below need, and `log`.
async fn empty(version: Version) -> Scene {
    let scene = Scene::new(Kind::Postgres(version)).await;
    scene
        .base
        .execute("CREATE SCHEMA side; CREATE TABLE side.first (n INTEGER); CREATE TABLE side.log (what TEXT)")
        .await;
    scene
}

/// So many migrations, each with a table of its own; the third has this script.
async fn with_third(version: Version, number: usize, third: &str) -> Scene {
    let mut scene = empty(version).await;
    for n in 1..=number {
        let script = format!("CREATE TABLE t{n} (n INTEGER);");
        scene = scene.migration(&name(n), if n == 3 { third } else { &script });
    }
    scene
}

fn name(n: usize) -> String {
    format!("{n:02}_t")
}

fn names(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(name).collect()
}

/// Keeps every migration waiting that touches `first`.
async fn held(scene: &Scene) -> Client {
    let holder = scene.postgres().connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE side.first").await.expect("the table is there");
    holder
}

async fn release(holder: &Client) {
    holder.batch_execute("COMMIT").await.expect("it is in a transaction");
}

/// What waits for it.
const TOUCHES: &str = "ALTER TABLE side.first ADD COLUMN m INTEGER;";
const WAITS: &str =
    "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'side.first'::regclass";

/// A run whose third migration waits, and all that follow are on the way.
async fn waiting(scene: &Scene, arguments: &[&str]) -> (Client, Running) {
    let holder = held(scene).await;
    let running = scene.command(&[&["deploy"], arguments].concat()).spawn();
    until_true(scene.postgres(), WAITS).await;
    (holder, running)
}

/// Each way to fail leaves the session in another state: nothing begun, a transaction that has failed, one that could not be committed.
#[tokio::test]
async fn none_is_applied_behind_one_that_fails_however_it_fails() {
    // What is deferred is carried out before the commit, and this defers something once more.
    const BAD_COMMIT: &str = "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        IF NEW.what = 'again' THEN RAISE 'at the end'; END IF; \
        SET CONSTRAINTS ALL DEFERRED; INSERT INTO side.log VALUES ('again'); RETURN NULL; END $$;\n\
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON side.log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fails();\n\
        INSERT INTO side.log VALUES ('third');";
    for (version, script, words) in [
        (Version::V13, "CREATE TABLE t3 (n INTEGER);\nCREATE TABEL nope (n INTEGER);", "syntax error"),
        (
            Version::V15,
            "CREATE TABLE t3 (n INTEGER);\nALTER TABLE nope ADD COLUMN m INTEGER;",
            "does not exist",
        ),
        (Version::V18, BAD_COMMIT, "at the end"),
    ] {
        let scene = with_third(version, 12, script).await;
        let said = scene.run(&["deploy"]).expect_code(65).stderr;
        assert_says(&said, &["P3018", &name(3), words]);
        assert_eq!(scene.applied().await, names(1..=2), "{script}");
        let left = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^t[0-9]'";
        assert_eq!(scene.base.value(left).await, "2", "{script}");
        let failed = scene.base.history().await.into_iter().find(|row| row.migration_name == name(3));
        assert!(failed.is_some_and(|row| row.rolled_back_at.is_some()), "it is recorded");
        let scene = scene.migration(&name(3), "CREATE TABLE t3 (n INTEGER);");
        scene.deployed();
        assert_eq!(scene.applied().await, names(1..=12));
    }
}

/// The place is counted from what stands before the script in its message.
#[tokio::test]
async fn the_place_of_an_error_among_others_is_that_in_the_file() {
    let scene = with_third(Version::V15, 5, "-- ä\nCREATE TABLE t3 (\n  n NOPE\n);").await;
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["03_t/migration.sql:3:5", "NOPE"]);
}

/// The server has them already. It carries them out until it notices that nobody hears its answers, and the lock is not free before.
#[tokio::test]
async fn behind_a_runner_that_is_killed_the_server_applies_what_is_on_the_way_and_no_more() {
    let scene = with_third(Version::V15, 20, TOUCHES).await;
    let (holder, mut running) = waiting(&scene, &[]).await;
    running.kill();
    running.wait();
    release(&holder).await;
    drop(holder);
    let gone = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'";
    until_true(scene.postgres(), gone).await;
    let applied = scene.applied().await.len();
    // The answer to the third is the first that is not heard.
    assert!((4..3 + ON_THE_WAY).contains(&applied), "{applied}");
    assert_eq!(scene.applied().await, names(1..=applied));
    scene.deployed();
    assert_eq!(scene.applied().await, names(1..=20));
}

/// A Prisma that was told to take no lock.
#[tokio::test]
async fn what_somebody_else_records_while_it_is_on_the_way_is_not_run() {
    let scene = with_third(Version::V15, 12, TOUCHES).await;
    let script = "CREATE TABLE t5 (n INTEGER);";
    let (holder, running) = waiting(&scene, &[]).await;
    let checksum = plimsoll_core::Script::new(script).checksum();
    let insert = "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)";
    scene.base.execute(&format!("{insert} VALUES ('theirs', '{checksum}', '05_t', now(), now(), 1)")).await;
    release(&holder).await;
    running.wait().expect_code(0);
    assert_eq!(scene.base.value("SELECT to_regclass('t5') IS NULL").await, "t");
    let mut applied = scene.applied().await;
    applied.sort();
    assert_eq!(applied, names(1..=12));
}

/// By a function whose name does not say so.
#[tokio::test]
async fn none_is_applied_behind_one_that_gives_the_lock_away() {
    let scene = with_third(Version::V15, 12, "INSERT INTO side.log SELECT give() FROM side.first;").await;
    scene
        .base
        .execute(
            "CREATE FUNCTION give() RETURNS text LANGUAGE sql AS $$ SELECT pg_advisory_unlock_all()::text $$; \
             INSERT INTO side.first VALUES (1)",
        )
        .await;
    let (holder, running) = {
        let holder = scene.postgres().connect().await;
        holder.batch_execute("BEGIN; LOCK TABLE side.log").await.expect("the table is there");
        let running = scene.command(&["deploy", "--lock-timeout=0"]).spawn();
        let waits = WAITS.replace("first", "log");
        until_true(scene.postgres(), &waits).await;
        (holder, running)
    };
    let other = scene.postgres().connect().await;
    let taking = tokio::spawn(async move {
        other.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("it is given away");
        other
    });
    let asks = "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND NOT granted \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    until_true(scene.postgres(), asks).await;
    release(&holder).await;
    let other = taking.await.expect("it has the lock");
    assert_says(&running.wait().expect_code(75).stderr, &["PLM206"]);
    assert_eq!(scene.applied().await, names(1..=3));
    other.batch_execute("SELECT pg_advisory_unlock_all()").await.expect("it has the lock");
    scene.deployed();
    assert_eq!(scene.applied().await, names(1..=12));
}

#[tokio::test]
async fn a_run_that_is_stopped_leaves_what_is_on_the_way_unapplied() {
    let scene = with_third(Version::V18, 12, TOUCHES).await;
    let (holder, mut running) = waiting(&scene, &[]).await;
    running.signal(Signal::TERM);
    let ended = running.wait().expect_code(143);
    assert_says(&ended.stderr, &["PLM301", "cancelled and rolled back"]);
    release(&holder).await;
    assert_eq!(scene.applied().await, names(1..=2));
    scene.deployed();
    assert_eq!(scene.applied().await, names(1..=12));
}

#[tokio::test]
async fn a_lock_that_is_not_to_be_had_in_time_costs_its_own_migration_a_try_and_the_others_nothing() {
    let scene = with_third(Version::V15, 12, TOUCHES).await;
    let (holder, running) = waiting(&scene, &["--lock-timeout=500ms"]).await;
    running.wait_for_stderr("03_t was rolled back and is tried again");
    release(&holder).await;
    let said = running.wait().expect_code(0).stderr;
    assert_eq!(scene.applied().await, names(1..=12));
    assert_eq!(
        said.matches("is tried again").count(),
        said.matches("03_t was rolled back and is tried again").count()
    );
}

/// By a function that a statement calls: no word of the script says so.
#[tokio::test]
async fn what_a_script_leaves_in_its_session_is_gone_before_the_next_one() {
    let scene =
        with_third(Version::V15, 5, "INSERT INTO side.log SELECT lead_astray() FROM side.first;").await;
    scene
        .base
        .execute(
            "CREATE FUNCTION lead_astray() RETURNS text LANGUAGE sql AS \
             $$ SELECT set_config('search_path', 'side', false) || set_config('role', 'pg_monitor', false) $$; \
             INSERT INTO side.first VALUES (1)",
        )
        .await;
    scene.deployed();
    assert_eq!(scene.applied().await, names(1..=5));
    assert_eq!(scene.base.value("SELECT to_regclass('public.t4') IS NOT NULL").await, "t");
}

/// The server has the last word on what can be a transaction.
#[tokio::test]
async fn one_that_the_server_does_not_take_as_a_transaction_is_run_in_parts_among_the_others() {
    let third =
        "ALTER TYPE side.mood ADD VALUE 'cross';\nINSERT INTO side.log SELECT 'cross'::side.mood::text;";
    let scene = with_third(Version::V15, 12, third).await;
    scene.base.execute("CREATE TYPE side.mood AS ENUM ('calm')").await;
    let said = scene.deployed().stderr;
    assert_says(&said, &["03_t", "cannot be one transaction"]);
    assert_eq!(scene.applied().await, names(1..=12));
    assert_eq!(scene.base.value("SELECT count(*) FROM side.log").await, "1");
}

/// The mark of the transaction is a setting: no word of the script says that code which it calls takes it away.
#[tokio::test]
async fn code_that_resets_all_settings_is_not_taken_for_the_end_of_the_transaction() {
    for version in [Version::V13, Version::V18] {
        let scene = with_third(version, 5, "INSERT INTO side.first VALUES (1);").await;
        scene
            .base
            .execute(
                "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RESET ALL; RETURN NEW; END $$; \
                 CREATE TRIGGER forget BEFORE INSERT ON side.first FOR EACH ROW EXECUTE FUNCTION forget()",
            )
            .await;
        scene.deployed();
        assert_eq!(scene.applied().await, names(1..=5));
        assert_eq!(scene.base.value("SELECT count(*) FROM side.first").await, "1");
    }
}

/// What stands around the scripts is prepared in the session: no word of a script says that code which it calls takes that away.
#[tokio::test]
async fn code_that_takes_all_prepared_statements_away_fails_nothing_and_is_run_once() {
    for version in [Version::V13, Version::V18] {
        let scene = with_third(version, 12, "INSERT INTO side.first VALUES (1);").await;
        scene
            .base
            .execute(
                "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DEALLOCATE ALL; RETURN NEW; END $$; \
                 CREATE TRIGGER forget BEFORE INSERT ON side.first FOR EACH ROW EXECUTE FUNCTION forget()",
            )
            .await;
        assert_says(&scene.deployed().stderr, &["`03_t` was rolled back", "it goes alone"]);
        assert_eq!(scene.applied().await, names(1..=12));
        assert_eq!(scene.base.value("SELECT count(*) FROM side.first").await, "1");
    }
}

/// Alone each has a session without the statements of the one before it.
#[tokio::test]
async fn code_that_prepares_the_same_in_two_scripts_fails_nothing_and_is_run_once_in_each() {
    let mut scene = empty(Version::V18).await;
    for n in 1..=12 {
        let table = format!("CREATE TABLE t{n} (n INTEGER);");
        let script = if matches!(n, 3 | 7) { "INSERT INTO side.first VALUES (1);" } else { &table };
        scene = scene.migration(&name(n), script);
    }
    scene
        .base
        .execute(
            "CREATE FUNCTION prepare() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PREPARE theirs AS SELECT 1; RETURN NEW; END $$; \
             CREATE TRIGGER prepare BEFORE INSERT ON side.first FOR EACH ROW EXECUTE FUNCTION prepare()",
        )
        .await;
    let said = scene.deployed().stderr;
    assert_says(&said, &["`07_t` was rolled back", "it goes alone"]);
    assert!(!said.contains("`03_t` was rolled back"), "{said}");
    assert_eq!(scene.applied().await, names(1..=12));
    assert_eq!(scene.base.value("SELECT count(*) FROM side.first").await, "2");
}

/// What is said to each is a literal, whatever type somebody has given to a column of the history.
#[tokio::test]
async fn a_history_with_columns_of_other_types_is_written_as_ever() {
    let scene = with_third(Version::V18, 2, "").await;
    scene.deployed();
    scene
        .base
        .execute(
            "ALTER TABLE _prisma_migrations ALTER id TYPE uuid USING id::uuid, ALTER checksum TYPE char(64)",
        )
        .await;
    let scene = (3..=12)
        .fold(scene, |scene, n| scene.migration(&name(n), &format!("CREATE TABLE t{n} (n INTEGER);")));
    assert!(!scene.deployed().stderr.contains("goes alone"));
    assert_eq!(scene.applied().await, names(1..=12));
}

/// What runs alone finds none of what was prepared for those before it.
#[tokio::test]
async fn nothing_that_was_prepared_is_left_for_a_script_that_runs_alone() {
    let scene = empty(Version::V18)
        .await
        .migration("1_a", "CREATE TABLE a (n INTEGER);")
        .migration("2_b", "CREATE TABLE b (n INTEGER);")
        .migration(
            "3_alone",
            "DO $$ BEGIN INSERT INTO side.log SELECT name FROM pg_prepared_statements; END $$;",
        );
    scene.deployed();
    assert_eq!(scene.base.value("SELECT count(*) FROM side.log").await, "0");
}
