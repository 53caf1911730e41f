//! Definitions of which little can be remembered, or which look as before: what the next runner makes of them.

use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::MysqlDatabase;
use plimsoll_testkit::program::{Program, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options};
use plimsoll_testkit::wait::until_async;

use super::resume::{stuck, with};
use crate::scene::assert_says;

/// A runner whose statement waits for a table, and that dies together with it.
async fn dies_before(database: &MysqlDatabase<'_>, deploy: Program, table: &str, statement: &str) {
    let reader = database.reading(table).await;
    let mut running = deploy.spawn();
    until_async(statement, async || stuck(database, statement).await.is_some()).await;
    let connection = stuck(database, statement).await.expect("it waits for what we hold");
    running.kill();
    database.execute(&format!("KILL {connection}")).await;
    until_async("it is over", async || stuck(database, statement).await.is_none()).await;
    reader.release().await;
}

/// A runner that dies while its statement waits for a table, which the server carries out all the same.
async fn dies_while(database: &MysqlDatabase<'_>, deploy: Program, table: &str, statement: &str) {
    let reader = database.reading(table).await;
    let mut running = deploy.spawn();
    until_async(statement, async || stuck(database, statement).await.is_some()).await;
    running.kill();
    reader.release().await;
    until_async("it is over", async || stuck(database, statement).await.is_none()).await;
}

/// What is known before it takes more than the 64 KiB of a row's `logs`.
#[tokio::test]
async fn a_thousand_tables_are_dropped_by_one_statement_and_by_its_next_runner() {
    let names = (0..1_000).map(|n| format!("a_table_that_once_was_and_is_not_there_any_more_{n}"));
    let names = names.chain(["held".to_owned()]).collect::<Vec<_>>().join(", ");
    let script =
        format!("CREATE TABLE port (n INT);\nDROP TABLE IF EXISTS {names};\nINSERT INTO port VALUES (1);\n");
    for flavour in Flavour::EACH {
        let scene = with(flavour, "CREATE TABLE held (n INT);", &script).await;
        dies_before(scene.base.mysql(), scene.command(&["deploy"]), "held", "DROP TABLE IF EXISTS").await;
        scene.deployed();
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM port").await, "1");
        assert!(!scene.base.mysql().tables().await.contains(&"held".to_owned()));
        assert_eq!(scene.applied().await, ["1_init", "2_next"]);
    }
}

/// The next runner looks before it says the script's settings again: the default is shown in another time zone then.
#[tokio::test]
async fn a_time_zone_of_the_script_is_not_taken_for_its_definition() {
    const INIT: &str =
        "CREATE TABLE held (at TIMESTAMP NULL DEFAULT '2020-01-01 00:00:00');\nINSERT INTO held VALUES ();\n";
    const SCRIPT: &str = "SET time_zone = '+05:30';\nCREATE TABLE port (n INT);\nALTER TABLE held ADD COLUMN m INT;\n\
        INSERT INTO port VALUES (1);\n";
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, SCRIPT).await;
        dies_before(scene.base.mysql(), scene.command(&["deploy"]), "held", "ALTER TABLE held").await;
        scene.deployed();
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM held WHERE m IS NULL").await, "1");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM port").await, "1");
    }
}

/// The next runner's session begins with what the server has by then, and definitions are written out as that says.
#[tokio::test]
async fn a_setting_of_the_server_is_not_taken_for_a_definition() {
    const INIT: &str = "CREATE TABLE held (at TIMESTAMP NULL DEFAULT '2020-01-01 00:00:00');\nINSERT INTO held VALUES ();\n\
        CREATE TABLE port (n INT);\n";
    const SCRIPT: &str = "SET GLOBAL sql_mode = 'ANSI_QUOTES', GLOBAL time_zone = '+05:30';\n\
        ALTER TABLE held ADD COLUMN m INT;\nINSERT INTO port VALUES (1);\n";
    for flavour in [Flavour::Mysql, Flavour::Mariadb] {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        let project = Project::new(Provider::Mysql).env_url(database.url()).migration("1_init", INIT);
        let deploy = || plimsoll(&project).arg("deploy");
        deploy().run().expect_code(0);
        project.set_migration("2_next", SCRIPT);
        dies_before(&database, deploy(), "held", "ALTER TABLE held").await;
        deploy().run().expect_code(0);
        assert_eq!(database.value("SELECT COUNT(*) FROM held WHERE m IS NULL").await, "1", "{flavour:?}");
        assert_eq!(database.value("SELECT COUNT(*) FROM port").await, "1", "{flavour:?}");
    }
}

