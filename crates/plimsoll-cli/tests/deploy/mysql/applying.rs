//! Scripts that the server carries out statement by statement, run to their end.

use plimsoll_testkit::server::Flavour;

use crate::scene::{Kind, Scene, assert_says};

/// A project whose first migration is applied.
async fn with_ships(flavour: Flavour, first: &str) -> Scene {
    let scene = Scene::new(Kind::Mysql(flavour)).await.migration("1_init", first);
    scene.deployed();
    scene
}

/// Deploys one more script, whose row has to be as Prisma writes it.
async fn next(scene: &Scene, name: &str, script: &str) {
    scene.project.set_migration(name, script);
    scene.deployed();
    let rows = scene.base.history().await;
    let row = rows.iter().find(|row| row.migration_name == name).expect("it has a row");
    assert!(row.finished_at.is_some() && row.logs.is_none(), "{row:?}");
    assert_eq!(scene.deployed().stdout, "up to date\n");
}

const SHIP: &str = "CREATE TABLE ship (name VARCHAR(191), tons INT NOT NULL DEFAULT 0);";

/// What ships there are.
async fn ships(scene: &Scene) -> String {
    scene.base.value("SELECT COALESCE(GROUP_CONCAT(name ORDER BY name SEPARATOR ' '), '') FROM ship").await
}

#[tokio::test]
async fn what_is_prepared_is_run_as_what_it_is() {
    const SCRIPT: &str = "SET @column = 'berths';\n\
        SET @sql = CONCAT('ALTER TABLE ship ADD COLUMN ', @column, ' INT');\n\
        PREPARE change_it FROM @sql;\nEXECUTE change_it;\nDEALLOCATE PREPARE change_it;\n\
        PREPARE put FROM 'INSERT INTO ship (name) VALUES (?)';\nSET @name = 'Beagle';\nEXECUTE put USING @name;\n\
        DROP PREPARE put;\n";
    for flavour in Flavour::EACH {
        let scene = with_ships(flavour, SHIP).await;
        next(&scene, "2_prepared", SCRIPT).await;
        assert_eq!(ships(&scene).await, "Beagle");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM ship WHERE berths IS NULL").await, "1");
    }
}

#[tokio::test]
async fn bodies_between_delimiters_and_calls_that_answer_a_lot_are_one_statement_each() {
    const SCRIPT: &str = "DELIMITER //\n\
        CREATE TRIGGER weighed BEFORE INSERT ON ship FOR EACH ROW BEGIN\n  SET NEW.tons = 7; SET NEW.name = TRIM(NEW.name);\nEND//\n\
        CREATE PROCEDURE fill() BEGIN\n  SELECT 1; SELECT 2, 3; INSERT INTO ship (name) VALUES (' Beagle ');\n  SELECT * FROM ship;\nEND//\n\
        DELIMITER ;\nCALL fill();\nCALL fill();\nDROP PROCEDURE fill;\n";
    for flavour in Flavour::EACH {
        let scene = with_ships(flavour, SHIP).await;
        next(&scene, "2_bodies", SCRIPT).await;
        assert_eq!(ships(&scene).await, "Beagle Beagle");
        assert_eq!(scene.base.value("SELECT SUM(tons) FROM ship").await, "14");
    }
}

/// The transaction would be rolled back with the session, and the record of it with it.
#[tokio::test]
async fn what_a_routine_leaves_open_is_committed_before_it_is_recorded() {
    const INIT: &str = "CREATE TABLE ship (name VARCHAR(191));\n\
        CREATE PROCEDURE opens() BEGIN START TRANSACTION; INSERT INTO ship VALUES ('opened'); END;\n\
        CREATE PROCEDURE switches() BEGIN SET autocommit = 0; INSERT INTO ship VALUES ('switched'); END;\n\
        CREATE PROCEDURE fails() BEGIN START TRANSACTION; INSERT INTO ship VALUES ('failed'); SELECT nope FROM ship; END;\n";
    for flavour in Flavour::EACH {
        let scene = with_ships(flavour, INIT).await;
        next(&scene, "2_open", "CALL opens();\n").await;
        next(&scene, "3_switched", "CALL switches();\nCALL opens();\n").await;
        assert_eq!(ships(&scene).await, "opened opened switched");
        scene.project.set_migration("4_fails", "CALL opens();\nCALL fails();\n");
        let failed = scene.run(&["deploy"]).expect_code(65);
        assert_says(&failed.stderr, &["P3018", "4_fails/migration.sql:2:1", "cannot be told"]);
        let blocked = scene.run(&["deploy"]).expect_code(65);
        assert_says(&blocked.stderr, &["P3009", "nope", "1 of its statements is done"]);
        assert_eq!(ships(&scene).await, "opened opened opened switched");
    }
}

