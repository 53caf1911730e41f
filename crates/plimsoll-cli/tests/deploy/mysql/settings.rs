//! Scripts with settings under which the history could not be read or written as usual, and servers that have such ones.

use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options};

use crate::scene::{Kind, Scene, assert_says};

/// What a script could set so that what we say means something else, answers something else, or is refused.
const SETTINGS: [&str; 16] = [
    "SET SESSION sql_select_limit = 0",
    "SET SESSION sql_select_limit = 1, foreign_key_checks = 0",
    "SET SESSION sql_safe_updates = 1",
    "SET SESSION sql_big_selects = 0, max_join_size = 1",
    "SET character_set_results = 'latin1'",
    "SET character_set_results = 'utf16'",
    "SET character_set_results = NULL",
    "SET NAMES binary",
    "SET NAMES latin1",
    "SET collation_connection = 'utf16_bin'",
    "SET SESSION completion_type = 1",
    "SET SESSION completion_type = 2",
    "SET SESSION sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE', time_zone = '+05:30'",
    "SET SESSION wait_timeout = 1, lock_wait_timeout = 1, innodb_lock_wait_timeout = 1",
    "SET timestamp = 1",
    "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
];

const INIT: &str = "CREATE TABLE ship (name VARCHAR(191));\nCREATE TABLE audit (n INT) ENGINE=MyISAM;\n\
    CREATE PROCEDURE opens() BEGIN START TRANSACTION; INSERT INTO ship VALUES ('opened'); END;\n";

/// Every kind of statement once: rows, a definition, rows without transactions, a routine.
const ALL_KINDS: &str = "INSERT INTO ship VALUES ('first');\nCREATE TABLE port (n INT);\nINSERT INTO ship VALUES ('second');\n\
    INSERT INTO audit VALUES (1);\nDROP TABLE port;\nCALL opens();\n";

/// The table that shows the session's variables.
fn variables(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Mysql | Flavour::OldMysql => "performance_schema.session_variables",
        Flavour::Mariadb => "information_schema.SESSION_VARIABLES",
    }
}

/// A script that writes the session's variables down, but for those that move by themselves.
fn snapshot(flavour: Flavour, table: &str) -> String {
    format!(
        "CREATE TABLE {table} AS SELECT LOWER(VARIABLE_NAME) AS name, VARIABLE_VALUE AS value FROM {} \
         WHERE LOWER(VARIABLE_NAME) NOT IN ('timestamp', 'error_count', 'warning_count', 'insert_id', 'last_insert_id', \
         'identity', 'rand_seed1', 'rand_seed2', 'in_transaction', 'pseudo_thread_id', 'last_gtid', 'gtid_executed', \
         'gtid_binlog_pos', 'gtid_current_pos');",
        variables(flavour)
    )
}

async fn ships(scene: &Scene) -> String {
    scene.base.value("SELECT COALESCE(GROUP_CONCAT(name ORDER BY name SEPARATOR ' '), '') FROM ship").await
}

#[tokio::test]
async fn no_setting_of_a_script_is_in_the_way_of_its_records_or_of_the_next_script() {
    for flavour in Flavour::ALL {
        for set in SETTINGS {
            let scene = Scene::new(Kind::Mysql(flavour)).await.migration("1_init", INIT);
            let scene = scene.migration("2_before", &snapshot(flavour, "before_it"));
            let scene = scene.migration("3_sets", &format!("{set};\n{ALL_KINDS}"));
            let scene = scene.migration("4_rows", &format!("{set};\nINSERT INTO ship VALUES ('third');\n"));
            let scene = scene.migration("5_behind", &snapshot(flavour, "behind_it"));
            scene.deployed();
            assert_eq!(ships(&scene).await, "first opened second third", "{flavour:?}: {set}");
            assert_eq!(scene.base.value("SELECT COUNT(*) FROM audit").await, "1", "{flavour:?}: {set}");
            let left = "SELECT COALESCE(GROUP_CONCAT(b.name, '=', b.value), '') FROM before_it a \
                        JOIN behind_it b ON a.name = b.name WHERE NOT a.value <=> b.value";
            assert_eq!(scene.base.value(left).await, "", "{flavour:?}: {set}");
            let late = "SELECT COUNT(*) FROM _prisma_migrations WHERE finished_at > '2020-01-01' AND started_at > '2020-01-01'";
            assert_eq!(scene.base.value(late).await, "5", "{flavour:?}: {set}");
            assert_eq!(scene.deployed().stdout, "up to date\n");
        }
    }
}