/// A server may cancel a statement at its very end. Here somebody else, who holds the table, does the same meanwhile.
#[tokio::test]
async fn a_definition_that_is_there_when_it_is_cancelled_is_not_run_again() {
    const SCRIPT: &str =
        "CREATE TABLE port (n INT);\nALTER TABLE held ADD COLUMN m INT;\nINSERT INTO port VALUES (1);\n";
    for flavour in Flavour::ALL {
        let scene = with(flavour, "CREATE TABLE held (n INT);", SCRIPT).await;
        let database = scene.base.mysql();
        let mut holder = database.connect().await;
        holder.query_drop("LOCK TABLES held WRITE").await.expect("nobody else has it");
        let mut running = scene.command(&["deploy"]).spawn();
        until_async("it waits", async || stuck(database, "ALTER TABLE held").await.is_some()).await;
        holder.query_drop("ALTER TABLE held ADD COLUMN m INT").await.expect("it is ours");
        running.signal(Signal::TERM);
        let ended = running.wait().expect_code(143);
        assert_says(
            &ended.stderr,
            &["had taken effect when it was cancelled: the next start carries on behind it"],
        );
        holder.query_drop("UNLOCK TABLES").await.expect("the server is there");
        scene.deployed();
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM port").await, "1", "{flavour:?}");
        assert_eq!(scene.applied().await, ["1_init", "2_next"]);
    }
}

/// As Prisma writes a history with names in mixed case.
const MIXED: &str = "CREATE TABLE `User` (`id` INTEGER NOT NULL AUTO_INCREMENT, `userName` VARCHAR(191), PRIMARY KEY (`id`));\n\
    CREATE TABLE `BlogPost` (`id` INTEGER NOT NULL AUTO_INCREMENT, `authorId` INTEGER, PRIMARY KEY (`id`));\n\
    ALTER TABLE `BlogPost` ADD CONSTRAINT `BlogPost_authorId_fkey` FOREIGN KEY (`authorId`) REFERENCES `User`(`id`);\n\
    INSERT INTO `User` (`userName`) VALUES ('Ada');\nINSERT INTO `BlogPost` (`authorId`) VALUES (1);\n";

/// Definitions in mixed case, and what is true behind each that was carried out once.
const CHANGES: [(&str, &str); 7] = [
    ("ALTER TABLE `BlogPost` ADD COLUMN `subTitle` INT", "SELECT `subTitle` IS NULL FROM `BlogPost`"),
    (
        "ALTER TABLE `BlogPost` ADD INDEX (`id`)",
        "SELECT COUNT(*) = 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 'id'",
    ),
    ("ALTER TABLE `BlogPost` RENAME TO `BlogArticle`", "SELECT COUNT(*) = 1 FROM `BlogArticle`"),
    ("RENAME TABLE `BlogPost` TO `OldPost`, `User` TO `BlogPost`", "SELECT userName = 'Ada' FROM `BlogPost`"),
    ("TRUNCATE TABLE `BlogPost`", "SELECT COUNT(*) = 0 FROM `BlogPost`"),
    (
        "CREATE TRIGGER `Before` BEFORE INSERT ON `BlogPost` FOR EACH ROW SET NEW.id = 7",
        "SELECT COUNT(*) = 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()",
    ),
    (
        "DROP TABLE `BlogPost`",
        "SELECT COUNT(*) = 0 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'BlogPost'",
    ),
];

/// MySQL takes this setting only where its data are made anew.
#[tokio::test]
async fn names_in_mixed_case_are_taken_up_where_the_server_makes_them_lower() {
    let server =
        MysqlServer::start(Flavour::Mariadb, &Options::default().setting("lower-case-table-names", "1"));
    for (change, holds) in CHANGES {
        for outlives in [false, true] {
            let database = server.database_named("MyApp").await;
            let project = Project::new(Provider::Mysql).env_url(database.url()).migration("1_init", MIXED);
            let deploy = || plimsoll(&project).arg("deploy");
            deploy().run().expect_code(0);
            assert!(database.tables().await.contains(&"blogpost".to_owned()), "names are lower");
            let script = format!(
                "INSERT INTO `User` VALUES (DEFAULT, 'Bob');\n{change};\nCREATE TABLE `TheEnd` (`n` INT);"
            );
            project.set_migration("2_next", &script);
            let beginning = change.split('`').next().unwrap_or(change);
            if outlives {
                dies_while(&database, deploy(), "BlogPost", beginning).await;
            } else {
                dies_before(&database, deploy(), "BlogPost", beginning).await;
            }
            deploy().run().expect_code(0);
            assert_eq!(database.value(holds).await, "1", "{change}, outlives: {outlives}");
            assert_eq!(database.value("SELECT COUNT(*) FROM `TheEnd`").await, "0");
            assert_eq!(deploy().run().expect_code(0).stdout, "up to date\n");
        }
    }
}
