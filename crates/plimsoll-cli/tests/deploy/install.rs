//! `install`: the program in a volume that containers share.

use std::mem::MaybeUninit;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use crate::scene::assert_says;

#[test]
fn the_copy_is_whole_executable_for_everybody_and_replaces_the_one_before() {
    let project = Project::empty();
    project.write("volume/plimsoll", "an older one");
    let copy = project.join("volume/plimsoll");
    for _ in 0..2 {
        let ended = plimsoll(&project).args(["install", "volume"]).run().expect_code(0);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("installed volume/plimsoll\n", ""));
        let mode = copy.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o7777, 0o755);
        assert_eq!(
            std::fs::read(&copy).expect("it is there"),
            std::fs::read(env!("CARGO_BIN_EXE_plimsoll")).expect("it has been built")
        );
    }
    let version = Program::new("the copy", copy, &project).arg("--version").run().expect_code(0);
    assert_says(&version.stdout, &["plimsoll "]);
    let files = std::fs::read_dir(project.join("volume")).expect("it is there").count();
    assert_eq!(files, 1, "nothing else is left");
}

/// What happened to the name `plimsoll` in a directory, in the words of inotify. The kernel queues each event before the
/// call that made it returns, so that there is nothing to wait for.
fn watched(directory: &Path, act: impl FnOnce()) -> ReadFlags {
    let inotify = inotify::init(CreateFlags::NONBLOCK).expect("the kernel has inotify");
    let all = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::MODIFY;
    inotify::add_watch(&inotify, directory, all).expect("it is there");
    act();
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(inotify, &mut buffer);
    let mut seen = ReadFlags::empty();
    while let Ok(event) = events.next() {
        if event.file_name().is_some_and(|name| name.to_bytes() == b"plimsoll") {
            seen |= event.events();
        }
    }
    seen
}

#[test]
fn at_no_moment_is_there_no_program_or_half_of_one() {
    let project = Project::empty();
    project.write("volume/plimsoll", "an older one");
    let install = || {
        plimsoll(&project).args(["install", "volume"]).run().expect_code(0);
    };
    assert_eq!(watched(&project.join("volume"), install), ReadFlags::MOVED_TO);
}

/// The copy can copy itself, over itself, while it runs.
#[test]
fn a_copy_that_is_running_can_be_replaced() {
    let project = Project::empty();
    project.write("volume/other", "");
    plimsoll(&project).args(["install", "volume"]).run().expect_code(0);
    let copy = || Program::new("the copy", project.join("volume/plimsoll"), &project);
    copy().args(["install", "volume"]).run().expect_code(0);
    copy().arg("--version").run().expect_code(0);
}

#[test]
fn a_directory_that_is_missing_is_not_made() {
    let project = Project::empty();
    project.write("file", "");
    for directory in ["nowhere", "file", "/proc"] {
        let ended = plimsoll(&project).args(["install", directory]).run().expect_code(78);
        assert_says(&ended.stderr, &["PLM306", directory]);
    }
    assert!(!project.join("nowhere").exists());
    plimsoll(&project).arg("install").run().expect_code(64);
}
