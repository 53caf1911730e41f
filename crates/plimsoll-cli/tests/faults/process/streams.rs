//! Nobody reads what is said, or there is no room for it.

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::project::Project;

use crate::scene::{INIT, ONE, assert_says, by_shell, project};

/// A project with a SQLite file of its own.
fn with_a_file() -> Project {
    project(Kind::Sqlite, "file:./ship.db".to_owned(), &[("1_init", INIT)])
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
    let project = with_a_file();
    (0..100).for_each(|number| project.set_migration(&format!("9{number:03}_more"), ONE));
    let ended = by_shell(&project, "{ \"$@\"; echo $? >ended; } | head -c 1", &["migrate", "deploy"]).run();
    assert_eq!((ended.code(), project.read("ended").trim()), (Some(0), "0"), "{ended}");
    by_shell(&project, "\"$@\"", &["status"]).run().expect_code(0);
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
