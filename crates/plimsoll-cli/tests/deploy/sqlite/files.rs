//! The file: where it is, who else has it, and what lies beside it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;

use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";

fn project_at(url: &str) -> Project {
    Project::new(Provider::Sqlite).env_url(url).migration("1_init", INIT)
}

#[tokio::test]
async fn a_missing_directory_is_created_by_deploy_alone() {
    let project = project_at("file:./data/below/ship.db");
    for command in ["status", "plan"] {
        plimsoll(&project).arg(command).run();
        assert!(!project.join("prisma/data").exists());
    }
    plimsoll(&project).arg("deploy").run().expect_code(0);
    assert!(project.join("prisma/data/below/ship.db").is_file());
    plimsoll(&project).arg("status").run().expect_code(0);
}

#[tokio::test]
async fn what_is_no_database_is_not_touched() {
    let project = project_at("file:./not-a-database");
    project.write("prisma/not-a-database", "It was a dark and stormy night. ".repeat(100));
    let before = project.read("prisma/not-a-database");
    for command in ["deploy", "status", "plan"] {
        assert_says(
            &plimsoll(&project).arg(command).run().expect_code(78).stderr,
            &["PLM208", "not a SQLite database"],
        );
    }
    assert_eq!(project.read("prisma/not-a-database"), before);

    let project = project_at("file:./migrations");
    for command in ["deploy", "status", "plan"] {
        assert_says(
            &plimsoll(&project).arg(command).run().expect_code(78).stderr,
            &["PLM208", "it is a directory"],
        );
    }
}

/// A write-ahead log that another process has left, or still uses, holds what the file does not.
#[tokio::test]
async fn a_write_ahead_log_is_read_and_written() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    let other = scene.sqlite().connect();
    let mode: String =
        other.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)).expect("the file is ours");
    assert_eq!(mode, "wal");
    other.execute_batch("SELECT * FROM sqlite_master").expect("the log is opened with the first statement");
    scene.deployed();
    assert!(PathBuf::from(format!("{}-wal", scene.sqlite().path().display())).exists());
    other.execute_batch("INSERT INTO ship VALUES ('from the other one')").expect("nobody else writes");
    scene.run(&["status"]).expect_code(0);
    scene.run(&["plan"]).expect_code(0);
    let scene = scene.migration("2_more", "INSERT INTO ship VALUES ('Beagle');");
    // A reader does not keep a writer from writing.
    other.execute_batch("BEGIN; SELECT * FROM ship").expect("a transaction can be begun");
    scene.deployed();
    other.execute_batch("COMMIT").expect("it is ours");
    drop(other);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "3");
    assert_eq!(scene.base.value("PRAGMA journal_mode").await, "wal");
}

#[tokio::test]
async fn a_locked_file_is_waited_for() {
    for lock in ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"] {
        let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
        let other = scene.sqlite().connect();
        other.execute_batch(lock).expect("nobody else has it");
        let ended = scene.run(&["deploy", "--lock-wait=300ms"]).expect_code(75);
        assert_says(&ended.stderr, &["P1002", "another process"]);
        assert!(ended.elapsed < Duration::from_secs(5), "it took {:?}", ended.elapsed);
        let mut running = scene.command(&["deploy", "--lock-wait=1m"]).spawn();
        running.wait_for_stderr("waiting for another process");
        assert!(!running.has_ended());
        other.execute_batch("COMMIT").expect("it is ours");
        running.wait().expect_code(0);
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
    }
}

/// A reader does not keep anybody from beginning to write, but from ending it; and `VACUUM` wants the file for itself.
#[tokio::test]
async fn a_reader_is_waited_for() {
    for script in ["INSERT INTO ship VALUES ('Beagle');", "VACUUM;", "PRAGMA journal_mode=WAL;"] {
        let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
        scene.deployed();
        let scene = scene.migration("2_more", script);
        let reader = scene.sqlite().connect();
        reader.execute_batch("BEGIN; SELECT * FROM ship").expect("nobody writes");
        let ended = scene.run(&["deploy", "--lock-wait=300ms"]).expect_code(75);
        assert_says(&ended.stderr, &["P1002", "another process"]);
        reader.execute_batch("COMMIT").expect("it is ours");
        drop(reader);
        scene.deployed();
        assert_eq!(scene.base.history().await.len(), 2, "a file that was locked is no failure: {script}");
    }
}

/// A write-ahead log is given up only when nobody else has the file open. That the started row stands already is no reason
/// to fail.
#[tokio::test]
async fn whoever_has_the_file_open_is_waited_for() {
    let scene = Scene::new(Kind::Sqlite)
        .await
        .migration("1_init", INIT)
        .migration("2_wal", "PRAGMA journal_mode=WAL;");
    scene.deployed();
    let scene = scene.migration("3_delete", "PRAGMA journal_mode=DELETE;");
    let other = scene.sqlite().connect();
    other.execute_batch("SELECT * FROM ship").expect("nobody writes");
    let ended = scene.run(&["deploy", "--lock-wait=300ms"]).expect_code(75);
    assert_says(&ended.stderr, &["P1002", "another process"]);
    drop(other);
    scene.deployed();
    assert_eq!(scene.applied().await, ["1_init", "2_wal", "3_delete"]);
    assert_eq!(scene.base.history().await.len(), 3, "a file that was locked is no failure");
}

/// The program as an account that the file's permissions bind; root's do not.
fn unprivileged(project: &Project) -> Program {
    Program::new("setpriv", PathBuf::from("setpriv"), project).args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        env!("CARGO_BIN_EXE_plimsoll"),
    ])
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the file is ours");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_still_read() {
    let project = project_at("file:./data/ship.db");
    plimsoll(&project).arg("deploy").run().expect_code(0);
    mode(project.path(), 0o755);
    mode(&project.join("prisma/data"), 0o555);
    mode(&project.join("prisma/data/ship.db"), 0o444);
    for command in ["status", "plan", "wait", "deploy"] {
        unprivileged(&project).arg(command).run().expect_code(0);
    }
    project.set_migration("2_more", "INSERT INTO ship VALUES ('Beagle');");
    unprivileged(&project).arg("status").run().expect_code(1);
    assert_says(&unprivileged(&project).arg("deploy").run().expect_code(77).stderr, &["PLM207"]);
}

/// SQLite writes its journal beside the file.
#[tokio::test]
async fn a_directory_that_cannot_be_written_is_named() {
    let project = project_at("file:./data/ship.db");
    plimsoll(&project).arg("deploy").run().expect_code(0);
    project.set_migration("2_more", "INSERT INTO ship VALUES ('Beagle');");
    mode(project.path(), 0o755);
    mode(&project.join("prisma/data"), 0o555);
    mode(&project.join("prisma/data/ship.db"), 0o666);
    let ended = unprivileged(&project).arg("deploy").run();
    assert_says(&ended.stderr, &["ship.db", "directory"]);
    assert!(matches!(ended.code(), Some(77 | 78)), "{ended}");
    mode(&project.join("prisma/data"), 0o777);
    unprivileged(&project).arg("deploy").run().expect_code(0);

    let nowhere = project_at("file:./data/below/ship.db");
    mode(nowhere.path(), 0o755);
    mode(&nowhere.join("prisma"), 0o555);
    let ended = unprivileged(&nowhere).arg("deploy").run();
    assert_says(&ended.stderr, &["ship.db", "Permission denied"]);
    assert!(matches!(ended.code(), Some(77 | 78)), "{ended}");
}
