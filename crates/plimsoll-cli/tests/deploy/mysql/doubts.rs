//! Statements of which it cannot be told, or not at once, what they have left: none of them is sent again unasked, and none is
//! left out.

use plimsoll_testkit::server::Flavour;

use super::resume::{INIT, end_both, lock, running_into, with};
use crate::scene::{Scene, assert_says};

/// Fails with these words, and leaves a row that waits for a person: the next start sends nothing.
async fn stops_in_doubt(scene: &Scene, words: &[&str]) {
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, words);
    let rows = scene.base.history().await;
    let row = rows.iter().find(|row| row.migration_name == "2_next").expect("it has a row");
    assert!(row.finished_at.is_none() && row.rolled_back_at.is_none(), "{row:?}");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "2_next"]);
}

async fn sum(scene: &Scene, table: &str) -> String {
    scene.base.value(&format!("SELECT COALESCE(SUM(n), 0) FROM {table}")).await
}

/// MariaDB drops the tables that are there, and then says that one is missing.
#[tokio::test]
async fn a_definition_that_failed_and_has_left_something_is_not_called_undone() {
    let scene =
        with(Flavour::Mariadb, INIT, "DROP TABLE ship, nothing;\nINSERT INTO held VALUES (2);\n").await;
    stops_in_doubt(&scene, &["P3018", "the statement that failed has taken effect in part"]).await;
    assert_eq!(scene.base.mysql().tables().await, ["_prisma_migrations", "held"]);
    assert_eq!(sum(&scene, "held").await, "1");
}

/// Whether its text stands in the script or in a variable: two of the three rows stay.
#[tokio::test]
async fn a_prepared_change_of_a_table_without_transactions_is_not_called_undone() {
    const AUDIT: &str = "CREATE TABLE audit (n INT PRIMARY KEY) ENGINE=MyISAM;";
    const TEXT: &str = "'INSERT INTO audit VALUES (1), (2), (1)'";
    for flavour in Flavour::ALL {
        for script in [
            format!("PREPARE put FROM {TEXT};\nEXECUTE put;\n"),
            format!("SET @put = {TEXT};\nPREPARE put FROM @put;\nEXECUTE put;\n"),
        ] {
            let scene = with(flavour, AUDIT, &script).await;
            stops_in_doubt(&scene, &["P3018", "a change of `audit`", "cannot be told"]).await;
            assert_eq!(sum(&scene, "audit").await, "3", "{script}");
        }
    }
}

/// The engine of a table is not what it was when the script began.
#[tokio::test]
async fn a_table_that_a_script_takes_out_of_transactions_is_out_of_them_at_once() {
    const INIT: &str = "CREATE TABLE port (n INT PRIMARY KEY);\n\
        CREATE PROCEDURE take_out() ALTER TABLE port ENGINE=MyISAM;\n";
    for flavour in Flavour::ALL {
        for take_out in ["ALTER TABLE port ENGINE=MyISAM", "CALL take_out()"] {
            let script = format!(
                "INSERT INTO port VALUES (10);\n{take_out};\nINSERT INTO port VALUES (1), (2), (1);\n"
            );
            let scene = with(flavour, INIT, &script).await;
            stops_in_doubt(&scene, &["a change of `port`", "cannot be told"]).await;
            assert_eq!(sum(&scene, "port").await, "13", "{take_out}");
        }
    }
}

/// As `resolve --applied` writes it, which a runner that is cut off from its lock cannot keep away.
#[tokio::test]
async fn a_row_that_somebody_settles_meanwhile_ends_its_script() {
    const SCRIPT: &str = "INSERT INTO ship VALUES ('Beagle');\nALTER TABLE held ADD COLUMN m INT;\n\
                          INSERT INTO ship VALUES ('Cutty');\n";
    const SETTLE: &str = "UPDATE _prisma_migrations SET finished_at = UTC_TIMESTAMP(3), applied_steps_count = 1, \
                          logs = NULL WHERE migration_name = '2_next'";
    for flavour in Flavour::ALL {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (running, _) = running_into(&scene, "ALTER TABLE held").await;
        scene.base.execute(SETTLE).await;
        reader.release().await;
        running.wait();
        assert_eq!(scene.base.value("SELECT GROUP_CONCAT(name) FROM ship").await, "Beagle", "{flavour:?}");
        assert_eq!(scene.deployed().stdout, "up to date\n");
    }
}

/// As another version could have written it down, which looks at something else before it sends a definition.
#[tokio::test]
async fn what_was_known_of_other_objects_tells_nothing_about_those_of_a_definition() {
    const SCRIPT: &str = "INSERT INTO ship VALUES ('Beagle');\nALTER TABLE held ADD COLUMN m INT;\n";
    const OF_ANOTHER: &str = "UPDATE _prisma_migrations SET logs = REPLACE(logs, 'held\":', 'other\":') WHERE migration_name = '2_next'";
    const IS_OF_ANOTHER: &str = "SELECT COUNT(*) FROM _prisma_migrations WHERE logs LIKE '%other\":%'";
    for flavour in Flavour::ALL {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (first, connection) = running_into(&scene, "ALTER TABLE held").await;
        end_both(&scene, first, &connection, "ALTER TABLE held").await;
        reader.release().await;
        scene.base.execute(OF_ANOTHER).await;
        assert_eq!(scene.base.value(IS_OF_ANOTHER).await, "1");
        stops_in_doubt(&scene, &["PLM221", "at statement 2"]).await;
    }
}

