//! Nobody reads what is said, or there is no room for it.

use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::wait::until;
use rustix::process::{Pid, Signal, kill_process};

use crate::scene::{INIT, ONE, assert_says, by_shell, project};

/// A project with a SQLite file of its own.
fn with_a_file() -> Project {
    project(Kind::Sqlite, "file:./ship.db".to_owned(), &[("1_init", INIT)])
}

/// The same with a hundred migrations more, which is much to tell.
fn with_many() -> Project {
    let project = with_a_file();
    (0..100).for_each(|number| project.set_migration(&format!("9{number:03}_more"), ONE));
    project
}

#[test]
fn a_deploy_that_nobody_hears_is_done() {
    for closed in
        ["\"$@\" >&-", "\"$@\" 2>&-", "\"$@\" <&- >&- 2>&-", "\"$@\" >/dev/full", "\"$@\" 2>/dev/full"]
    {
        let project = with_a_file();
        for words in [&["deploy"][..], &["migrate", "deploy"], &["deploy", "--output=json"]] {
            by_shell(&project, closed, words).run().expect_code(0);
        }
        let still = by_shell(&project, "\"$@\"", &["status"]).run().expect_code(0);
        assert_eq!(still.stdout, "up to date: 1 of 1 migrations applied\n", "{closed}");
    }
}

#[test]
fn a_deploy_says_that_its_answer_did_not_get_out() {
    let ended = by_shell(&with_a_file(), "\"$@\" >/dev/full", &["deploy"]).run().expect_code(0);
    assert_says(&ended.stderr, &["warning: standard output could not be written", "No space left"]);
}

#[test]
fn a_pipe_that_is_closed_stops_no_run() {
    let project = with_many();
    let ended = by_shell(&project, "{ \"$@\"; echo $? >ended; } | head -c 1", &["migrate", "deploy"]).run();
    assert_eq!((ended.code(), project.read("ended").trim()), (Some(0), "0"), "{ended}");
    by_shell(&project, "\"$@\"", &["status"]).run().expect_code(0);
}

/// The run is held up in the middle of a word, where it hears nothing: it ends a little later than others.
#[test]
fn a_run_whose_words_nobody_takes_can_be_ended() {
    let project = with_many();
    let (unread, mut full) = std::io::pipe().expect("the kernel has pipes");
    // What is left is enough for the words before the run, and not for all of its own.
    full.write_all(&" ".repeat(65_536 - 600).into_bytes()).expect("so much fits into a pipe");
    let mut runner = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["migrate", "deploy"])
        .current_dir(project.path())
        .env_clear()
        .env("DATABASE_URL", "file:./ship.db")
        .stdout(full)
        .spawn()
        .expect("it is built");
    let held_up = format!("/proc/{}/syscall", runner.id());
    // Call 1 is `write`, and so is standard output.
    let said = project.join("prisma/ship.db");
    until("the run has begun", || said.exists());
    until("it is held up", || std::fs::read_to_string(&held_up).is_ok_and(|call| call.starts_with("1 0x1 ")));
    let sent = Instant::now();
    kill_process(Pid::from_child(&runner), Signal::TERM).expect("it is ours");
    assert_eq!(runner.wait().expect("it is ours").code(), Some(143));
    assert!(sent.elapsed() < Duration::from_secs(5), "it took {:?} to end", sent.elapsed());
    drop(unread);
    by_shell(&project, "\"$@\"", &["deploy"]).run().expect_code(0);
}

/// What is in the file is not all of it, and somebody would go on with it.
#[test]
fn a_command_whose_answer_is_lost_has_failed() {
    let project = with_a_file();
    by_shell(&project, "\"$@\"", &["deploy"]).run().expect_code(0);
    project.write(
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec:\n  containers:\n  - name: app\n    image: app:1\n    env:\n    - name: DATABASE_URL\n      value: file:./ship.db\n",
    );
    let inject = ["inject", "pod.yaml", "--target=Pod/app"];
    by_shell(&project, "\"$@\"", &inject).run().expect_code(0);
    for words in [&["status"][..], &["plan", "--output=json"], &inject, &["completions", "bash"], &["--help"]]
    {
        let ended = by_shell(&project, "\"$@\" >/dev/full", words).run().expect_code(75);
        assert_says(&ended.stderr, &["PLM307", "No space left"]);
        by_shell(&project, "\"$@\" | true", words).run().expect_code(0);
    }
}
