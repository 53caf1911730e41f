//! Tables that are emptied, which no catalog shows.

use plimsoll_testkit::server::{self, Flavour, Login};

use super::super::super::verdict::Verdict;
use super::Scene;

const TABLE: &str = "CREATE TABLE ship (a INT); INSERT INTO ship VALUES (1)";

/// The verdicts on a `TRUNCATE` that has not happened, one that has, and one behind which there are rows again.
async fn verdicts(mut scene: Scene, table: &str) -> [Verdict; 3] {
    let add = format!("INSERT INTO {table} VALUES (2); ANALYZE TABLE {table}");
    let [before, _] = scene.facts().await;
    scene.database.execute(&add).await;
    let [without, _] = scene.facts().await;
    scene.run().await;
    let [behind, _] = scene.facts().await;
    scene.database.execute(&add).await;
    let [used, _] = scene.facts().await;
    [without, behind, used].map(|now| scene.verdict(&before, &now))
}

#[tokio::test]
async fn that_a_table_was_emptied_is_seen_however_many_rows_it_has_by_now() {
    for flavour in Flavour::EACH {
        for (before, truncate, table) in [
            (TABLE, "TRUNCATE TABLE ship", "ship"),
            ("CREATE TABLE `o-d $h` (a INT)", "TRUNCATE `o-d $h`", "`o-d $h`"),
            ("CREATE TABLE `Ship` (a INT); CREATE TABLE ship (a INT)", "TRUNCATE `Ship`", "`Ship`"),
        ] {
            let scene = Scene::new(flavour, (before, truncate)).await;
            let expected = [Verdict::NotYet, Verdict::Done, Verdict::Done];
            assert_eq!(verdicts(scene, table).await, expected, "{flavour:?} {truncate}");
        }
    }
}

/// Without the privilege `PROCESS`, without `InnoDB`, with several files, with letters that are written otherwise in their names.
#[tokio::test]
async fn where_nothing_tells_whether_a_table_was_emptied_an_empty_one_may_be_emptied_again() {
    const UNTOLD: [(&str, &str, &str, Login); 4] = [
        (TABLE, "TRUNCATE ship", "ship", Login::Native),
        (
            "CREATE TABLE ship (a INT) ENGINE=MyISAM; INSERT INTO ship VALUES (1)",
            "TRUNCATE ship",
            "ship",
            Login::Root,
        ),
        (
            "CREATE TABLE ship (a INT) PARTITION BY HASH (a) PARTITIONS 2; INSERT INTO ship VALUES (1)",
            "TRUNCATE ship",
            "ship",
            Login::Root,
        ),
        ("CREATE TABLE é (a INT); INSERT INTO é VALUES (1)", "TRUNCATE é", "é", Login::Root),
    ];
    for flavour in Flavour::EACH {
        for (before, truncate, table, login) in UNTOLD {
            let database = server::mysql(flavour).database().await;
            let scene = Scene::of(database, login, (before, truncate)).await;
            let [without, behind, used] = verdicts(scene, table).await;
            assert!(matches!(without, Verdict::Unclear(_)), "{flavour:?} {before}: {without:?}");
            assert_eq!(behind, Verdict::NotYet, "{flavour:?} {before}");
            assert!(matches!(used, Verdict::Unclear(_)), "{flavour:?} {before}: {used:?}");
        }
    }
}
