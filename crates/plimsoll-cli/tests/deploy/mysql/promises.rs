//! A lock that does not come in time, and settings that a script leaves: what is promised of a session that goes on.

use mysql_async::prelude::Queryable as _;
use plimsoll_testkit::server::Flavour;

use super::resume::with;
use crate::scene::Scene;

/// For rows the server's own limit counts, which is 50 s.
const IMPATIENT: &str = "SET SESSION innodb_lock_wait_timeout = 1;\n";

/// Deploys, and gives the lock back once the server has told the first try that it did not get it in time.
async fn tried_again(scene: &Scene, lock: &str) {
    let mut holder = scene.base.mysql().connect().await;
    holder.query_drop(lock).await.expect("nobody else has it");
    let running = scene.command(&["deploy"]).spawn();
    running.wait_for_stderr("is tried again");
    holder.disconnect().await.expect("the server is there");
    running.wait().expect_code(0);
}

/// A rollback takes rows back, and no variables.
#[tokio::test]
async fn a_retry_begins_with_the_variables_of_the_first_try() {
    const INIT: &str = "CREATE TABLE t (id INT PRIMARY KEY, x INT);\nINSERT INTO t VALUES (1,0),(2,0),(3,0);\n\
                        CREATE TABLE other (n INT);\n";
    const SCRIPT: &str =
        "SET @pos = 0;\nALTER TABLE other ADD y INT;\nUPDATE t SET x = (@pos := @pos + 1);\n";
    for flavour in Flavour::ALL {
        let scene = with(flavour, INIT, &format!("{IMPATIENT}{SCRIPT}")).await;
        tried_again(&scene, "BEGIN; UPDATE t SET x = 9 WHERE id = 3").await;
        assert_eq!(
            scene.base.value("SELECT GROUP_CONCAT(x ORDER BY id) FROM t").await,
            "1,2,3",
            "{flavour:?}"
        );
    }
}

/// It is there still, with what it was filled with before the rollback.
#[tokio::test]
async fn a_retry_does_not_meet_the_temporary_table_of_the_first_try() {
    const INIT: &str = "CREATE TABLE t (id INT PRIMARY KEY, x INT);\nINSERT INTO t VALUES (1,0),(2,0);\n\
                        CREATE TABLE other (n INT);\n";
    const ROWS: &str = "CREATE TEMPORARY TABLE tmp AS SELECT 1 AS n;\nUPDATE t JOIN tmp SET x = x + n;\n";
    for flavour in Flavour::ALL {
        for script in [ROWS.to_owned(), format!("ALTER TABLE other ADD y INT;\n{ROWS}")] {
            let scene = with(flavour, INIT, &format!("{IMPATIENT}{script}")).await;
            tried_again(&scene, "BEGIN; UPDATE t SET x = x WHERE id = 2").await;
            assert_eq!(
                scene.base.value("SELECT GROUP_CONCAT(x ORDER BY id) FROM t").await,
                "1,1",
                "{script}"
            );
        }
    }
}

/// Nobody's session ended: what earlier statements left in it, and no other session could have, is there for the retry.
#[tokio::test]
async fn a_retry_finds_what_the_statements_before_it_have_left() {
    const INIT: &str = "CREATE TABLE t (id INT PRIMARY KEY, x INT);\nINSERT INTO t VALUES (1,0),(2,0);\n\
                        CREATE TABLE other (n INT);\nCREATE TABLE c (n INT);\nINSERT INTO c VALUES (1),(2);\n";
    for flavour in Flavour::ALL {
        for (left, needs) in [
            ("CREATE TEMPORARY TABLE tmp AS SELECT COUNT(*) AS n FROM c", "UPDATE t JOIN tmp SET x = x + n"),
            ("SET @n = (SELECT COUNT(*) FROM c)", "UPDATE t SET x = x + @n"),
        ] {
            let script = format!(
                "{IMPATIENT}{left};\nINSERT INTO c VALUES (3);\nALTER TABLE other ADD y INT;\n{needs};\n"
            );
            let scene = with(flavour, INIT, &script).await;
            tried_again(&scene, "BEGIN; UPDATE t SET x = x WHERE id = 2").await;
            let found = scene.base.value("SELECT GROUP_CONCAT(x ORDER BY id) FROM t").await;
            assert_eq!(found, "2,2", "{flavour:?}: {left}");
        }
    }
}

/// The rows that the first try put into it are there still, and nobody can take them away.
#[tokio::test]
async fn a_retry_does_not_find_its_own_rows_in_a_temporary_table_without_transactions() {
    const INIT: &str = "CREATE TABLE t (id INT PRIMARY KEY, x INT);\nINSERT INTO t VALUES (1,0),(2,0);\n\
                        CREATE TABLE other (n INT);\n";
    const FILLED: &str = "CREATE TEMPORARY TABLE tmp (n INT) ENGINE=MEMORY;\nALTER TABLE other ADD y INT;\n\
                          INSERT INTO tmp VALUES (1);\nUPDATE t SET x = (SELECT COUNT(*) FROM tmp);\n";
    for flavour in Flavour::ALL {
        let scene = with(flavour, INIT, &format!("{IMPATIENT}{FILLED}")).await;
        tried_again(&scene, "BEGIN; UPDATE t SET x = x WHERE id = 2").await;
        assert_eq!(scene.base.value("SELECT GROUP_CONCAT(x ORDER BY id) FROM t").await, "1,1", "{flavour:?}");
    }
}