/// As a dump writes it, and with a transaction, which gives up the locks.
#[tokio::test]
async fn tables_may_be_locked_for_the_time_of_a_script() {
    const DUMP: &str = "LOCK TABLES `ship` WRITE;\n/*!40000 ALTER TABLE `ship` DISABLE KEYS */;\n\
        INSERT INTO `ship` (name) VALUES ('Beagle'), ('Cutty');\n/*!40000 ALTER TABLE `ship` ENABLE KEYS */;\nUNLOCK TABLES;\n";
    const GIVEN_UP: &str = "LOCK TABLES ship WRITE;\nINSERT INTO ship (name) VALUES ('Dart');\n\
        START TRANSACTION;\nINSERT INTO port VALUES ('Hull');\nUPDATE ship SET tons = 9;\nCOMMIT;\n\
        INSERT INTO port VALUES ('Bristol');\n";
    for flavour in Flavour::EACH {
        let scene = with_ships(flavour, &format!("{SHIP}\nCREATE TABLE port (name VARCHAR(191));")).await;
        next(&scene, "2_dump", DUMP).await;
        assert_eq!(ships(&scene).await, "Beagle Cutty");
        for (name, script) in
            [("3_start", GIVEN_UP.to_owned()), ("4_begin", GIVEN_UP.replace("START TRANSACTION", "BEGIN"))]
        {
            next(&scene, name, &script).await;
        }
        assert_eq!(ships(&scene).await, "Beagle Cutty Dart Dart");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM port").await, "4");
    }
}

#[tokio::test]
async fn a_script_may_go_to_another_database_and_its_row_does_not() {
    for flavour in Flavour::EACH {
        let scene = with_ships(flavour, SHIP).await;
        let other = Kind::Mysql(flavour).empty().await;
        let (here, there) = (scene.base.mysql().name(), other.mysql().name());
        let script = format!(
            "USE {there};\nCREATE TABLE port (name VARCHAR(191));\nINSERT INTO port VALUES ('Hull');\n\
             ALTER TABLE port ADD COLUMN berths INT;\nINSERT INTO {here}.ship (name) VALUES ('Beagle');\n"
        );
        next(&scene, "2_elsewhere", &script).await;
        next(
            &scene,
            "3_here",
            "INSERT INTO ship (name) VALUES ('Cutty');\nALTER TABLE ship ADD COLUMN berths INT;\n",
        )
        .await;
        assert_eq!(other.mysql().tables().await, ["port"]);
        assert_eq!(ships(&scene).await, "Beagle Cutty");
    }
}

#[tokio::test]
async fn the_settings_of_one_script_are_not_those_of_the_next() {
    const CHANGES: &str = "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', foreign_key_checks = 0, time_zone = '+05:30';\n\
        SET NAMES latin1;\nSET @left = 1;\nCREATE TEMPORARY TABLE passing (n INT);\nSET autocommit = 0;\nINSERT INTO ship (name) VALUES ('a\\b');\nCOMMIT;\n";
    // While it makes a table, MySQL commits nothing by itself: that setting is read before.
    const SEEN: &str = "SET @commits = @@SESSION.autocommit;\nCREATE TABLE seen AS SELECT @@SESSION.sql_mode = @@GLOBAL.sql_mode AS mode_, \
        @@SESSION.foreign_key_checks AS keys_, @commits AS commits, \
        @@SESSION.time_zone = @@GLOBAL.time_zone AS zone, @@SESSION.character_set_client = 'utf8mb4' AS letters, \
        @left IS NULL AS variable;\nCREATE TABLE passing (n INT);\nINSERT INTO passing VALUES (1);\n";
    for flavour in Flavour::EACH {
        let scene = with_ships(flavour, SHIP).await;
        scene.project.set_migration("2_changes", CHANGES);
        next(&scene, "3_seen", SEEN).await;
        let seen: Vec<_> =
            scene.base.query("SELECT * FROM seen").await.into_iter().flatten().flatten().collect();
        assert_eq!(seen, ["1"; 6], "{flavour:?}");
        assert_eq!(ships(&scene).await, "a\\b");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM passing").await, "1");
    }
}

