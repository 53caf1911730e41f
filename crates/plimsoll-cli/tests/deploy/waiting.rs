//! Waiting for a database that is not up, for a lock that somebody else holds, and for the work of others.

use std::time::Duration;

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::{Program, Running};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Options, PostgresServer, Role, Stop, Version};

use crate::scene::{Kind, Scene, assert_says, until_true};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";

/// What does not wait ends long before this.
const AT_ONCE: Duration = Duration::from_secs(5);

fn project(url: &str) -> Project {
    Project::new(Provider::Postgresql).env_url(url).migration("1_init", INIT)
}

/// How many lines begin with these words.
fn lines(text: &str, begin: &str) -> usize {
    text.lines().filter(|line| line.starts_with(begin)).count()
}

#[tokio::test]
async fn a_server_that_is_not_up_is_waited_for() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    let project = project(&database.url());
    server.stop(Stop::Fast);
    let now = plimsoll(&project).args(["deploy", "--wait=0"]).run().expect_code(69);
    assert_says(&now.stderr, &["P1001", &format!("127.0.0.1:{}", server.port())]);
    assert!(now.elapsed < AT_ONCE && !now.stderr.contains("waiting"), "{now}");
    let soon = plimsoll(&project).args(["deploy", "--wait=500ms"]).run().expect_code(69);
    assert!(soon.elapsed >= Duration::from_millis(500) && soon.elapsed < AT_ONCE, "{:?}", soon.elapsed);

    let running = plimsoll(&project).arg("deploy").spawn();
    running.wait_for_stderr("waiting for up to 60 s");
    server.start_again();
    let ended = running.wait().expect_code(0);
    assert_eq!(lines(&ended.stderr, "waiting"), 1, "one line, not one for each try:\n{ended}");
    assert_eq!(lines(&ended.stderr, "the database answered after"), 1, "{ended}");
    assert_eq!(database.value("SELECT count(*) FROM ship").await, "1");
}

/// A server that takes connections and says nothing: `connect_timeout` ends each try.
#[tokio::test]
async fn a_server_that_does_not_answer_is_waited_for() {
    let server = PostgresServer::start(Version::V18, &Options::default());
    let database = server.database().await;
    server.pause();
    let url = database.address().parameter("connect_timeout", "1").url();
    let project = project(&url);
    let over = plimsoll(&project).args(["deploy", "--wait=2s"]).within(Duration::from_secs(15)).run();
    assert_says(&over.expect_code(69).stderr, &["P1001"]);
    let running = plimsoll(&project).arg("deploy").within(Duration::from_secs(15)).spawn();
    running.wait_for_stderr("waiting for up to");
    server.resume();
    running.wait().expect_code(0);
    assert_eq!(database.value("SELECT count(*) FROM ship").await, "1");
}

#[tokio::test]
async fn a_wrong_password_ends_the_wait() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    let project = project(&database.address().password("sesame-4711").url());
    server.stop(Stop::Fast);
    let running = plimsoll(&project).arg("deploy").spawn();
    running.wait_for_stderr("waiting for up to");
    server.start_again();
    let ended = running.wait().expect_code(77);
    assert_says(&ended.stderr, &["P1000"]);
    assert!(!ended.stderr.contains("sesame"), "{ended}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_waited_for_like_a_server_that_is_not_up() {
    let project = project("postgresql://u@no-such-host.invalid:5432/d");
    let ended = plimsoll(&project).args(["deploy", "--wait=300ms"]).run().expect_code(69);
    assert_says(&ended.stderr, &["P1001", "no-such-host.invalid:5432"]);
}

/// Whether a script is waiting for the lock that stands for a moment in the middle of it.
const AT_THE_GATE: &str = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                           AND wait_event = 'advisory' AND query LIKE '%(4711)%' AND pid <> pg_backend_pid()";

