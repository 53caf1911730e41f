//! How long a run may take, whatever it is doing when its time is over.

use std::net::TcpListener;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, Options, PostgresServer, Version};
use plimsoll_testkit::transcript::Transcript;

use crate::scene::{Kind, Scene, assert_says, flat, until_true};

const GIVEN: &str = "--timeout=1s";

/// The second that is given, two for a cancel, and room for a machine that has much to do.
const PATIENCE: Duration = Duration::from_secs(6);

#[track_caller]
fn is_over(ended: Transcript, words: &[&str]) -> Transcript {
    assert!(ended.elapsed < PATIENCE, "{ended}");
    let ended = ended.expect_code(75);
    assert_says(&ended.stderr, &["PLM309", "the time of the run (`--timeout`, 1 s) is over"]);
    assert_says(&ended.stderr, words);
    ended
}

fn at(url: &str) -> Project {
    Project::new(Provider::Postgresql).env_url(url).migration("1_init", "CREATE TABLE ship (name TEXT);")
}

#[test]
fn whoever_waits_for_a_database_ends_in_time() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    // It takes connections and says nothing; then nobody is there.
    let project = at(&format!("postgresql://u@127.0.0.1:{port}/d?connect_timeout=0"));
    is_over(plimsoll(&project).args(["deploy", GIVEN]).run(), &["while nothing was being applied"]);
    drop(listener);
    is_over(plimsoll(&project).args(["deploy", GIVEN]).run(), &["while nothing was being applied"]);
}

#[tokio::test]
async fn whoever_waits_for_the_migration_lock_ends_in_time() {
    let scene =
        Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let holder = scene.postgres().connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("nobody else has it");
    is_over(scene.run(&["deploy", GIVEN]), &["not known to be applied: 1_init"]);
    // The variable is the same, and nothing is over that is quick enough.
    is_over(
        scene.command(&["deploy"]).env("PLIMSOLL_TIMEOUT", "1s").run(),
        &["not known to be applied: 1_init"],
    );
    holder.batch_execute("SELECT pg_advisory_unlock(72707369)").await.expect("it is ours");
    scene.run(&["deploy", "--timeout=50s"]).expect_code(0);
}

/// What is done stays, what is under way is taken back, and the lock is free.
#[tokio::test]
async fn a_statement_under_way_is_cancelled_and_the_rest_is_named() {
    let postgres = ("CREATE TABLE ship (n INT);", "INSERT INTO ship VALUES (1);\nSELECT pg_sleep(60);\n");
    let mysql = ("CREATE TABLE ship (n INT);", "INSERT INTO ship VALUES (1);\nUPDATE held SET n = 4;\n");
    let sqlite = (
        "CREATE TABLE ship (n INT);",
        "INSERT INTO ship VALUES (1);\nINSERT INTO ship WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c \
         LIMIT 1000000000000) SELECT count(*) FROM c;\n",
    );
    for (kind, (quick, slow)) in [
        (Kind::Postgres(Version::V15), postgres),
        (Kind::Mysql(Flavour::Mysql), mysql),
        (Kind::Mysql(Flavour::Mariadb), mysql),
        (Kind::Sqlite, sqlite),
    ] {
        let scene = Scene::alone(kind).await.migration("0_held", "CREATE TABLE held (n INT);");
        scene.deployed();
        let scene =
            scene.migration("1_quick", quick).migration("2_slow", slow).migration("3_next", "SELECT 1;");
        scene.base.execute("INSERT INTO held VALUES (1)").await;
        let mut held = None;
        if let Kind::Mysql(_) = kind {
            let mut holder = scene.base.mysql().connect().await;
            holder.query_drop("BEGIN; UPDATE held SET n = 2").await.expect("it is ours");
            held = Some(holder);
        }
        let words =
            ["cancelled and rolled back", "not known to be applied: 2_slow, 3_next", "committed: 1_quick"];
        is_over(scene.run(&["deploy", GIVEN]), &words);
        assert_eq!(scene.applied().await, ["0_held", "1_quick"], "{kind:?}");
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "0", "{kind:?}");
        drop(held);
        scene.project.set_migration("2_slow", "INSERT INTO ship VALUES (1);");
        scene.run(&["deploy", "--lock-wait=0"]).expect_code(0);
    }
}

/// A migration that cannot get its locks is tried again until the run is over, and not until `--lock-wait` is.
#[tokio::test]
async fn a_migration_is_tried_again_until_the_run_is_over() {
    let scene =
        Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    scene.deployed();
    let scene = scene.migration("2_alter", "ALTER TABLE ship ADD COLUMN tonnes INT;\n");
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; SELECT FROM ship").await.expect("the table is there");
    let ended =
        scene.run(&["deploy", "--timeout=3s", "--lock-timeout=100ms", "--lock-wait=0"]).expect_code(75);
    assert!(ended.elapsed < PATIENCE + Duration::from_secs(1), "{ended}");
    // Within a second the pauses would leave room for one.
    assert!(ended.stderr.matches("2_alter was rolled back and is tried again").count() >= 2, "{ended}");
    let flat = flat(&ended.stderr);
    assert!(flat.contains("PLM211") || flat.contains("PLM309"), "{ended}");
    assert_eq!(scene.applied().await, ["1_init"]);
}

/// The server neither answers nor hears that it is to cancel anything.
#[tokio::test]
async fn a_server_that_does_not_hear_a_cancel_is_not_waited_for() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    let project = at(&database.url());
    project.set_migration("2_slow", "SELECT pg_sleep(60);\n");
    let running = plimsoll(&project).args(["deploy", "--timeout=5s"]).spawn();
    let asleep = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    until_true(&database, asleep).await;
    server.pause();
    let ended = running.wait();
    server.resume();
    assert!(ended.elapsed < PATIENCE + Duration::from_secs(5), "{ended}");
    let ended = ended.expect_code(75);
    assert_says(
        &ended.stderr,
        &["PLM309", "may be committed or not", "not known to be applied: 2_slow", "committed: 1_init"],
    );
}
