//! SIGTERM, which Kubernetes sends, and SIGINT, which a terminal sends: whatever the program does, it ends within two
//! seconds, leaves nothing half-done, and the next one carries on.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::{Program, Running, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Options, PostgresServer, Version};
use plimsoll_testkit::transcript::Transcript;
use plimsoll_testkit::wait::until;

use crate::scene::{Kind, Scene, assert_says, until_true};

/// What a pod is left with after SIGTERM has to be enough, and nobody waits longer for Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(2);

const LOCK: &str = "pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND granted \
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Sends a signal and fails unless the program ends in time with the code that stands for it.
fn end(mut running: Running, signal: Signal) -> Transcript {
    let sent = Instant::now();
    running.signal(signal);
    let transcript = running.wait();
    let took = sent.elapsed();
    assert!(took < PATIENCE, "it took {took:?} to end:\n{transcript}");
    let code = if signal == Signal::TERM { 143 } else { 130 };
    transcript.expect_code(code)
}

/// A migration that has been applied, and one whose statement takes very long while there is a row in `brake`.
async fn braked_on_postgres(version: Version) -> Scene {
    let scene = Scene::new(Kind::Postgres(version)).await;
    let scene =
        scene.migration("1_init", "CREATE TABLE brake (on_ boolean);\nCREATE TABLE ship (name TEXT);");
    scene.deployed();
    scene.base.execute("INSERT INTO brake VALUES (true)").await;
    let slow = "INSERT INTO ship VALUES ('Ark');\n\
                SELECT pg_sleep(CASE WHEN EXISTS (SELECT FROM brake) THEN 60 ELSE 0 END);\n";
    scene.migration("2_quick", "INSERT INTO ship VALUES ('Beagle');").migration("3_slow", slow)
}

