//! `--log-format`, `--quiet` and `--verbose`: what stands on stderr.

use jsonschema::Validator;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::Version;
use plimsoll_testkit::transcript::Transcript;
use serde_json::{Value, json};

use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";

fn validator() -> Validator {
    let text = include_str!("../../../../../docs/schema/log.v1.json");
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::meta::validate(&schema).expect("the schema is one");
    jsonschema::validator_for(&schema).expect("the schema can be used")
}

/// Every line of stderr, each of which has to be as the schema says.
#[track_caller]
fn lines(ended: &Transcript) -> Vec<Value> {
    let validator = validator();
    let line = |text: &str| {
        let line: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}\n{ended}"));
        let wrong: Vec<String> = validator.iter_errors(&line).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}: {text}");
        line
    };
    ended.stderr.lines().map(line).collect()
}

fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["event"].as_str()).collect()
}

#[test]
fn the_schema_of_the_log_is_strict() {
    let good = json!({ "time": "2026-01-01T00:00:00.000Z", "level": "info", "event": "applied", "message": "x",
                       "fields": { "migration": "1_init", "took_ms": 3 } });
    assert!(validator().is_valid(&good));
    for (field, value) in [
        ("more", json!(1)),
        ("time", json!("now")),
        ("level", json!("loud")),
        ("fields", json!({})),
        ("message", json!("")),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        assert!(!validator().is_valid(&wrong), "{wrong}");
    }
}

#[tokio::test]
async fn every_line_of_a_json_log_is_an_object_of_the_schema() {
    for kind in [Kind::Postgres(Version::V15), Kind::Sqlite] {
        let scene = Scene::on(kind, kind.missing()).migration("1_init", INIT);
        let run = |words: &[&str]| scene.command(words).env("PLIMSOLL_LOG_FORMAT", "json").run();
        let first = run(&["deploy", "--verbose"]).expect_code(0);
        let seen = lines(&first);
        let names = [
            "connecting",
            "database_created",
            "connecting",
            "opened",
            "ready",
            "locking",
            "locked",
            "applying",
            "sending",
            "applied",
        ];
        assert_eq!(events(&seen), names, "{first}");
        assert_eq!(seen[9]["fields"]["migration"], "1_init");
        assert!(first.stdout.starts_with("1 migration applied in"), "{first}");

        scene.project.set_migration("2_bad", "-- here\nSELECT nope;");
        scene.project.set_migration("1_init", "-- edited");
        let failed = run(&["exec", "--", "true"]).expect_code(65);
        let seen = lines(&failed);
        assert_eq!(events(&seen), ["error"], "{failed}");
        assert_eq!(seen[0]["fields"]["place"]["line"], 2);
        assert_says(seen[0]["message"].as_str().expect("it is a text"), &["P3018", "2_bad"]);
        scene.project.remove_migration("2_bad");
        assert_eq!(events(&lines(&run(&["exec", "--", "true"]).expect_code(0))), ["warning", "deployed"]);
        // Prisma's phrases stay where they are, and what it says on stderr becomes part of the log.
        let prisma = run(&["migrate", "deploy"]).expect_code(0);
        assert_says(&prisma.stdout, &["No pending migrations to apply."]);
        lines(&prisma);
    }
    let nothing = Project::empty();
    let wrong = plimsoll(&nothing).args(["deploy", "--nonsense"]).env("PLIMSOLL_LOG_FORMAT", "json");
    assert_eq!(events(&lines(&wrong.run().expect_code(64))), ["arguments"]);
}

#[tokio::test]
async fn a_wait_for_another_runner_is_an_object_with_its_holder() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let holder = scene.postgres().connect().await;
    let take = "SET application_name = 'somebody'; SELECT pg_advisory_lock(72707369)";
    holder.batch_execute(take).await.expect("nobody else has it");
    let ended = scene.run(&["deploy", "--log-format=json", "--lock-wait=0"]).expect_code(75);
    let seen = lines(&ended);
    assert_eq!(events(&seen), ["waiting_for_lock", "error"]);
    assert_eq!(seen[0]["fields"]["holder"]["name"], "somebody");
}

#[tokio::test]
async fn a_migration_that_is_blocked_is_an_object_with_its_blockers() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    scene.deployed();
    let scene = scene.migration("2_alter", "ALTER TABLE ship ADD COLUMN tonnes INT;");
    let reader = scene.postgres().connect().await;
    let read = "SET application_name = 'somebody'; BEGIN; SELECT FROM ship";
    reader.batch_execute(read).await.expect("the table is there");
    let impatient = ["deploy", "--log-format=json", "--lock-timeout=4s", "--lock-wait=0"];
    let seen = lines(&scene.run(&impatient).expect_code(75));
    assert_eq!(events(&seen), ["blocked", "error"]);
    let (fields, blocker) = (&seen[0]["fields"], &seen[0]["fields"]["blockers"][0]);
    assert_eq!(
        (&fields["migration"], &blocker["name"], &blocker["sure"]),
        (&"2_alter".into(), &"somebody".into(), &true.into())
    );
    assert_eq!(blocker["state"], "idle in transaction");
}

#[tokio::test]
async fn quiet_says_nothing_but_errors() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    let quiet = |words: &[&str]| scene.command(words).env("PLIMSOLL_QUIET", "1").run();
    let done = quiet(&["deploy"]).expect_code(0);
    assert!(done.stderr.is_empty() && done.stdout.starts_with("1 migration applied"), "{done}");
    scene.project.set_migration("1_init", "-- edited");
    assert_eq!(quiet(&["deploy"]).expect_code(0).stderr, "");
    scene.project.set_migration("2_bad", "SELECT nope;");
    assert_says(&quiet(&["deploy"]).expect_code(65).stderr, &["P3018", "2_bad"]);
    scene.project.remove_migration("2_bad");
    let loud = scene.command(&["deploy"]).env("PLIMSOLL_QUIET", "0").run().expect_code(0);
    assert_says(&loud.stderr, &["warning: changed since"]);
    scene.run(&["deploy", "--quiet", "--verbose"]).expect_code(64);
}

#[test]
fn verbose_says_each_try_to_connect() {
    let nobody_listens =
        Project::new(Provider::Postgresql).env_url("postgresql://u@127.0.0.1:9/d").migration("1_init", INIT);
    let ended = plimsoll(&nobody_listens)
        .args(["deploy", "--wait=300ms"])
        .env("PLIMSOLL_VERBOSE", "true")
        .run()
        .expect_code(69);
    assert_says(&ended.stderr, &["connecting, try 1", "connecting, try 3", "next try in", "P1001"]);
}

/// Manifests set a variable to nothing where they mean that it is not set.
#[tokio::test]
async fn a_variable_that_is_empty_counts_as_not_set() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    let names = [
        "URL",
        "SCHEMA",
        "CONFIG",
        "MIGRATIONS",
        "WAIT",
        "LOCK_WAIT",
        "OUTPUT",
        "IF_AHEAD",
        "LOG_FORMAT",
        "QUIET",
        "VERBOSE",
        "UNSET",
    ];
    let with_all = |command| {
        names.iter().fold(command, |command: plimsoll_testkit::program::Program, name| {
            command.env(&format!("PLIMSOLL_{name}"), "")
        })
    };
    assert_says(&with_all(scene.command(&["deploy"])).run().expect_code(0).stdout, &["1 migration applied"]);
    with_all(scene.command(&["exec", "--", "true"])).run().expect_code(0);
    with_all(scene.command(&["migrate", "status"])).run().expect_code(0);
}
