//! SQLite ignores `PRAGMA foreign_keys` inside a transaction: whoever wraps a table rebuild of Prisma's in one lets its
//! `DROP TABLE` delete the children.

use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE \"ship\" (\"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, \"name\" TEXT NOT NULL);\n\
                    CREATE TABLE \"sailor\" (\"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, \"shipId\" INTEGER NOT NULL,\n\
                    CONSTRAINT \"sailor_ship\" FOREIGN KEY (\"shipId\") REFERENCES \"ship\" (\"id\") ON DELETE CASCADE ON UPDATE CASCADE);\n\
                    INSERT INTO ship (name) VALUES ('Ark'), ('Argo');\nINSERT INTO sailor (shipId) VALUES (1), (2), (2);\n";

/// A rebuild as Prisma generates it, which copies the ships that fulfil a condition.
fn rebuild(condition: &str, older: bool) -> String {
    let (before, after) = if older {
        // Up to version 5.
        ("PRAGMA foreign_keys=OFF;", "PRAGMA foreign_key_check;\nPRAGMA foreign_keys=ON;")
    } else {
        (
            "PRAGMA defer_foreign_keys=ON;\nPRAGMA foreign_keys=OFF;",
            "PRAGMA foreign_keys=ON;\nPRAGMA defer_foreign_keys=OFF;",
        )
    };
    format!(
        "-- RedefineTables\n{before}\nCREATE TABLE \"new_ship\" (\n    \"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,\n    \
         \"name\" TEXT NOT NULL,\n    \"tonnes\" INTEGER NOT NULL DEFAULT 7\n);\n\
         INSERT INTO \"new_ship\" (\"id\", \"name\") SELECT \"id\", \"name\" FROM \"ship\" WHERE {condition};\n\
         DROP TABLE \"ship\";\nALTER TABLE \"new_ship\" RENAME TO \"ship\";\n{after}\n"
    )
}

async fn fleet() -> Scene {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    scene.deployed();
    scene
}

#[tokio::test]
async fn a_table_rebuild_keeps_the_children() {
    for older in [false, true] {
        for wrapped in [false, true] {
            let script = rebuild("true", older);
            let script = if wrapped { format!("BEGIN;\n{script}COMMIT;\n") } else { script };
            let scene = fleet().await.migration("2_rebuild", &script);
            scene.deployed();
            assert_eq!(
                scene.base.value("SELECT group_concat(shipId) FROM sailor").await,
                "1,2,2",
                "{script}"
            );
            assert_eq!(scene.base.value("SELECT sum(tonnes) FROM ship").await, "14");
            assert!(scene.base.query("PRAGMA foreign_key_check").await.is_empty());
            let parent = "SELECT \"table\" FROM pragma_foreign_key_list('sailor')";
            assert_eq!(scene.base.value(parent).await, "ship", "the constraint still means the table");
        }
    }
}

#[tokio::test]
async fn a_rebuild_that_orphans_rows_is_rolled_back() {
    for older in [false, true] {
        let scene = fleet().await.migration("2_rebuild", &rebuild("id = 1", older));
        let refused = scene.run(&["deploy"]).expect_code(65);
        assert_says(&refused.stderr, &["PLM204", "2 rows of `sailor`", "`ship`"]);
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2");
        assert_eq!(scene.base.value("SELECT count(*) FROM sailor").await, "3");
        assert_eq!(scene.applied().await, ["1_init"]);
        scene.project.set_migration(
            "2_rebuild",
            &format!("DELETE FROM sailor WHERE shipId = 2;\n{}", rebuild("id = 1", older)),
        );
        scene.deployed();
        assert_eq!(scene.base.value("SELECT group_concat(shipId) FROM sailor").await, "1");
    }
}

#[tokio::test]
async fn violations_that_existed_before_do_not_block() {
    let scene = fleet().await;
    // A connection of the testkit enforces nothing that it is not told to.
    scene.base.execute("PRAGMA foreign_keys = OFF; INSERT INTO sailor (shipId) VALUES (99)").await;
    let scene = scene.migration("2_rebuild", &rebuild("true", false));
    scene.deployed();
    assert_eq!(scene.base.value("SELECT count(*) FROM sailor").await, "4");
}

#[tokio::test]
async fn foreign_keys_are_enforced_where_the_script_does_not_say_otherwise() {
    let scene = fleet().await.migration("2_orphan", "INSERT INTO sailor (shipId) VALUES (99);");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3018", "FOREIGN KEY constraint failed"]);
    scene
        .project
        .set_migration("2_orphan", "PRAGMA defer_foreign_keys=ON;\nINSERT INTO sailor (shipId) VALUES (99);");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3018", "FOREIGN KEY constraint failed"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM sailor").await, "3");
    scene.project.set_migration("2_orphan", "DELETE FROM ship WHERE id = 2;");
    scene.deployed();
    assert_eq!(scene.base.value("SELECT count(*) FROM sailor").await, "1", "what is to cascade does");
}

/// A rebuild does not switch enforcement off for the migrations behind it.
#[tokio::test]
async fn what_a_script_switches_off_is_on_for_the_next_one() {
    let scene = fleet()
        .await
        .migration("2_off", "PRAGMA foreign_keys=OFF;\nINSERT INTO ship (name) VALUES ('Beagle');");
    let scene = scene.migration("3_orphan", "INSERT INTO sailor (shipId) VALUES (99);");
    assert_says(
        &scene.run(&["deploy"]).expect_code(65).stderr,
        &["P3018", "FOREIGN KEY", "committed: 2_off"],
    );
    assert_eq!(scene.base.value("SELECT count(*) FROM sailor").await, "3");
}