#[tokio::test]
async fn a_definition_that_waited_too_long_is_tried_again_where_it_is() {
    const SCRIPT: &str = "SET SESSION lock_wait_timeout = 1;\nCREATE TABLE port (name VARCHAR(191));\n\
        INSERT INTO port VALUES ('Hull');\nALTER TABLE ship ADD COLUMN berths INT;\nINSERT INTO port VALUES ('Bristol');\n";
    for flavour in Flavour::EACH {
        let scene = with_ships(flavour, SHIP).await.migration("2_waits", SCRIPT);
        let reader = scene.base.mysql().reading("ship").await;
        let running = scene.command(&["deploy"]).spawn();
        running.wait_for_stderr("Lock wait timeout exceeded");
        reader.release().await;
        running.wait().expect_code(0);
        assert_eq!(
            scene.base.value("SELECT GROUP_CONCAT(name ORDER BY name) FROM port").await,
            "Bristol,Hull"
        );
        assert_eq!(scene.base.value("SELECT COUNT(berths) FROM ship").await, "0");
    }
}

#[tokio::test]
async fn rows_of_tables_without_transactions_are_written_once() {
    const SCRIPT: &str = "INSERT INTO audit VALUES (1);\nINSERT INTO ship (name) VALUES ('Beagle');\nINSERT INTO audit VALUES (2);\n";
    for flavour in Flavour::EACH {
        let scene = with_ships(flavour, &format!("{SHIP}\nCREATE TABLE audit (n INT) ENGINE=MyISAM;")).await;
        next(&scene, "2_audit", SCRIPT).await;
        assert_eq!(scene.base.value("SELECT GROUP_CONCAT(n ORDER BY n) FROM audit").await, "1,2");
        scene
            .project
            .set_migration("3_fails", "INSERT INTO audit VALUES (3);\nINSERT INTO nothing VALUES (1);\n");
        let failed = scene.run(&["deploy"]).expect_code(65);
        assert_says(&failed.stderr, &["P3018", "1 of its 2 statements", "--resume 3_fails"]);
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM audit").await, "3");
    }
}

/// As one transaction they would be refused.
#[tokio::test]
async fn settings_that_a_transaction_refuses_are_made_between_rows() {
    const SCRIPT: &str = "INSERT INTO ship (name) VALUES ('Beagle');\nSET SESSION sql_log_bin = 0;\nINSERT INTO ship (name) VALUES ('Cutty');\n";
    for flavour in Flavour::ALL {
        let scene = with_ships(flavour, SHIP).await;
        next(&scene, "2_unlogged", SCRIPT).await;
        assert_eq!(ships(&scene).await, "Beagle Cutty");
    }
}

/// Rows share a transaction, and it is the statement that is named, not the first of them.
#[tokio::test]
async fn the_statement_that_failed_is_the_one_that_is_named() {
    const SCRIPT: &str = "ALTER TABLE ship ADD COLUMN berths INT;\nINSERT INTO ship (name) VALUES ('Beagle');\nSELECT 1;\nINSERT INTO nothing VALUES (1);\n";
    for flavour in Flavour::ALL {
        let scene = with_ships(flavour, SHIP).await;
        scene.project.set_migration("2_fails", SCRIPT);
        scene.project.write("termination-log", "");
        let log = scene.project.join("termination-log");
        scene.run(&["deploy", "--termination-log", log.to_str().expect("it is text")]).expect_code(65);
        let said = std::fs::read_to_string(&log).expect("it was written");
        assert_says(&said, &["\"statement\":{\"number\":4,\"of\":4}"]);
    }
}