/// In a session that commits nothing by itself, the record would be gone with the second runner.
#[tokio::test]
async fn what_is_under_way_is_recorded_at_once_whatever_autocommit_the_script_has_set() {
    const SCRIPT: &str = "SET autocommit = 0;\nINSERT INTO ship VALUES ('Beagle');\nCOMMIT;\n\
        ALTER TABLE held ADD COLUMN m INT;\nINSERT INTO audit VALUES (1);\nCOMMIT;\n";
    let init = format!("{INIT}CREATE TABLE audit (n INT) ENGINE=MyISAM;\n");
    for flavour in Flavour::ALL {
        let scene = with(flavour, &init, SCRIPT).await;
        for (table, statement) in [("held", "ALTER TABLE held"), ("audit", "INSERT INTO audit")] {
            let mut holder = scene.base.mysql().connect().await;
            lock(&mut holder, table).await;
            let (runner, connection) = running_into(&scene, statement).await;
            end_both(&scene, runner, &connection, statement).await;
            holder.disconnect().await.expect("the server is there");
        }
        stops_in_doubt(&scene, &["PLM221", "a change of `audit`", "was under way"]).await;
        assert_eq!(sum(&scene, "audit").await, "0", "{flavour:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_a_script_leaves_open_is_refused_before_anything_is_done() {
    for flavour in Flavour::ALL {
        for rest in [
            "START TRANSACTION;\nINSERT INTO ship VALUES ('Beagle');\n",
            "SET autocommit = 0;\nINSERT INTO ship VALUES ('Beagle');\nCOMMIT;\nINSERT INTO ship VALUES ('Cutty');\n",
        ] {
            let scene = with(flavour, INIT, &format!("CREATE TABLE port (n INT);\n{rest}")).await;
            let refused = scene.run(&["deploy"]).expect_code(65);
            assert_says(
                &refused.stderr,
                &["PLM202", "2_next/migration.sql:2:1", "nothing of it was executed"],
            );
            assert_eq!(scene.base.mysql().tables().await, ["_prisma_migrations", "held", "ship"]);
            assert_eq!(scene.base.value("SELECT COUNT(*) FROM ship").await, "0");
        }
    }
}

#[tokio::test]
async fn what_a_script_takes_back_to_a_savepoint_is_gone() {
    const SCRIPT: &str = "CREATE TABLE port (n INT);\nSTART TRANSACTION;\nINSERT INTO ship VALUES ('Beagle');\n\
        SAVEPOINT here;\nINSERT INTO ship VALUES ('Cutty');\nROLLBACK TO SAVEPOINT here;\nCOMMIT;\n";
    for flavour in Flavour::ALL {
        let scene = with(flavour, INIT, SCRIPT).await;
        scene.deployed();
        assert_eq!(scene.base.value("SELECT GROUP_CONCAT(name) FROM ship").await, "Beagle");
    }
}

#[tokio::test]
async fn tables_that_a_script_leaves_locked_are_free_for_the_next_one() {
    for flavour in Flavour::ALL {
        let scene =
            with(flavour, INIT, "LOCK TABLES ship WRITE;\nINSERT INTO ship VALUES ('Beagle');\n").await;
        let scene = scene.migration("3_other", "INSERT INTO held VALUES (2);\n");
        scene.deployed();
        assert_eq!(sum(&scene, "held").await, "3", "{flavour:?}");
    }
}

/// A row without transactions stands between rows that are committed together.
#[tokio::test]
async fn rows_that_are_done_are_not_sent_again_with_those_behind_them() {
    const SCRIPT: &str = "CREATE TABLE port (n INT);\nINSERT INTO ship VALUES ('Beagle');\n\
        INSERT INTO audit VALUES (1), (1);\nINSERT INTO held VALUES (2);\n";
    let init = format!("{INIT}CREATE TABLE audit (n INT PRIMARY KEY) ENGINE=MyISAM;\n");
    for flavour in Flavour::ALL {
        let scene = with(flavour, &init, SCRIPT).await;
        stops_in_doubt(&scene, &["P3018", "a change of `audit`"]).await;
        scene.project.set_migration("2_next", &SCRIPT.replace("(1), (1)", "(2)"));
        scene.run(&["resolve", "--resume", "2_next"]).expect_code(0);
        scene.deployed();
        assert_eq!(scene.base.value("SELECT GROUP_CONCAT(name) FROM ship").await, "Beagle", "{flavour:?}");
        assert_eq!((sum(&scene, "audit").await, sum(&scene, "held").await), ("3".into(), "3".into()));
    }
}
