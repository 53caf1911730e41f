//! SQLite: its errors, met by their causes.

use plimsoll_engine::classes::Known;
use plimsoll_engine::sqlite::ERRORS;

use super::{Kind, Scene, assert_says, assert_tried, ended_as, start};

/// Result codes, and scripts that meet them.
const SCRIPTS: &[(&str, &str)] = &[
    ("1", "SELEC 1"),
    ("13", "PRAGMA max_page_count = 20; CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(1000000))"),
    ("18", "SELECT zeroblob(2000000000)"),
    ("20", "CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES ('text')"),
    ("275", "CREATE TABLE t (a CHECK (a > 0)); INSERT INTO t VALUES (0)"),
    (
        "787",
        "CREATE TABLE t (a PRIMARY KEY); CREATE TABLE u (a REFERENCES t); PRAGMA foreign_keys = ON; INSERT INTO u VALUES (1)",
    ),
    ("1299", "CREATE TABLE t (a NOT NULL); INSERT INTO t VALUES (NULL)"),
    ("1555", "CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES ('a'), ('a')"),
    ("2067", "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1), (1)"),
    ("3091", "CREATE TABLE t (a INT) STRICT; INSERT INTO t VALUES ('text')"),
];

/// Met by what others do to the file.
const FILES: &[&str] = &["5", "11", "26"];

fn row(code: &str) -> &'static Known {
    ERRORS.iter().find(|row| row.code == code).expect("it is in the table")
}

#[test]
fn what_is_said_to_be_met_is_met() {
    let met: Vec<_> = SCRIPTS.iter().map(|(code, _)| *code).chain(FILES.iter().copied()).collect();
    assert_tried(ERRORS, &met);
}

#[tokio::test]
async fn what_a_script_meets_ends_as_its_class() {
    for (code, script) in SCRIPTS {
        let scene = Scene::new(Kind::Sqlite).await.migration("1_meets", script);
        let ended = ended_as(start(&scene.project).wait(), row(code).session, code);
        assert_says(&ended.stderr, &[code]);
        assert!(scene.applied().await.is_empty());
    }
}

#[tokio::test]
async fn what_others_do_to_the_file_ends_as_its_class() {
    for code in FILES {
        let scene = Scene::new(Kind::Sqlite).await.migration("1_init", "CREATE TABLE u (a)");
        let other = scene.sqlite().connect();
        match *code {
            "5" => other.execute_batch("BEGIN EXCLUSIVE").expect("nobody else has it"),
            "11" => {
                other.execute_batch("CREATE TABLE t (a); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'nonsense'").expect("the file is ours");
            }
            _ => {
                std::fs::write(scene.sqlite().path(), "no database ".repeat(1000)).expect("the file is ours");
            }
        }
        ended_as(start(&scene.project).wait(), row(code).session, code);
    }
}
