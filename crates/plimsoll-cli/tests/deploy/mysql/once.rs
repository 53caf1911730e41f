//! Nothing of a script is done twice, whatever fails and however often it is started.

use plimsoll_testkit::server::Flavour;

use crate::scene::{Kind, Scene};

/// The server commits before such a change: rows before it stay, and are recorded as done.
#[tokio::test]
async fn rows_before_a_change_of_a_temporary_table_are_not_doubled_by_the_next_starts() {
    for change in
        ["DROP TABLE tmp", "ALTER TABLE tmp ADD b INT", "TRUNCATE tmp", "CREATE INDEX i ON tmp (id)"]
    {
        let scene = Scene::new(Kind::Mysql(Flavour::Mariadb)).await;
        let scene = scene.migration("1_init", "CREATE TABLE t (id INT);");
        let script = format!(
            "CREATE TEMPORARY TABLE tmp (id INT); INSERT INTO t VALUES (7); {change}; INSERT INTO t SELECT nosuchcolumn FROM t;"
        );
        scene.project.set_migration("2_rows", &script);
        for _start in 0..2 {
            scene.run(&["deploy"]).expect_code(65);
            assert_eq!(scene.base.value("SELECT COUNT(*) FROM t").await, "1", "{change}");
        }
    }
}
