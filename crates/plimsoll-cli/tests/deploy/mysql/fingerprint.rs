//! Definitions of which little can be remembered, or which look as before: what the next runner makes of them.

use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::wait::until_async;

use crate::scene::{Kind, Scene};

/// A project whose first migration is applied, and a second one.
async fn with(flavour: Flavour, init: &str, script: &str) -> Scene {
    let scene = Scene::new(Kind::Mysql(flavour)).await.migration("1_init", init);
    scene.deployed();
    scene.migration("2_next", script)
}

/// The connection in which a statement waits that begins so.
async fn stuck(scene: &Scene, statement: &str) -> Option<String> {
    let find = format!(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE '{statement}%' \
         AND STATE LIKE 'Waiting for table%lock'"
    );
    scene.base.query(&find).await.into_iter().flatten().flatten().next()
}

/// A runner whose statement waits for a table, and that dies together with it.
async fn dies_before(scene: &Scene, table: &str, statement: &str) {
    let reader = scene.base.mysql().reading(table).await;
    let mut running = scene.command(&["deploy"]).spawn();
    until_async(statement, async || stuck(scene, statement).await.is_some()).await;
    let connection = stuck(scene, statement).await.expect("it waits for what we hold");
    running.kill();
    scene.base.execute(&format!("KILL {connection}")).await;
    until_async("it is over", async || stuck(scene, statement).await.is_none()).await;
    reader.release().await;
}

/// What is known before it takes more than the 64 KiB of a row's `logs`.
#[tokio::test]
async fn a_thousand_tables_are_dropped_by_one_statement_and_by_its_next_runner() {
    let names = (0..1_000).map(|n| format!("a_table_that_once_was_and_is_not_there_any_more_{n}"));
    let names = names.chain(["held".to_owned()]).collect::<Vec<_>>().join(", ");
    let script =
        format!("CREATE TABLE port (n INT);\nDROP TABLE IF EXISTS {names};\nINSERT INTO port VALUES (1);\n");
    for flavour in Flavour::ALL {
        let scene = with(flavour, "CREATE TABLE held (n INT);", &script).await;
        dies_before(&scene, "held", "DROP TABLE IF EXISTS").await;
        scene.deployed();
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM port").await, "1");
        assert!(!scene.base.mysql().tables().await.contains(&"held".to_owned()));
        assert_eq!(scene.applied().await, ["1_init", "2_next"]);
    }
}