async fn a_statement_is_cancelled(version: Version, signal: Signal) {
    const ASLEEP: &str = "SELECT count(*) > 0 FROM pg_stat_activity \
                          WHERE datname = current_database() AND wait_event = 'PgSleep'";
    let scene = braked_on_postgres(version).await;
    let running = scene.command(&["deploy"]).spawn();
    until_true(scene.postgres(), ASLEEP).await;
    let ended = end(running, signal);
    assert_says(&ended.stderr, &["PLM301", "committed: 2_quick"]);
    assert_eq!(scene.base.value(ASLEEP).await, "f", "the statement goes on without anybody");
    assert_eq!(scene.base.value(&format!("SELECT count(*) FROM {LOCK}")).await, "0", "the lock is free");
    assert_eq!(scene.applied().await, ["1_init", "2_quick"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");

    scene.base.execute("DELETE FROM brake").await;
    scene.deployed();
    assert_eq!(scene.applied().await, ["1_init", "2_quick", "3_slow"]);
    assert_eq!(scene.base.history().await.len(), 3, "an interruption is no failure");
}

#[tokio::test]
async fn sigterm_cancels_the_statement_on_postgresql_13() {
    a_statement_is_cancelled(Version::V13, Signal::TERM).await;
}

#[tokio::test]
async fn sigterm_cancels_the_statement_on_postgresql_18() {
    a_statement_is_cancelled(Version::V18, Signal::TERM).await;
}

#[tokio::test]
async fn sigint_cancels_the_statement_on_postgresql_15() {
    a_statement_is_cancelled(Version::V15, Signal::INT).await;
}

/// A server that does not answer any more cannot be asked to cancel anything.
#[tokio::test]
async fn a_server_that_hangs_keeps_nobody() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    let project = Project::new(Provider::Postgresql).env_url(database.url());
    let project =
        project.migration("1_init", "CREATE TABLE ship (name TEXT);\nSELECT pg_advisory_xact_lock(4711);");
    let gate = database.connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    let running = plimsoll(&project).arg("deploy").spawn();
    until_true(&database, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'advisory'").await;
    server.pause();
    end(running, Signal::TERM);
    server.resume();
    gate.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("it is ours");
    plimsoll(&project).arg("deploy").run().expect_code(0);
    assert_eq!(database.history().await.len(), 1);
}

/// An index that is being built waits for older transactions: it is cancelled there, and made anew by the next run.
#[tokio::test]
async fn an_index_that_is_being_built_is_cancelled_and_built_again() {
    let scene =
        Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    scene.deployed();
    let scene = scene.migration("2_index", "CREATE INDEX CONCURRENTLY ship_name ON ship (name);");
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; INSERT INTO ship VALUES ('Ark')").await.expect("the table is there");
    let running = scene.command(&["deploy"]).spawn();
    until_true(
        scene.postgres(),
        "SELECT count(*) > 0 FROM pg_index WHERE indexrelid = to_regclass('ship_name')",
    )
    .await;
    let ended = end(running, Signal::TERM);
    assert_says(&ended.stderr, &["PLM301", "the invalid index that it may have left is dropped"]);
    assert!(!ended.stderr.contains("rolled back"), "{ended}");
    reader.batch_execute("COMMIT").await.expect("the transaction is ours");
    assert_eq!(scene.applied().await, ["1_init"]);
    scene.deployed();
    assert_eq!(scene.applied().await, ["1_init", "2_index"]);
    let valid = "SELECT string_agg(indisvalid::text, ',') FROM pg_index WHERE indrelid = 'ship'::regclass";
    assert_eq!(scene.base.value(valid).await, "true");
}

/// A project whose server is not there: the port is that of the discard service.
fn nobody_listens() -> Project {
    Project::new(Provider::Postgresql).env_url("postgresql://u@127.0.0.1:9/d").migration("1_init", "SELECT 1")
}

#[tokio::test]
async fn waiting_for_the_database_can_be_ended() {
    for signal in [Signal::TERM, Signal::INT] {
        let project = nobody_listens();
        for command in ["deploy", "status", "plan", "wait"] {
            let running = plimsoll(&project).arg(command).spawn();
            running.wait_for_stderr("waiting for up to");
            assert_says(&end(running, signal).stderr, &["PLM301"]);
        }
    }
}

#[tokio::test]
async fn waiting_for_the_lock_can_be_ended() {
    let scene =
        Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let holder = scene.postgres().connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("the lock is free");
    for signal in [Signal::TERM, Signal::INT] {
        for arguments in [vec!["deploy"], vec!["resolve", "--applied", "1_init"]] {
            let running = scene.command(&arguments).spawn();
            running.wait_for_stderr("waiting for another runner");
            assert_says(&end(running, signal).stderr, &["PLM301"]);
        }
    }
    assert!(scene.base.history().await.is_empty());
    holder.batch_execute("SELECT pg_advisory_unlock(72707369)").await.expect("the lock is ours");
    scene.deployed();
}

/// Like the one for PostgreSQL: as many rounds as `brake` says.
fn braked_on_sqlite(scene: Scene) -> Scene {
    let slow = "INSERT INTO ship VALUES ('Ark');\n\
                WITH RECURSIVE round(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM round \
                WHERE n < (SELECT rounds FROM brake)) SELECT count(*) FROM round;\n";
    // Behind a script that changes settings, the connection is another one.
    let quick = "PRAGMA case_sensitive_like=ON;\nINSERT INTO ship VALUES ('Beagle');";
    scene.migration("2_quick", quick).migration("3_slow", slow)
}

#[tokio::test]
async fn a_statement_is_interrupted_on_sqlite() {
    for signal in [Signal::TERM, Signal::INT] {
        let init = "CREATE TABLE brake (rounds INTEGER);\nCREATE TABLE ship (name TEXT);";
        let scene = Scene::new(Kind::Sqlite).await.migration("1_init", init);
        scene.deployed();
        scene.base.execute("INSERT INTO brake VALUES (1000000000000)").await;
        let scene = braked_on_sqlite(scene);
        let running = scene.command(&["deploy"]).spawn();
        running.wait_for_stderr("applied 2_quick");
        let probe = scene.sqlite().connect();
        probe.busy_timeout(Duration::ZERO).expect("a timeout can be set");
        until("the slow statement has begun", || probe.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err());
        drop(probe);
        let sent = Instant::now();
        assert_says(&end(running, signal).stderr, &["PLM301", "committed: 2_quick"]);
        assert!(sent.elapsed() < Duration::from_secs(1), "it was given up, not interrupted");
        assert_eq!(scene.applied().await, ["1_init", "2_quick"]);
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
        scene.base.execute("UPDATE brake SET rounds = 1").await;
        scene.deployed();
        assert_eq!(scene.base.history().await.len(), 3, "an interruption is no failure");
    }
}

#[tokio::test]
async fn waiting_for_a_locked_file_can_be_ended() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let holder = scene.sqlite().connect();
    holder.execute_batch("BEGIN EXCLUSIVE").expect("nobody else has it");
    for signal in [Signal::TERM, Signal::INT] {
        let running = scene.command(&["deploy"]).spawn();
        running.wait_for_stderr("waiting for another process");
        assert_says(&end(running, signal).stderr, &["PLM301"]);
    }
    drop(holder);
    scene.deployed();
}

/// The first process of a container is shielded by the kernel from every signal that it has no handler for.
#[tokio::test]
async fn the_first_process_of_a_container_can_be_ended() {
    let scene = braked_on_postgres(Version::V15).await;
    let running = in_a_container(&scene.project, "deploy").spawn();
    until_true(
        scene.postgres(),
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
    )
    .await;
    let sent = Instant::now();
    terminate(&only_child(running.pid()));
    let ended = running.wait().expect_code(143);
    assert!(sent.elapsed() < PATIENCE, "it took {:?}:\n{ended}", sent.elapsed());
    assert_eq!(scene.applied().await, ["1_init", "2_quick"]);

    let early = nobody_listens();
    let running = in_a_container(&early, "wait").spawn();
    running.wait_for_stderr("waiting for up to");
    terminate(&only_child(running.pid()));
    running.wait().expect_code(143);
}

/// The `STOPSIGNAL` of an application's image is that of its gate too.
#[tokio::test]
async fn the_first_process_can_be_ended_by_what_else_an_image_names() {
    for (name, code) in [("QUIT", 131), ("HUP", 129), ("INT", 130)] {
        let early = nobody_listens();
        let words = ["--pid", "--fork", "--kill-child", "env", &format!("--default-signal={name}")];
        let running = Program::new("unshare", PathBuf::from("unshare"), &early).args(words);
        let running = running.args([env!("CARGO_BIN_EXE_plimsoll"), "wait"]).spawn();
        running.wait_for_stderr("waiting for up to");
        send(name, &only_child(running.pid()));
        running.wait().expect_code(code);
    }
}

/// `nohup` turns SIGHUP off before it starts a program.
#[tokio::test]
async fn a_hangup_that_was_ignored_stays_ignored() {
    const HUP: u64 = 1;
    for (option, listens) in [("--ignore-signal=HUP", false), ("--default-signal=HUP", true)] {
        let project = nobody_listens();
        let running = Program::new("env", PathBuf::from("env"), &project);
        let running = running.args([option, env!("CARGO_BIN_EXE_plimsoll"), "wait"]).spawn();
        running.wait_for_stderr("waiting for up to");
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid()));
        let status = status.expect("the process is ours");
        let caught =
            status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).expect("the kernel says it");
        let caught = u64::from_str_radix(caught, 16).expect("a mask");
        assert_eq!(caught & HUP != 0, listens, "{option}");
        end(running, Signal::TERM);
    }
}

/// `plimsoll` as process 1 of a namespace of its own.
fn in_a_container(project: &Project, command: &str) -> Program {
    Program::new("unshare", PathBuf::from("unshare"), project).args([
        "--pid",
        "--fork",
        "--kill-child",
        env!("CARGO_BIN_EXE_plimsoll"),
        command,
    ])
}

fn only_child(pid: u32) -> String {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    children.expect("the process is ours").trim().to_owned()
}

fn terminate(pid: &str) {
    send("TERM", pid);
}

fn send(signal: &str, pid: &str) {
    let sent = Command::new("/bin/sh").args(["-c", "kill -\"$0\" \"$1\"", signal, pid]).status();
    assert!(sent.expect("/bin/sh exists").success());
}
