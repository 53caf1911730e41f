//! Nothing of a script is done twice, whatever fails and however often it is started.

use plimsoll_testkit::server::Flavour;

use crate::scene::{Kind, Scene};

/// MariaDB commits before such a change, and MySQL does not: rows before it stay and are recorded as done, or are taken back and
/// not recorded. Either way nobody does them twice.
#[tokio::test]
async fn rows_before_a_change_of_a_temporary_table_are_not_doubled_by_the_next_starts() {
    for flavour in Flavour::ALL {
        for change in
            ["DROP TABLE tmp", "ALTER TABLE tmp ADD b INT", "TRUNCATE tmp", "CREATE INDEX i ON tmp (id)"]
        {
            not_doubled_by(flavour, change).await;
        }
    }
}

async fn not_doubled_by(flavour: Flavour, change: &str) {
    let scene = Scene::new(Kind::Mysql(flavour)).await.migration("1_init", "CREATE TABLE t (id INT);");
    let script = format!(
        "CREATE TEMPORARY TABLE tmp (id INT); INSERT INTO t VALUES (7); {change}; INSERT INTO t SELECT nosuchcolumn FROM t;"
    );
    scene.project.set_migration("2_rows", &script);
    for _start in 0..2 {
        scene.run(&["deploy"]).expect_code(65);
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM t").await, "1", "{flavour:?}: {change}");
    }
}
