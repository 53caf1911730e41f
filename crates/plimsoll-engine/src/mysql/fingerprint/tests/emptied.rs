//! Tables that are emptied, which no catalog shows.

use plimsoll_testkit::server::{self, Flavour, Login};

use super::super::super::verdict::Verdict;
use super::super::SERVER;
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
async fn that_a_table_was_emptied_is_seen_until_it_has_rows_again() {
    for flavour in Flavour::EACH {
        for (before, truncate, table) in [
            (TABLE, "TRUNCATE TABLE ship", "ship"),
            ("CREATE TABLE `o-d $h` (a INT)", "TRUNCATE `o-d $h`", "`o-d $h`"),
            ("CREATE TABLE `Ship` (a INT); CREATE TABLE ship (a INT)", "TRUNCATE `Ship`", "`Ship`"),
        ] {
            let scene = Scene::new(flavour, (before, truncate)).await;
            let [without, behind, used] = verdicts(scene, table).await;
            assert_eq!([without, behind], [Verdict::NotYet, Verdict::Done], "{flavour:?} {truncate}");
            assert!(matches!(used, Verdict::Unclear(_)), "{flavour:?} {truncate}: {used:?}");
        }
    }
}

/// Each of these gives a table a new file, and keeps its rows.
#[tokio::test]
async fn a_table_that_was_made_anew_is_not_taken_for_an_emptied_one() {
    for flavour in Flavour::ALL {
        for made_anew in ["OPTIMIZE TABLE ship", "ALTER TABLE ship FORCE", "ALTER TABLE ship ENGINE=InnoDB"] {
            let mut scene = Scene::new(flavour, (TABLE, "TRUNCATE TABLE ship")).await;
            let [before, _] = scene.facts().await;
            scene.database.execute(made_anew).await;
            let [now, _] = scene.facts().await;
            assert_ne!(before, now, "{flavour:?} {made_anew}");
            let verdict = scene.verdict(&before, &now);
            assert!(matches!(verdict, Verdict::Unclear(_)), "{flavour:?} {made_anew}: {verdict:?}");
        }
    }
}

#[tokio::test]
async fn a_copy_of_the_table_on_another_server_or_in_another_database_is_not_the_table() {
    let servers = [Flavour::Mysql, Flavour::OldMysql, Flavour::Mariadb, Flavour::Mariadb];
    let mut tellers = std::collections::BTreeSet::new();
    for flavour in servers {
        let mut scene = Scene::new(flavour, (TABLE, "TRUNCATE TABLE ship")).await;
        let [once, again] = [scene.facts().await, scene.facts().await];
        assert_eq!(once[0], again[0], "{flavour:?}");
        tellers.insert(once[0][SERVER].clone());
    }
    assert_eq!(tellers.len(), servers.len());
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
