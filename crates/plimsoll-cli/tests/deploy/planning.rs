//! `plan` says how each script would be run, and which statements make it so.

use plimsoll_testkit::server::Version;
use serde_json::{Value, json};

use crate::scene::{Kind, Scene};

const MIXED: &str = "CREATE TABLE ship (name TEXT);\n\n  CREATE INDEX CONCURRENTLY i ON ship (name);\nVACUUM ship;\n\
                     INSERT INTO ship VALUES ('Ark');\n";

async fn of_every_shape() -> Scene {
    Scene::new(Kind::Postgres(Version::V15))
        .await
        .migration("1_plain", "CREATE TABLE port (name TEXT);")
        .migration("2_mixed", MIXED)
        .migration("3_vacuum", "VACUUM;")
        .migration("4_own", "SELECT 1;\nROLLBACK;\n")
}

#[tokio::test]
async fn the_shape_of_each_pending_script_is_shown_with_its_places() {
    let scene = of_every_shape().await;
    insta::assert_snapshot!(scene.run(&["plan"]).expect_code(0).stdout, @r"
    apply     1_plain (as one transaction with its history row)
    apply     2_mixed (in 4 segments, each recorded)
              prisma/migrations/2_mixed/migration.sql:3:3: CREATE INDEX CONCURRENTLY
              prisma/migrations/2_mixed/migration.sql:4:1: VACUUM
    apply     3_vacuum (outside a transaction, recorded before and after)
              prisma/migrations/3_vacuum/migration.sql:1:1: VACUUM
    apply     4_own (as it is, because it manages transactions by itself)
              prisma/migrations/4_own/migration.sql:2:1: transaction control
    ");
    scene.project.set_migration("5_open", "BEGIN;\nSELECT 1;\n");
    let said = scene.run(&["plan"]).expect_code(0).stdout;
    assert!(said.contains("apply     5_open (refused: PLM202"), "{said}");
}

#[tokio::test]
async fn the_document_of_a_plan_names_shapes_parts_and_places() {
    let scene = of_every_shape().await;
    let said = scene.command(&["plan"]).args(["--output", "json"]).run().expect_code(0);
    let document: Value = serde_json::from_str(&said.stdout).expect("it is JSON");
    let shapes: Vec<_> = ["shape", "parts"]
        .map(|field| {
            document["steps"]
                .as_array()
                .expect("there are steps")
                .iter()
                .map(|step| step[field].clone())
                .collect::<Value>()
        })
        .into();
    assert_eq!(
        shapes,
        [json!(["atomic", "segmented", "segmented", "self_managed"]), json!([null, 4, 1, null])]
    );
    let place = |line, column| json!({ "file": "prisma/migrations/2_mixed/migration.sql", "line": line, "column": column });
    assert_eq!(
        document["steps"][1]["because"],
        json!([
            { "what": "CREATE INDEX CONCURRENTLY", "place": place(3, 3) },
            { "what": "VACUUM", "place": place(4, 1) },
        ])
    );
}

/// There is nobody to be asked, and the answer is the same.
#[tokio::test]
async fn a_database_that_is_missing_has_a_plan_all_the_same() {
    let kind = Kind::Postgres(Version::V18);
    let scene = Scene::on(kind, kind.missing()).migration("1_mixed", MIXED);
    let said = scene.run(&["plan"]).expect_code(0).stdout;
    assert!(
        said.contains("would be created") && said.contains("1_mixed (in 4 segments, each recorded)"),
        "{said}"
    );
}
