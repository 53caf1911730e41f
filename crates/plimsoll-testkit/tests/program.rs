//! Programs are run, watched and ended as a test asks.

use std::time::Duration;

use plimsoll_core::Provider;
use plimsoll_testkit::program::{Program, Signal};
use plimsoll_testkit::project::Project;

fn shell(project: &Project, script: &str) -> Program {
    Program::new("shell", "/bin/sh".into(), project).arg("-c").arg(script)
}

#[test]
fn a_program_runs_in_its_project_with_its_url_and_nothing_else_of_the_environment() {
    let project = Project::new(Provider::Sqlite).env_url("file:x.db").file("note.txt", "here\n");
    let transcript =
        shell(&project, "cat note.txt; env | cut -d= -f1 | sort; echo $DATABASE_URL >&2; exit 3").run();
    assert_eq!(transcript.stdout, "here\nDATABASE_URL\nHOME\nPATH\nPWD\n");
    assert_eq!(transcript.stderr, "file:x.db\n");
    assert_eq!(transcript.code(), Some(3));
}

#[test]
fn a_running_program_can_be_waited_for_and_signalled() {
    let project = Project::empty();
    let script = "trap 'echo bye; exit 143' TERM; echo ready; while :; do sleep 0.02; done";
    let mut running = shell(&project, script).spawn();
    running.wait_for_stdout("ready");
    running.signal(Signal::TERM);
    let transcript = running.wait();
    assert_eq!((transcript.code(), transcript.stdout.as_str()), (Some(143), "ready\nbye\n"));
}

#[test]
fn a_killed_program_is_ended_by_the_signal() {
    let project = Project::empty();
    let mut running = shell(&project, "exec sleep 60").spawn();
    running.kill();
    let transcript = running.wait();
    assert_eq!((transcript.code(), transcript.signal()), (None, Some(9)));
    assert!(transcript.to_string().ends_with("----- ended by signal 9\n"));
}

#[test]
#[should_panic(expected = "did not end within")]
fn a_program_that_does_not_end_fails_its_test() {
    shell(&Project::empty(), "exec sleep 60").within(Duration::from_millis(50)).run();
}

#[test]
#[should_panic(expected = "a password was shown")]
fn a_program_that_shows_a_password_fails_its_test() {
    shell(&Project::empty(), "echo hush-plain-90ad").run();
}

#[test]
#[should_panic(expected = "a password was shown")]
fn a_password_of_a_test_on_standard_error_fails_it() {
    shell(&Project::empty(), "echo 'postgresql://u:sesame-4711@h/d' >&2").run();
}

#[test]
#[should_panic(expected = "a password was shown")]
fn a_password_in_the_termination_message_fails_its_test() {
    let project = Project::empty();
    let script = "echo hush-plain-90ad > message";
    shell(&project, script).env("PLIMSOLL_TERMINATION_LOG", project.join("message")).run();
}

#[test]
#[should_panic(expected = "a password was shown")]
fn a_password_of_a_program_that_is_forgotten_fails_its_test() {
    let running = shell(&Project::empty(), "echo hush-plain-90ad; echo ready; exec sleep 60").spawn();
    running.wait_for_stdout("ready");
}

#[test]
fn a_project_changes_on_disk() {
    let project = Project::new(Provider::Postgresql).migration("1_a", "SELECT 1");
    project.set_migration("1_a", "SELECT 2");
    project.set_migration("2_b", "SELECT 3");
    assert_eq!(project.read("prisma/migrations/1_a/migration.sql"), "SELECT 2");
    project.remove_migration("1_a");
    assert!(!project.migrations().join("1_a").exists());
    assert!(project.read("prisma/migrations/migration_lock.toml").contains("provider = \"postgresql\""));
    let path = project.path().to_owned();
    drop(project);
    assert!(!path.exists());
}
