//! Terminals, pipes, and nobody at all.

use std::path::PathBuf;

use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::server::Version;

use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";
const ESCAPE: char = '\u{1b}';
/// What begins every colour.
const COLOUR: &str = "\u{1b}[3";

/// The program on a terminal of its own; all that it says comes out of stdout.
fn on_a_terminal(scene: &Scene, arguments: &str) -> Program {
    let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_plimsoll"));
    Program::new("script", PathBuf::from("script"), &scene.project)
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
}

async fn broken() -> Scene {
    Scene::new(Kind::Sqlite).await.migration("1_broken", "SELECT nope;")
}

#[tokio::test]
async fn colours_are_for_terminals_unless_somebody_says_otherwise() {
    let scene = broken().await;
    let piped =
        |name: &str, value: &str| scene.command(&["deploy"]).env(name, value).run().expect_code(65).stderr;
    for (name, value) in
        [("X", "x"), ("CLICOLOR", "1"), ("CLICOLOR_FORCE", "0"), ("CLICOLOR_FORCE", ""), ("TERM", "xterm")]
    {
        assert!(!piped(name, value).contains(ESCAPE), "{name}={value}");
    }
    assert!(piped("CLICOLOR_FORCE", "1").contains(COLOUR));
    let both = scene.command(&["deploy"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").run();
    assert!(!both.stderr.contains(ESCAPE), "{both}");

    let shown = |name: &str, value: &str| {
        on_a_terminal(&scene, "deploy").env(name, value).run().expect_code(65).stdout
    };
    assert!(shown("X", "x").contains(COLOUR));
    assert!(shown("NO_COLOR", "").contains(COLOUR), "an empty variable says nothing");
    for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0")] {
        assert!(!shown(name, value).contains(COLOUR), "{name}={value}");
    }
}

#[tokio::test]
async fn no_command_writes_escape_codes_into_a_pipe() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    for arguments in [
        "status",
        "plan",
        "deploy",
        "deploy",
        "status",
        "migrate deploy",
        "migrate status",
        "resolve --applied no",
        "wait",
    ] {
        let ended = scene.run(&arguments.split(' ').collect::<Vec<_>>());
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(ESCAPE), "{ended}");
    }
}

#[tokio::test]
async fn a_terminal_shows_what_is_under_way() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let scene =
        scene.migration("2_gate", "SELECT pg_advisory_xact_lock(4711);").migration("3_last", "SELECT 1;");
    let gate = scene.postgres().connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    let running = on_a_terminal(&scene, "deploy").spawn();
    running.wait_for_stdout("applying 2_gate (2 of 3)");
    gate.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("it is ours");
    let ended = running.wait().expect_code(0);
    assert_says(&ended.stdout, &["applied 1_init in", "applied 3_last in", "3 migrations applied in"]);

    let dumb = on_a_terminal(&scene, "deploy").env("TERM", "dumb").run().expect_code(0);
    assert!(!dumb.stdout.contains(ESCAPE), "{dumb}");
}

#[tokio::test]
async fn a_terminal_shows_how_far_a_script_has_come() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    let scene = scene.migration("1_parts", "VACUUM;\nSELECT pg_advisory_xact_lock(4711);");
    let gate = scene.postgres().connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    let running = on_a_terminal(&scene, "deploy").spawn();
    running.wait_for_stdout("applying 1_parts (1 of 1), statement 2 of 2");
    gate.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("it is ours");
    running.wait().expect_code(0);
}

/// Who listened has gone: that is no reason to stop, nor to fail.
#[tokio::test]
async fn nobody_has_to_listen() {
    for redirection in ["| true", ">&-", "2>&-", ">&- 2>&-", "> /dev/full", "2> /dev/full", "<&- >&- 2>&-"] {
        for arguments in ["deploy", "migrate deploy", "deploy --output json"] {
            let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
            let program = env!("CARGO_BIN_EXE_plimsoll");
            let line = if redirection == "| true" {
                format!("{{ {program} {arguments}; echo $? > code; }} {redirection}")
            } else {
                format!("{program} {arguments} {redirection}; echo $? > code")
            };
            Program::new("sh", PathBuf::from("/bin/sh"), &scene.project).args(["-c", &line]).run();
            assert_eq!(scene.project.read("code"), "0\n", "{line}");
            assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1", "{line}");
            plimsoll(&scene.project).arg("status").run().expect_code(0);
        }
    }
}
