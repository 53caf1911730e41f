//! A bug ends the process in one way, wherever it is.

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;

#[test]
fn a_bug_on_any_thread_ends_with_70_says_what_to_report_and_shows_no_password() {
    for place in ["here", "task", "thread"] {
        let project = Project::new(Provider::Sqlite).env_url("file:./dev.db").file("message", "");
        let told = project.join("message");
        let run = plimsoll(&project).arg("deploy").env("PLIMSOLL_TEST_BUG", place);
        let run = run.env("PLIMSOLL_TERMINATION_LOG", &told).run().expect_code(70);
        for words in ["a bug (panicked at ", "src/bugs.rs:", "the next start looks", "please report"] {
            assert!(run.stderr.contains(words), "{words}: {run}");
        }
        assert!(run.stderr.contains(env!("CARGO_PKG_VERSION")), "{run}");
        let message = project.read("message");
        assert!(message.starts_with("PLM399: a bug in plimsoll") && message.contains("\"exit_code\":70"));
        for text in [&run.stdout, &run.stderr, &message] {
            assert!(!text.contains("hush"), "{text}");
        }
        assert!(!project.join("prisma/dev.db").exists(), "nothing had been done");
    }
}
