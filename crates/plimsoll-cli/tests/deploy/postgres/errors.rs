//! Where a script is wrong, and that nothing of it stays.

use plimsoll_testkit::server::Version;

use crate::scene::{Kind, Scene, assert_says, flat};

/// Deploys a script that fails behind one that does not: what was said.
async fn failed(version: Version, script: &str) -> String {
    let scene =
        Scene::new(Kind::Postgres(version)).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    scene.project.set_migration("2_wrong", &format!("INSERT INTO ship VALUES ('doomed');{script}"));
    let ended = scene.run(&["deploy"]).expect_code(65);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "0", "it was rolled back: {script}");
    let rows = scene.base.history().await;
    assert!(rows.len() == 2 && rows[1].rolled_back_at.is_some(), "{rows:?}");
    scene.project.set_migration("2_wrong", "INSERT INTO ship VALUES ('mended')");
    scene.deployed();
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
    ended.stderr
}

#[tokio::test]
async fn the_place_is_right_behind_wide_characters_and_other_line_ends() {
    let script = "\r\n-- Übergröße 🚢\r\nCREATE TABLE ü (a INT);\r\nINSERT INTO ü VALUES (1), (nope);\r\n";
    for version in Version::ALL {
        let said = failed(version, script).await;
        assert_says(&said, &["P3018", "2_wrong/migration.sql:4:28", "42703", "\"nope\" does not exist"]);
    }
}

#[tokio::test]
async fn a_syntax_error_has_a_place() {
    let said = failed(Version::V15, "\nSELECT 1;\n  SELEC 2;\n").await;
    assert_says(&said, &["2_wrong/migration.sql:3:3", "42601", "syntax error at or near \"SELEC\""]);
}

#[tokio::test]
async fn an_error_inside_a_function_has_its_context() {
    let script = "CREATE FUNCTION sink() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  INSERT INTO abyss VALUES (1);\nEND $$;\nSELECT sink();";
    let said = failed(Version::V15, script).await;
    assert_says(&said, &["42P01", "CONTEXT: PL/pgSQL function sink() line 3 at SQL statement"]);
}

#[tokio::test]
async fn detail_and_hint_are_shown() {
    let script = "CREATE TABLE one (a INT PRIMARY KEY);\nINSERT INTO one VALUES (7), (7);\nSELECT shipp();";
    assert_says(&failed(Version::V15, script).await, &["23505", "DETAIL: Key (a)=(7) already exists."]);
    assert_says(&failed(Version::V15, "SELECT shipp();").await, &["42883", "HINT: No function matches"]);
}

#[tokio::test]
async fn what_does_not_end_swallows_nothing() {
    for (rest, word) in [
        ("INSERT INTO ship VALUES ('open", "unterminated quoted string"),
        ("INSERT INTO ship VALUES (\"open", "unterminated quoted identifier"),
        ("SELECT 1; /* open", "unterminated /* comment"),
        ("DO $x$ BEGIN NULL; END", "unterminated dollar-quoted string"),
        ("SELECT $$open", "unterminated dollar-quoted string"),
    ] {
        let said = failed(Version::V15, rest).await;
        assert!(flat(&said).contains(word), "{rest}: {said}");
    }
}

/// The server meets what was sent behind the script: the place is the script's end.
#[tokio::test]
async fn a_statement_that_does_not_end_fails_at_the_end_of_the_script() {
    let said = failed(Version::V15, "\nINSERT INTO ship VALUES (1, ").await;
    assert_says(&said, &["P3018", "42601", "2_wrong/migration.sql:2:"]);
}

#[tokio::test]
async fn a_constraint_that_is_checked_at_the_commit_fails_the_script() {
    let script = "CREATE TABLE port (id INT PRIMARY KEY);\n\
                  CREATE TABLE berth (port INT REFERENCES port DEFERRABLE INITIALLY DEFERRED);\n\
                  INSERT INTO berth VALUES (1);";
    assert_says(&failed(Version::V15, script).await, &["P3018", "23503", "violates foreign key constraint"]);
}

#[tokio::test]
async fn a_command_of_psql_is_refused_with_its_place_before_anything_is_executed() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    let scene = scene.migration("1_psql", "CREATE TABLE ship (name TEXT);\n\\i other.sql\n");
    let ended = scene.run(&["deploy"]).expect_code(65);
    assert_says(
        &ended.stderr,
        &["PLM216", "1_psql/migration.sql:2:1", "has a command of psql", "leave this line out"],
    );
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'ship'";
    assert_eq!(scene.base.value(tables).await, "0", "nothing of it was executed");
    assert!(scene.base.history().await.is_empty(), "it was not even begun");
    scene.migration("1_psql", "CREATE TABLE ship (name TEXT);").deployed();
}
