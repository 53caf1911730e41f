//! The termination message: what a container leaves for `kubectl describe pod`.

use std::path::PathBuf;

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::{Program, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::Version;
use serde_json::{Value, json};

use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";

/// A file as the kubelet makes it.
struct Message(PathBuf);

impl Message {
    fn of(project: &Project) -> Self {
        project.write("termination-log", "");
        Self(project.join("termination-log"))
    }

    fn asked_for(&self, command: Program) -> Program {
        command.env("PLIMSOLL_TERMINATION_LOG", &self.0)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).expect("the file is there")
    }

    /// The line for people, and the other one, which has to be as the schema says.
    #[track_caller]
    fn lines(&self) -> (String, Value) {
        let text = self.text();
        assert!(text.len() <= 1024 && text.lines().count() == 2, "{text}");
        let (line, document) = text.split_once('\n').expect("there are two lines");
        let schema = include_str!("../../../../../docs/schema/termination.v1.json");
        let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("the schema can be used");
        let document = serde_json::from_str(document).unwrap_or_else(|error| panic!("{error}: {text}"));
        let wrong: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}: {text}");
        (line.to_owned(), document)
    }
}

#[track_caller]
fn assert_is(document: &Value, exit_code: i64, code: impl Into<Value>, phase: &str) {
    let is = (&document["exit_code"], &document["code"], &document["phase"]);
    assert_eq!(is, (&json!(exit_code), &code.into(), &json!(phase)), "{document}");
}

#[tokio::test]
async fn every_end_leaves_its_reason() {
    for kind in [Kind::Postgres(Version::V15), Kind::Sqlite] {
        let scene = Scene::on(kind, kind.missing()).migration("1_init", INIT);
        let message = Message::of(&scene.project);
        let run = |words: &[&str], code: i32| {
            message
                .asked_for(scene.command(words))
                .env("PLIMSOLL_RELEASE", "shop/app:1.4.2")
                .run()
                .expect_code(code);
            message.lines()
        };
        assert_is(&run(&["wait", "--wait=0"], 78).1, 78, "P1003", "connect");
        let (line, document) = run(&["deploy"], 0);
        assert!(line.starts_with("1 applied, ") && line.ends_with(" ms"), "{line}");
        assert_is(&document, 0, Value::Null, "done");
        assert_eq!(document["applied"], json!({ "count": 1, "names": ["1_init"] }));
        assert_eq!(document["release"], "shop/app:1.4.2");
        assert!(run(&["migrate", "deploy"], 0).0.starts_with("up to date, "));
        assert!(run(&["wait"], 0).0.starts_with("the database stands at"));
        assert!(run(&["migrate", "status"], 0).0.starts_with("up to date, "));

        scene.project.set_migration("2_good", "SELECT 1;");
        scene.project.set_migration("3_bad", "-- first\nSELECT nope;");
        assert!(run(&["plan"], 0).0.starts_with("2 to apply, "));
        let (line, document) = run(&["deploy"], 65);
        assert!(line.starts_with("P3018: ") && line.contains("nope"), "{line}");
        assert_is(&document, 65, "P3018", "apply");
        assert_eq!(document["migration"], "3_bad");
        assert_eq!(document["applied"], json!({ "count": 1, "names": ["2_good"] }));
        assert_eq!(document["place"], "prisma/migrations/3_bad/migration.sql:2:8");
        let sqlstate = if matches!(kind, Kind::Sqlite) { "1" } else { "42703" };
        assert_eq!(document["sqlstate"], sqlstate);
        assert!(document["hint"].as_str().is_some_and(|hint| hint.contains("correct the script")));

        assert!(run(&["resolve", "--applied", "3_bad"], 0).0.starts_with("3_bad is recorded as applied, "));
        assert_is(&run(&["resolve"], 64).1, 64, "PLM302", "find");
        assert_is(&run(&["deploy", "--nonsense"], 64).1, 64, "PLM302", "arguments");
        assert_is(&run(&["exec", "--", "no-such-command"], 127).1, 127, "PLM304", "find");
        assert_is(&run(&["deploy", "--schema=nowhere"], 78).1, 78, "PLM101", "find");
    }
}

/// What went well before a command must not explain how the command ended, nor hide its last lines of log.
#[tokio::test]
async fn the_message_is_left_to_the_command_of_exec() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    let message = Message::of(&scene.project);
    message.asked_for(scene.command(&["exec", "--", "sh", "-c", "exit 3"])).run().expect_code(3);
    assert_eq!(message.text(), "");
    scene.project.set_migration("2_bad", "SELECT nope;");
    message.asked_for(scene.command(&["exec", "--", "true"])).run().expect_code(65);
    assert_is(&message.lines().1, 65, "P3018", "apply");
}