/// Nothing of the script follows, but the history has to be written.
#[tokio::test]
async fn a_script_may_leave_its_session_read_only() {
    for flavour in Flavour::ALL {
        let scene = Scene::new(Kind::Mysql(flavour)).await;
        let scene =
            scene.migration("1_init", "CREATE TABLE ship (n INT);\nSET SESSION TRANSACTION READ ONLY;\n");
        let scene = scene.migration("2_next", "INSERT INTO ship VALUES (1);");
        scene.deployed();
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM ship").await, "1");
    }
}

/// A role is no variable. It is the script's as far as the script goes, also behind what we write in between, and no further.
#[tokio::test]
async fn a_role_that_a_script_takes_is_not_that_of_the_next_script() {
    const SEES: &str = "INSERT INTO seen VALUES (COALESCE(CURRENT_ROLE(), 'NONE') <> 'NONE')";
    for flavour in Flavour::ALL {
        let scene = Scene::new(Kind::Mysql(flavour)).await;
        let role = format!("`{}`", &scene.base.mysql().name()[..24]);
        let init =
            format!("CREATE ROLE {role};\nGRANT {role} TO CURRENT_USER();\nCREATE TABLE seen (it INT);");
        let scene = scene.migration("1_init", &init);
        let steps = format!("SET ROLE {role};\n{SEES};\nCREATE TABLE port (n INT);\n{SEES};");
        let scene = scene.migration("2_takes", &steps).migration("3_next", &format!("{SEES};"));
        scene.deployed();
        let seen = "SELECT GROUP_CONCAT(it ORDER BY it SEPARATOR ' ') FROM seen";
        assert_eq!(scene.base.value(seen).await, "0 1 1", "{flavour:?}");
        let scene =
            scene.migration("4_fails", &format!("{SEES};\nSET ROLE {role};\nINSERT INTO seen VALUES ('x');"));
        scene.run(&["deploy"]).expect_code(65);
        assert_eq!(scene.base.value(seen).await, "0 1 1", "{flavour:?}: it was rolled back");
        scene.base.mysql().execute(&format!("DROP ROLE {role}")).await;
    }
}

/// A table without transactions is known by its name, whatever characters the script wants its answers in. Its row would stay
/// when those beside it are rolled back.
#[tokio::test]
async fn a_retry_is_exact_under_the_settings_of_its_script() {
    const INIT: &str = "CREATE TABLE `größe` (n INT) ENGINE=MyISAM;\nCREATE TABLE held (n INT);\nINSERT INTO held VALUES (1);\n";
    const SCRIPT: &str = "SET SESSION innodb_lock_wait_timeout = 1, completion_type = CHAIN, sql_select_limit = 0;\n\
        SET SESSION sql_safe_updates = 0, sql_big_selects = 0, max_join_size = 100;\nSET character_set_results = 'latin1';\n\
        CREATE TABLE port (n INT);\nINSERT INTO `größe` VALUES (1);\nUPDATE held SET n = n + 1;\nINSERT INTO port VALUES (1);\n";
    for flavour in Flavour::ALL {
        let scene = Scene::new(Kind::Mysql(flavour)).await.migration("1_init", INIT);
        scene.deployed();
        scene.project.set_migration("2_next", SCRIPT);
        let mut holder = scene.base.mysql().connect().await;
        holder.query_drop("BEGIN; UPDATE held SET n = 5").await.expect("nobody else has it");
        let running = scene.command(&["deploy"]).spawn();
        running.wait_for_stderr("Lock wait timeout exceeded");
        holder.query_drop("COMMIT").await.expect("the server is there");
        running.wait().expect_code(0);
        let sum =
            "SELECT CONCAT((SELECT SUM(n) FROM `größe`), (SELECT n FROM held), (SELECT SUM(n) FROM port))";
        assert_eq!(scene.base.value(sum).await, "161", "{flavour:?}");
        assert_eq!(scene.applied().await, ["1_init", "2_next"]);
    }
}

