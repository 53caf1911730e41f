//! Statements that do not get their lock in time: the server has done nothing then, and it is not asked whether it has.

use mysql_async::prelude::Queryable as _;
use plimsoll_testkit::program::Signal;
use plimsoll_testkit::server::Flavour;

use super::resume::running_into;
use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE held (n INT);\nINSERT INTO held VALUES (1);\nCREATE TABLE held_new (n INT);\n\
    INSERT INTO held_new VALUES (2);\nCREATE TABLE parts (n INT) PARTITION BY HASH (n) PARTITIONS 2;\n\
    INSERT INTO parts VALUES (0), (1);\nCREATE TABLE port (n INT);\n";

/// Deploys this script while somebody reads the table, until the server has refused to wait any longer.
async fn deployed_behind_a_reader(scene: &Scene, table: &str, script: &str) {
    scene.project.set_migration("2_next", &format!("SET SESSION lock_wait_timeout = 1;\n{script}"));
    let reader = scene.base.mysql().reading(table).await;
    let running = scene.command(&["deploy"]).spawn();
    running.wait_for_stderr("Lock wait timeout exceeded");
    reader.release().await;
    running.wait().expect_code(0);
    assert_eq!(scene.applied().await, ["1_init", "2_next"]);
}

async fn scene(flavour: Flavour) -> Scene {
    let scene = Scene::new(Kind::Mysql(flavour)).await.migration("1_init", INIT);
    scene.deployed();
    scene
}

async fn sum(scene: &Scene, table: &str) -> String {
    scene.base.value(&format!("SELECT COALESCE(SUM(n), 0) FROM {table}")).await
}

#[tokio::test]
async fn tables_that_change_places_wait_for_a_reader_as_long_as_it_takes() {
    const SWAP: &str = "INSERT INTO port VALUES (7);\nRENAME TABLE held TO passing, held_new TO held, passing TO held_new;\n\
                        INSERT INTO port VALUES (8);\n";
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        deployed_behind_a_reader(&scene, "held", SWAP).await;
        assert_eq!((sum(&scene, "held").await, sum(&scene, "held_new").await), ("2".into(), "1".into()));
        assert_eq!(sum(&scene, "port").await, "15", "{flavour:?}");
    }
}

#[tokio::test]
async fn a_table_that_is_emptied_or_replaced_waits_for_its_reader() {
    let truncate = ("held", "TRUNCATE TABLE held;", "0");
    let partition = ("parts", "ALTER TABLE parts TRUNCATE PARTITION p1;", "0");
    let replace = ("held", "CREATE OR REPLACE TABLE held (n INT);", "0");
    for (flavour, tries) in
        [(Flavour::Mysql, vec![truncate, partition]), (Flavour::Mariadb, vec![truncate, partition, replace])]
    {
        for (table, statement, left) in tries {
            let scene = scene(flavour).await;
            let script = format!("INSERT INTO port VALUES (7);\n{statement}\nINSERT INTO port VALUES (8);\n");
            deployed_behind_a_reader(&scene, table, &script).await;
            assert_eq!(sum(&scene, table).await, left, "{statement}");
            assert_eq!(sum(&scene, "port").await, "15", "{statement}");
        }
    }
}

/// What an application does with the table meanwhile is not taken for a part of it.
#[tokio::test]
async fn a_table_that_is_not_emptied_because_of_a_signal_is_emptied_by_the_next_start() {
    const SCRIPT: &str = "INSERT INTO held VALUES (3);\nTRUNCATE TABLE port;\nINSERT INTO held VALUES (4);\n";
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        let scene = scene.migration("2_next", SCRIPT);
        let reader = scene.base.mysql().reading("port").await;
        let mut application = scene.base.mysql().connect().await;
        application.query_drop("BEGIN; INSERT INTO port VALUES (5)").await.expect("nobody else has it");
        let (mut running, _) = running_into(&scene, "TRUNCATE TABLE port").await;
        application.query_drop("COMMIT").await.expect("the server is there");
        running.signal(Signal::TERM);
        assert_says(&running.wait().expect_code(143).stderr, &["PLM301"]);
        reader.release().await;
        scene.deployed();
        assert_eq!((sum(&scene, "port").await, sum(&scene, "held").await), ("0".into(), "8".into()));
    }
}

/// The catalog could not tell any more that the tables have changed places: that they have is in the row by then.
#[tokio::test]
async fn a_definition_that_was_answered_is_not_doubted_when_the_rows_behind_it_wait() {
    const SCRIPT: &str = "SET SESSION innodb_lock_wait_timeout = 1;\n\
        RENAME TABLE held TO passing, held_new TO held, passing TO held_new;\nUPDATE port SET n = n + 1;\n";
    for flavour in Flavour::ALL {
        let scene = scene(flavour).await;
        scene.base.execute("INSERT INTO port VALUES (1)").await;
        scene.project.set_migration("2_next", SCRIPT);
        let mut holder = scene.base.mysql().connect().await;
        holder.query_drop("BEGIN; UPDATE port SET n = 5").await.expect("nobody else has it");
        let running = scene.command(&["deploy"]).spawn();
        running.wait_for_stderr("Lock wait timeout exceeded");
        holder.query_drop("COMMIT").await.expect("the server is there");
        running.wait().expect_code(0);
        assert_eq!((sum(&scene, "held").await, sum(&scene, "port").await), ("2".into(), "6".into()));
    }
}