#[tokio::test]
async fn a_server_that_restarts_in_the_middle_of_a_migration_gets_it_once() {
    for how in [Stop::Fast, Stop::Immediate] {
        let server = PostgresServer::start(Version::V15, &Options::default());
        let database = server.database().await;
        let project = project(&database.url());
        project.set_migration(
            "2_gate",
            "INSERT INTO ship VALUES ('gate');\nSELECT pg_advisory_xact_lock(4711);",
        );
        project.set_migration("3_last", "INSERT INTO ship VALUES ('last');");
        let gate = database.connect().await;
        gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
        let running = plimsoll(&project).arg("deploy").spawn();
        until_true(&database, AT_THE_GATE).await;
        // The gate goes with the server.
        server.restart(how);
        let ended = running.wait().expect_code(0);
        assert_says(&ended.stderr, &["connecting again"]);
        assert_eq!(database.value("SELECT count(*) FROM ship").await, "3");
        assert_eq!(database.history().await.len(), 3);
        drop(gate);
    }
}

/// The server ends the connection, and only that.
#[tokio::test]
async fn a_connection_that_is_ended_is_made_again() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let scene =
        scene.migration("2_gate", "INSERT INTO ship VALUES ('gate');\nSELECT pg_advisory_xact_lock(4711);");
    let gate = scene.postgres().connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    let running = scene.command(&["deploy"]).spawn();
    until_true(scene.postgres(), AT_THE_GATE).await;
    gate.batch_execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event = 'advisory'; SELECT pg_advisory_unlock(4711)",
    )
    .await
    .expect("a superuser may");
    assert_says(&running.wait().expect_code(0).stderr, &["connecting again"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2");
    assert_eq!(scene.base.history().await.len(), 2);
}

#[tokio::test]
async fn wait_ends_when_somebody_else_has_deployed() {
    for kind in [Kind::Postgres(Version::V15), Kind::Sqlite] {
        let scene = Scene::on(kind, kind.missing()).migration("1_init", INIT);
        let running = scene.command(&["wait"]).spawn();
        running.wait_for_stderr("waiting for up to 60 s");
        scene.deployed();
        let ended = running.wait().expect_code(0);
        assert_eq!(ended.stdout, "the database stands at this project's migrations\n");
        scene.project.set_migration("2_more", "INSERT INTO ship VALUES ('Beagle');");
        let over = scene.run(&["wait", "--wait=300ms"]).expect_code(75);
        assert_says(&over.stderr, &["PLM209", "`2_more`"]);
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1", "it applies nothing");
    }
}

/// What no other process can mend is not waited for.
#[tokio::test]
async fn wait_fails_at_once_for_what_never_comes_true() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    scene.project.write("prisma/migrations/migration_lock.toml", "provider = \"mysql\"\n");
    let ended = scene.run(&["wait", "--wait=10s"]).expect_code(78);
    assert_says(&ended.stderr, &["P3019"]);
    assert!(ended.elapsed < AT_ONCE, "{:?}", ended.elapsed);
}

async fn held(scene: &Scene) -> Running {
    let gate = "INSERT INTO ship VALUES ('gate');\nSELECT pg_advisory_xact_lock(4711);";
    scene.project.set_migration("2_gate", gate);
    let running = scene.command(&["deploy"]).env("HOSTNAME", "pod-a").spawn();
    until_true(scene.postgres(), AT_THE_GATE).await;
    running
}

#[tokio::test]
async fn the_holder_of_the_lock_is_named_and_waited_for() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let gate = scene.postgres().connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    let first = held(&scene).await;
    let over = scene.run(&["deploy", "--lock-wait=300ms"]).expect_code(75);
    let holder = format!("`plimsoll pod-a/{}`", first.pid());
    assert_says(&over.stderr, &["P1002", &holder]);
    assert_says(
        &scene.run(&["resolve", "--applied", "2_gate", "--lock-wait=0"]).expect_code(75).stderr,
        &["P1002"],
    );

    let second = scene.command(&["deploy"]).spawn();
    second.wait_for_stderr(&holder);
    gate.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("it is ours");
    assert_says(&first.wait().expect_code(0).stdout, &["2 migrations applied"]);
    let second = second.wait().expect_code(0);
    assert_eq!(second.stdout, "up to date\n");
    assert_eq!(lines(&second.stderr, "waiting"), 1, "{second}");
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2");
}

