//! `--output json`: every document of every command is of the shape that docs/schema/output.v1.json describes.

use jsonschema::Validator;
use plimsoll_testkit::program::Signal;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::Version;
use plimsoll_testkit::transcript::Transcript;
use serde_json::{Value, json};

use crate::scene::{Kind, Scene};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";

fn validator() -> Validator {
    let text = include_str!("../../../../../docs/schema/output.v1.json");
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::meta::validate(&schema).expect("the schema is one");
    jsonschema::validator_for(&schema).expect("the schema can be used")
}

/// The document, which is all that stands on stdout.
#[track_caller]
fn document(ended: &Transcript) -> Value {
    assert_eq!(ended.stdout.lines().count(), 1, "{ended}");
    let document: Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}:\n{ended}"));
    let wrong: Vec<String> = validator().iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}:\n{ended}");
    assert_eq!(document["exit_code"].as_i64(), ended.code().map(i64::from), "{ended}");
    document
}

fn run(scene: &Scene, arguments: &[&str]) -> Value {
    document(&scene.command(arguments).args(["--output", "json"]).run())
}

#[test]
fn the_schema_is_strict() {
    let good = json!({
        "version": 1, "command": "wait", "exit_code": 0, "milliseconds": 3, "database": null, "error": null,
    });
    assert!(validator().is_valid(&good));
    for (field, value) in [
        ("more", json!(1)),
        ("version", json!(2)),
        ("exit_code", json!(2)),
        ("command", json!("deploy")),
        ("error", json!("x")),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        assert!(!validator().is_valid(&wrong), "{wrong}");
    }
}

#[tokio::test]
async fn every_command_says_what_the_schema_describes() {
    for kind in [Kind::Postgres(Version::V15), Kind::Sqlite] {
        let scene = Scene::on(kind, kind.missing()).migration("1_init", INIT);
        assert_eq!(run(&scene, &["status"])["error"]["code"], "P1003");
        assert_eq!(run(&scene, &["plan"])["database_missing"], true);
        let wait = run(&scene, &["wait", "--wait=0"]);
        assert_eq!(wait["error"]["code"], "P1003");

        let deployed = run(&scene, &["deploy"]);
        assert_eq!(deployed["applied"][0]["name"], "1_init");
        assert_eq!((&deployed["database_created"], &deployed["error"]), (&json!(true), &Value::Null));
        assert_eq!(deployed["database"]["provider"], kind.provider().lock_name());
        assert_eq!(run(&scene, &["migrate", "deploy"])["applied"], json!([]));
        assert_eq!(run(&scene, &["status"])["up_to_date"], true);
        assert_eq!(run(&scene, &["wait"])["exit_code"], 0);
        assert_eq!(run(&scene, &["plan"])["steps"], json!([]));

        scene.project.set_migration("2_broken", "-- ü\nSELECT 'ü', nope;");
        failures_say_what_the_schema_describes(&scene).await;
    }
}

async fn failures_say_what_the_schema_describes(scene: &Scene) {
    scene.project.set_migration("1_init", "-- edited");
    let plan = run(scene, &["plan"]);
    assert_eq!((&plan["steps"][0]["name"], &plan["edited"]), (&json!("2_broken"), &json!(["1_init"])));
    assert_eq!(run(scene, &["status"])["pending"], json!(["2_broken"]));
    let failed = run(scene, &["deploy"]);
    assert_eq!((&failed["error"]["code"], &failed["pending"]), (&json!("P3018"), &json!(["2_broken"])));
    let place = json!({ "file": "prisma/migrations/2_broken/migration.sql", "line": 2, "column": 13 });
    assert_eq!(failed["error"]["place"], place);
    assert!(failed["error"]["database"]["message"].as_str().is_some_and(|text| text.contains("nope")));

    let row = "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) \
               VALUES ('x', 'x', '2_broken', CURRENT_TIMESTAMP)";
    scene.base.execute(row).await;
    let attempt = &run(scene, &["status"])["failed"][0];
    let known = ["name", "script", "statements_done", "resumable"].map(|field| attempt[field].clone());
    assert_eq!(known, [json!("2_broken"), json!("changed"), Value::Null, json!(false)]);
    assert_eq!(run(scene, &["deploy"])["error"]["code"], "P3009");
    assert_eq!(run(scene, &["plan"])["error"]["code"], "P3009");
    assert_eq!(run(scene, &["resolve", "--applied", "1_init"])["error"]["code"], "P3008");
    assert_eq!(run(scene, &["resolve"])["error"]["code"], "PLM302");
    assert_eq!(run(scene, &["resolve", "--resume", "2_broken"])["error"]["code"], "PLM220");
    let resolved = json!({ "name": "2_broken", "as": "rolled_back" });
    assert_eq!(run(scene, &["resolve", "--rolled-back", "2_broken"])["resolved"], resolved);
    assert_eq!(run(scene, &["migrate", "resolve", "--applied", "2_broken"])["resolved"]["as"], "applied");
    scene.project.remove_migration("2_broken");
    assert_eq!(run(scene, &["deploy"])["ahead"], json!(["2_broken"]));
    assert_eq!(run(scene, &["deploy", "--if-ahead=refuse"])["error"]["code"], "PLM205");
}

#[tokio::test]
async fn the_parts_of_a_script_are_in_the_documents() {
    let script = "VACUUM;\nSELECT nope;\n";
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_parts", script);
    let step = &run(&scene, &["plan"])["steps"][0];
    assert_eq!(
        (&step["shape"], &step["parts"], &step["because"][0]["what"]),
        (&json!("segmented"), &json!(2), &json!("VACUUM"))
    );
    assert_eq!(run(&scene, &["deploy"])["error"]["code"], "P3018");
    let attempt = &run(&scene, &["status"])["failed"][0];
    let known = ["script", "statements_done", "resumable"].map(|field| attempt[field].clone());
    assert_eq!(known, [json!("same"), json!(1), json!(true)]);
    scene.project.set_migration("1_parts", &script.replace("nope", "1"));
    let resolved = json!({ "name": "1_parts", "as": "resumed" });
    assert_eq!(run(&scene, &["resolve", "--resume", "1_parts"])["resolved"], resolved);
    assert_eq!(run(&scene, &["status"])["under_way"], json!(["1_parts"]));
    assert_eq!(run(&scene, &["plan"])["steps"][0]["resumes"], true);
    assert_eq!(run(&scene, &["deploy"])["applied"][0]["name"], "1_parts");
}

#[tokio::test]
async fn a_project_that_cannot_be_read_has_a_document_too() {
    let scene = Scene { project: Project::empty(), base: Kind::Sqlite.missing() };
    for arguments in
        [vec!["deploy"], vec!["status"], vec!["plan"], vec!["wait"], vec!["resolve", "--applied", "x"]]
    {
        let document = run(&scene, &arguments);
        assert_eq!((&document["error"]["code"], &document["database"]), (&json!("PLM101"), &Value::Null));
    }
}

#[tokio::test]
async fn a_signal_does_not_take_the_document_away() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let holder = scene.postgres().connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("nobody else has it");
    let mut running = scene.command(&["deploy", "--output=json"]).spawn();
    running.wait_for_stderr("waiting for another runner");
    running.signal(Signal::TERM);
    let document = document(&running.wait());
    assert_eq!((&document["error"]["code"], &document["exit_code"]), (&json!("PLM301"), &json!(143)));
    holder.batch_execute("SELECT 1").await.expect("the holder is still connected");
}
