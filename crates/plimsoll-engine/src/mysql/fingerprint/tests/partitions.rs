//! Partitions, which a server may add by itself.

use plimsoll_testkit::server::Flavour;

use super::super::super::verdict::Verdict;
use super::Scene;

/// Each history of more than one row gets a partition of its own.
const GROWS: &str = "CREATE TABLE kept (a INT) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME LIMIT 1 AUTO; \
                     INSERT INTO kept VALUES (1)";

#[tokio::test]
async fn partitions_that_mariadb_adds_by_itself_are_not_taken_for_a_definition() {
    let mut scene = Scene::new(Flavour::Mariadb, (GROWS, "ALTER TABLE kept ADD INDEX by_a (a)")).await;
    let (before, partitions) = (scene.facts().await, partitions(&scene).await);
    for n in 2..5 {
        scene.database.execute(&format!("UPDATE kept SET a = {n}")).await;
    }
    assert!(self::partitions(&scene).await > partitions, "it has added some");
    assert_eq!(scene.facts().await, before);
    scene.run().await;
    let now = scene.facts().await;
    assert_eq!(scene.verdict(&before[0], &now[0]), Verdict::Done);
    assert_ne!(now[1], before[1]);
}

async fn partitions(scene: &Scene) -> usize {
    let query = "SELECT PARTITION_NAME FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE()";
    scene.database.query(query).await.len()
}