/// What a person needs to find the pod that everybody waits for.
#[tokio::test]
async fn a_waiter_names_pod_namespace_process_release_and_since_when() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let gate = scene.postgres().connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    scene.project.set_migration("2_gate", "SELECT pg_advisory_xact_lock(4711);");
    let first = in_a_pod(scene.command(&["deploy"])).spawn();
    until_true(scene.postgres(), AT_THE_GATE).await;
    let over = scene.run(&["deploy", "--lock-wait=0"]).expect_code(75);
    let since = "SELECT to_char(backend_start AT TIME ZONE 'UTC', '\"since\" YYYY-MM-DD HH24:MI:SS \"UTC\"') \
                 FROM pg_stat_activity WHERE application_name LIKE 'plimsoll shop/%' AND datname = current_database()";
    let name = format!("`plimsoll shop/app-6d4cf56db6-x7k2p/{} 1.4.2`", first.pid());
    assert_says(&over.stderr, &[&name, &scene.base.value(since).await]);
    gate.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("it is ours");
    first.wait().expect_code(0);
}

/// PostgreSQL shows little of other roles' connections: what is not known is left out, not made up.
#[tokio::test]
async fn a_holder_of_another_role_is_named_as_far_as_it_may_be_seen() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let holder = scene.postgres().connect().await;
    let take = "SET application_name = 'somebody'; SELECT pg_advisory_lock(72707369)";
    holder.batch_execute(take).await.expect("nobody else has it");
    let url = scene.postgres().address().role(Role::Md5).url();
    let over = scene.run(&["deploy", "--lock-wait=0", "--url", &url]).expect_code(75);
    assert_says(&over.stderr, &["lock: `somebody` (connection "]);
    assert!(!over.stderr.contains("since") && !over.stderr.contains(", for "), "{over}");
    holder.batch_execute("SELECT 1").await.expect("the holder is still connected");
}

/// SQLite has no server that could tell: the holder signs its lock.
#[tokio::test]
async fn a_waiter_on_sqlite_names_the_holder_too() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    scene.deployed();
    scene.project.set_migration("2_more", "INSERT INTO ship VALUES ('Beagle');");
    let other = scene.sqlite().connect();
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
    let first = in_a_pod(scene.command(&["deploy"])).spawn();
    first.wait_for_stderr("waiting for another process");
    let over = scene.run(&["deploy", "--lock-wait=0"]).expect_code(75);
    let name = format!("`plimsoll shop/app-6d4cf56db6-x7k2p/{} 1.4.2` (since 20", first.pid());
    assert_says(&over.stderr, &["P1002", &name]);
    other.execute_batch("ROLLBACK").expect("it is ours");
    first.wait().expect_code(0);
}

fn in_a_pod(command: Program) -> Program {
    command
        .env("PLIMSOLL_POD", "app-6d4cf56db6-x7k2p")
        .env("PLIMSOLL_NAMESPACE", "shop")
        .env("PLIMSOLL_RELEASE", "registry.example:5000/shop/app:1.4.2")
}

/// Whoever did the work may keep the lock for as long as it likes.
#[tokio::test]
async fn a_runner_leaves_when_the_work_is_done_though_the_lock_is_held() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    scene.deployed();
    scene.project.set_migration("2_more", "INSERT INTO ship VALUES ('Beagle');");
    let holder = scene.postgres().connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("nobody else has it");
    assert_eq!(scene.run(&["status"]).expect_code(1).stderr, "", "who only looks needs no lock");
    let running = scene.command(&["deploy"]).spawn();
    running.wait_for_stderr("waiting for another runner");
    let row = "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) \
               VALUES ('x', 'x', '2_more', now(), 1)";
    holder.batch_execute(row).await.expect("the table is there");
    assert_eq!(running.wait().expect_code(0).stdout, "up to date\n");
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1", "it was not applied again");
    holder.batch_execute("SELECT 1").await.expect("the holder is still connected");
}

/// Behind a wait for the lock, a migration that is under way looks like one that has failed.
#[tokio::test]
async fn what_another_runner_has_under_way_is_no_failure() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    scene.deployed();
    scene.project.set_migration("2_own", "BEGIN;\nSELECT pg_advisory_xact_lock(4711);\nCOMMIT;\nBEGIN;\nSET LOCAL work_mem = '5MB';\nINSERT INTO ship VALUES ('own');\nCOMMIT;");
    let gate = scene.postgres().connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    let first = scene.command(&["deploy"]).spawn();
    until_true(scene.postgres(), AT_THE_GATE).await;
    let second = scene.command(&["deploy"]).spawn();
    second.wait_for_stderr("waiting for another runner");
    gate.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("it is ours");
    first.wait().expect_code(0);
    second.wait().expect_code(0);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2");
}