#[tokio::test]
async fn a_server_whose_sessions_commit_nothing_and_read_little_is_no_different() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        let project = Project::new(Provider::Mysql).env_url(database.url());
        project.set_migration("1_init", "CREATE TABLE ship (n INT);");
        project.set_migration("2_rows", "INSERT INTO ship VALUES (1);");
        project
            .set_migration("3_both", "ALTER TABLE ship ADD COLUMN m INT;\nINSERT INTO ship VALUES (2, 2);");
        project.set_migration("4_last", "ALTER TABLE ship ADD COLUMN o INT;");
        let set = "SET GLOBAL autocommit = 0, GLOBAL sql_select_limit = 1, GLOBAL completion_type = 1";
        server.execute(set).await;
        let (first, second) =
            (plimsoll(&project).arg("deploy").run(), plimsoll(&project).arg("deploy").run());
        let back = "SET GLOBAL autocommit = 1, GLOBAL sql_select_limit = 18446744073709551615, GLOBAL completion_type = 0";
        server.execute(back).await;
        first.expect_code(0);
        assert_eq!(second.expect_code(0).stdout, "up to date\n");
        assert_eq!(
            database.value("SELECT COUNT(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL").await,
            "4"
        );
        assert_eq!(database.value("SELECT SUM(n) FROM ship").await, "3");
    }
}

/// The rows of somebody else that are not committed can only be read by the transaction for which the script wants that.
#[tokio::test]
async fn what_is_set_for_the_next_transaction_is_for_that_of_the_script() {
    const SCRIPT: &str = "CREATE TABLE seen (n INT);\nSET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;\n\
        SET foreign_key_checks = 1;\nSTART TRANSACTION;\nINSERT INTO seen SELECT n FROM held;\nCOMMIT;\n";
    const READ_ONLY: &str =
        "CREATE TABLE port (n INT);\nSET TRANSACTION READ ONLY;\nINSERT INTO seen VALUES (7);\n";
    for flavour in Flavour::ALL {
        let scene = Scene::new(Kind::Mysql(flavour)).await;
        let scene = scene.migration("1_init", "CREATE TABLE held (n INT);\nINSERT INTO held VALUES (1);\n");
        scene.deployed();
        let mut holder = scene.base.mysql().connect().await;
        holder.query_drop("BEGIN; UPDATE held SET n = 5").await.expect("nobody else has it");
        scene.project.set_migration("2_dirty", SCRIPT);
        scene.deployed();
        assert_eq!(scene.base.value("SELECT n FROM seen").await, "5", "{flavour:?}");
        scene.project.set_migration("3_read_only", READ_ONLY);
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["3_read_only", "1792"]);
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM seen").await, "1", "{flavour:?}");
        holder.disconnect().await.expect("the server is there");
    }
}

#[tokio::test]
async fn a_server_that_lets_nobody_set_the_clock_is_no_different() {
    let server = MysqlServer::start(Flavour::Mariadb, &Options::default().setting("secure-timestamp", "YES"));
    let database = server.database().await;
    let project = Project::new(Provider::Mysql).env_url(database.url());
    project.set_migration("1_init", "SET foreign_key_checks = 0;\nCREATE TABLE ship (n INT);");
    project.set_migration("2_rows", "SET foreign_key_checks = 0;\nINSERT INTO ship VALUES (1);");
    plimsoll(&project).arg("deploy").run().expect_code(0);
    assert_eq!(database.value("SELECT COUNT(*) FROM ship").await, "1");
}
