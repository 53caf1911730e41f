//! The tables of database errors, tried: each error that a server can be made to send ends a run as its class says.

mod mysql;
mod postgres;
mod sqlite;

use std::collections::BTreeSet;

use plimsoll_core::{Class as Exit, Code};
use plimsoll_engine::Kind as Done;
use plimsoll_engine::classes::{Known, Tried, Trouble};
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::{Running, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::transcript::Transcript;

use crate::scene::{Kind, Scene, assert_says};

/// The exit code of a run that ends with this error.
fn exit(code: Code) -> i32 {
    match code.class() {
        Exit::Data => 65,
        Exit::Unreachable => 69,
        Exit::TryAgain => 75,
        Exit::Denied => 77,
        Exit::Config => 78,
        other => panic!("{other:?} is nothing that a database does"),
    }
}

/// Starts a run whose patience ends at once.
fn start(project: &Project) -> Running {
    plimsoll(project).args(["deploy", "--wait=0", "--lock-wait=0"]).spawn()
}

/// Fails unless a run has ended with a script that met an error of this class.
#[track_caller]
fn ended_as(ended: Transcript, class: Trouble, what: &str) -> Transcript {
    let code = class.code_of_script();
    let ended = ended.expect_code(exit(code));
    assert!(ended.stderr.contains(code.as_str()), "{what} is not {code}:\n{ended}");
    ended
}

/// Fails unless what stands as met in a table is what a test meets.
#[track_caller]
fn assert_tried(rows: &[Known], met: &[&str]) {
    let said = rows.iter().filter(|row| row.tried == Tried::Yes).map(|row| row.code);
    assert_eq!(said.collect::<BTreeSet<_>>(), met.iter().copied().collect::<BTreeSet<_>>());
}

/// Applies a script that raises the error of a row.
///
/// What counts as a lost connection is tried once more; that is not waited for.
fn raise(project: &Project, row: &Known, script: &str) {
    project.set_migration("1_raise", script);
    let mut run = start(project);
    if row.session.kind() == Done::Lost {
        run.wait_for_stderr("connecting again");
        run.signal(Signal::TERM);
        run.wait().expect_code(143);
    } else {
        let ended = ended_as(run.wait(), row.session, row.code);
        assert!(!ended.stderr.contains("connecting again"), "{ended}");
    }
}