#[tokio::test]
async fn a_signal_leaves_what_it_met() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let message = Message::of(&scene.project);
    let holder = scene.postgres().connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("nobody else has it");
    let mut running = message.asked_for(scene.command(&["deploy"])).spawn();
    running.wait_for_stderr("waiting for another runner");
    running.signal(Signal::TERM);
    running.wait().expect_code(143);
    assert_is(&message.lines().1, 143, "PLM301", "lock");
    holder.batch_execute("SELECT 1").await.expect("the holder is still connected");
}

#[tokio::test]
async fn an_end_in_the_middle_of_a_script_names_the_statement() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    scene.deployed();
    let script =
        "INSERT INTO ship VALUES ('Beagle');\nCREATE INDEX CONCURRENTLY i ON ship (name);\nSELECT 1;";
    let (message, scene) = (Message::of(&scene.project), scene.migration("2_index", script));
    // Whoever builds an index waits for every transaction that has written to its table.
    let writer = scene.postgres().connect().await;
    writer.batch_execute("BEGIN; INSERT INTO ship VALUES ('Cutty')").await.expect("the table is there");
    let mut running = message.asked_for(scene.command(&["deploy", "--verbose"])).spawn();
    running.wait_for_stderr("statement 2 of 3 of 2_index");
    running.signal(Signal::TERM);
    let said = running.wait().expect_code(143).stderr;
    assert_says(&said, &["2_index ended in statement 2 of 3: those before it are committed"]);
    let (line, document) = message.lines();
    assert!(line.ends_with("(in statement 2 of 3 of `2_index`)"), "{line}");
    assert_eq!(document["statement"], json!({ "number": 2, "of": 3 }));
    writer.batch_execute("COMMIT").await.expect("the transaction is ours");
    message.asked_for(scene.command(&["deploy"])).run().expect_code(0);
    assert_eq!(message.lines().1.get("statement"), None, "nothing is under way any more");
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "3");
}

/// Where there is no such file, none is made; and one that cannot be written is no reason to fail.
#[tokio::test]
async fn a_file_that_is_not_there_or_not_wanted_is_left_alone() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    let path = scene.project.join("termination-log");
    scene.command(&["deploy"]).arg("--termination-log").arg(&path).run().expect_code(0);
    assert!(!path.exists());
    let message = Message::of(&scene.project);
    for off in ["none", ""] {
        let command = message.asked_for(scene.command(&["deploy", "--termination-log", off]));
        command.run().expect_code(0);
        assert_eq!(message.text(), "");
    }
    scene.command(&["deploy", "--termination-log=/"]).run().expect_code(0);
}

/// As an application's log collector would see it: a password in a place of its own does not get into the message.
#[test]
fn no_password_gets_into_the_message() {
    let url = "postgresql://u:sesame-4711@127.0.0.1:9/d";
    let project = Project::new(Provider::Postgresql).env_url(url).migration("1_init", INIT);
    let message = Message::of(&project);
    for words in [vec!["deploy", "--wait=0"], vec!["deploy", "--wait", url], vec!["deploy", "--schema", url]]
    {
        let _ended = message.asked_for(plimsoll(&project).args(&words)).run();
        assert!(message.text().len() > 20 && !message.text().contains("sesame"), "{}", message.text());
    }
}

/// Whoever may read pods may not be somebody who may read the database.
#[tokio::test]
async fn what_the_database_says_can_be_kept_out() {
    let raise = "DO $$ BEGIN RAISE EXCEPTION 'card 4111' USING DETAIL = '4112', HINT = '4113'; END $$;";
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_bad", raise);
    let message = Message::of(&scene.project);
    for (detail, tells) in [("full", true), ("code", false)] {
        let command = message.asked_for(scene.command(&["deploy"]));
        command.env("PLIMSOLL_TERMINATION_DETAIL", detail).run().expect_code(65);
        let (line, document) = message.lines();
        assert_eq!(message.text().contains("411"), tells, "{}", message.text());
        assert!(line.starts_with("P3018: A migration failed to apply"), "{line}");
        assert_is(&document, 65, "P3018", "apply");
        assert_eq!((&document["sqlstate"], &document["migration"]), (&json!("P0001"), &json!("1_bad")));
    }
}
