//! The history table as others see it, and as others have left it.

use mysql_async::prelude::Queryable as _;
use plimsoll_testkit::server::Flavour;

use super::resume::{end_both, running_into};
use crate::scene::{Base, Kind, Scene, assert_says};

async fn scene(flavour: Flavour) -> Scene {
    let scene = Scene::new(Kind::Mysql(flavour)).await;
    scene.migration("1_init", "CREATE TABLE ship (name VARCHAR(191));")
}

#[tokio::test]
async fn the_table_is_prismas() {
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        scene.deployed();
        let columns = "SELECT GROUP_CONCAT(CONCAT_WS(' ', COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY) \
                       ORDER BY ORDINAL_POSITION SEPARATOR '; ') FROM information_schema.COLUMNS \
                       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '_prisma_migrations'";
        let found = scene.base.value(columns).await.replace("int(10) unsigned", "int unsigned");
        assert_eq!(
            found,
            "id varchar(36) NO PRI; checksum varchar(64) NO ; finished_at datetime(3) YES ; migration_name varchar(255) NO ; \
             logs text YES ; rolled_back_at datetime(3) YES ; started_at datetime(3) NO ; applied_steps_count int unsigned NO "
        );
        let collation = "SELECT TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() \
                         AND TABLE_NAME = '_prisma_migrations'";
        assert_eq!(scene.base.value(collation).await, "utf8mb4_unicode_ci");
    }
}

/// Whatever time zone the server and its sessions live in.
#[tokio::test]
async fn instants_are_utc() {
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        scene.project.set_migration("2_zone", "SET time_zone = '+09:00';");
        scene.deployed();
        let late = "SELECT COUNT(*) FROM _prisma_migrations WHERE ABS(TIMESTAMPDIFF(SECOND, finished_at, UTC_TIMESTAMP())) < 60 \
                    AND started_at <= finished_at";
        assert_eq!(scene.base.value(late).await, "2");
    }
}

#[tokio::test]
async fn a_database_with_tables_and_without_history_is_refused() {
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        // Views are no tables, as in Prisma.
        scene.base.execute("CREATE VIEW one AS SELECT 1 AS n").await;
        scene.deployed();
        let scene = self::scene(flavour).await;
        scene.base.execute("CREATE TABLE theirs (n INT)").await;
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3005"]);
        assert_says(&scene.run(&["plan"]).expect_code(65).stderr, &["P3005"]);
        scene.run(&["resolve", "--applied", "1_init"]).expect_code(0);
        scene.deployed();
        assert_eq!(scene.applied().await, ["1_init"]);
    }
}

#[tokio::test]
async fn what_prisma_left_is_shown_and_resolved() {
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        scene.deployed();
        scene
            .base
            .execute(
                "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, started_at) VALUES \
                 ('a', 'x', '2_more', 'boom', '2036-01-02 03:04:05.678')",
            )
            .await;
        scene.project.set_migration("2_more", "CREATE TABLE more (n INT);");
        let blocked = scene.run(&["deploy"]).expect_code(65);
        assert_says(&blocked.stderr, &["P3009", "2036-01-02 03:04:05.678", "boom"]);
        assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["failed", "2_more"]);
        scene.run(&["resolve", "--rolled-back", "2_more"]).expect_code(0);
        scene.run(&["resolve", "--applied", "2_more"]).expect_code(0);
        let rows = scene.base.history().await;
        let more: Vec<_> = rows.iter().filter(|row| row.migration_name == "2_more").collect();
        assert!(more.iter().any(|row| row.id == "a" && row.rolled_back_at.is_some()), "{more:?}");
        assert!(
            more.iter().any(|row| row.logs.as_deref() == Some("") && row.finished_at.is_some()),
            "{more:?}"
        );
        scene.run(&["status"]).expect_code(0);
    }
}

/// Names that the column's own comparison takes for one another are two migrations.
#[tokio::test]
async fn names_are_told_apart_by_case_and_accent() {
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        scene.deployed();
        for (id, name) in [("a", "2_Été"), ("b", "2_ete")] {
            scene
                .base
                .execute(&format!(
                    "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ('{id}', 'x', '{name}', NOW(3))"
                ))
                .await;
        }
        scene.project.set_migration("2_Été", "");
        scene.run(&["resolve", "--applied", "2_Été"]).expect_code(0);
        let open = "SELECT GROUP_CONCAT(migration_name) FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL";
        assert_eq!(scene.base.value(open).await, "2_ete");
    }
}

/// A database that somebody has converted: what is remembered of a table is there whatever letters its name has.
#[tokio::test]
async fn a_history_in_latin1_remembers_tables_whose_names_it_has_no_letters_for() {
    const SCRIPT: &str = "CREATE TABLE `корабль` (n INT);\nALTER TABLE ship ADD COLUMN `мачта` INT;\n\
                          ALTER TABLE `корабль` ADD COLUMN `мачта` INT;\n";
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        scene.deployed();
        scene.base.execute("ALTER TABLE _prisma_migrations CONVERT TO CHARACTER SET latin1").await;
        scene.project.set_migration("2_next", SCRIPT);
        let reader = scene.base.mysql().reading("ship").await;
        let (first, connection) = running_into(&scene, "ALTER TABLE ship").await;
        end_both(&scene, first, &connection, "ALTER TABLE ship").await;
        reader.release().await;
        scene.deployed();
        assert_eq!(scene.applied().await, ["1_init", "2_next"], "{flavour:?}");
    }
}

#[tokio::test]
async fn a_table_of_another_kind_is_not_taken_for_a_history() {
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        scene.base.execute("CREATE TABLE _prisma_migrations (id INT)").await;
        for command in ["deploy", "status"] {
            let ended = scene.run(&[command]).expect_code(65);
            assert_says(&ended.stderr, &["PLM210", "does not have the columns"]);
        }
    }
}

#[tokio::test]
async fn a_history_that_somebody_keeps_locked_is_waited_for() {
    for flavour in Flavour::ALL {
        let scene = Scene::alone(Kind::Mysql(flavour)).await;
        let scene = scene.migration("1_init", "CREATE TABLE ship (name VARCHAR(191));");
        scene.deployed();
        let Base::Mysql(database) = &scene.base else { panic!("it is one of MySQL") };
        let mut holder = database.connect().await;
        holder.query_drop("LOCK TABLES _prisma_migrations WRITE").await.expect("nobody else has it");
        let over = scene.run(&["deploy", "--lock-wait=0"]).expect_code(75);
        assert_says(&over.stderr, &["P1002", "keeps `_prisma_migrations` locked"]);
        let running = scene.command(&["deploy"]).spawn();
        running.wait_for_stderr("waiting");
        holder.query_drop("UNLOCK TABLES").await.expect("they are ours");
        running.wait().expect_code(0);
    }
}

#[tokio::test]
async fn a_lock_file_of_another_provider_ends_the_run() {
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        scene.project.write("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n");
        for command in ["deploy", "status", "plan"] {
            assert_says(&scene.run(&[command]).expect_code(78).stderr, &["P3019", "`postgresql`", "`mysql`"]);
        }
    }
}
