//! A process that may do less than usual.

use plimsoll_testkit::base::Kind;

use crate::scene::{INIT, assert_says, by_shell, project};

/// What fails for want of a file looks like a script that is missing, or a database that cannot be opened.
#[test]
fn a_process_that_may_open_too_few_files_is_told_so() {
    let project = project(Kind::Sqlite, "file:./ship.db".to_owned(), &[("1_init", INIT)]);
    for few in ["7", "8", "12", "31"] {
        let refused =
            by_shell(&project, &format!("ulimit -n {few}; \"$@\""), &["deploy"]).run().expect_code(78);
        assert_says(&refused.stderr, &["PLM308", &format!("may have {few} files open"), "ulimit -n"]);
    }
    assert!(!project.join("prisma/ship.db").exists());
    by_shell(&project, "ulimit -n 32; \"$@\"", &["deploy"]).run().expect_code(0);
}
