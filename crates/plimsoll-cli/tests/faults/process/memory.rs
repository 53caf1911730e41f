//! A container whose memory is used up in the middle of a migration: the kernel ends the runner, which can do nothing about it.

use std::path::{Path, PathBuf};

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::server::{Flavour, Version};

use crate::scene::{INIT, ONE, by_shell, deploy, project};

/// A group of processes that have so much memory together. It ends with its owner.
struct Group(PathBuf);

impl Group {
    /// Panics unless this is root on a machine whose memory can be divided: by either version of control groups.
    fn new(bytes: u64) -> Self {
        let (first, second) = (Path::new("/sys/fs/cgroup/memory"), Path::new("/sys/fs/cgroup"));
        let is_first = first.join("memory.limit_in_bytes").exists();
        let (place, limit) = if is_first { (first, "memory.limit_in_bytes") } else { (second, "memory.max") };
        let name = TempName::new();
        let group = Self(place.join(name.0));
        std::fs::create_dir(&group.0).unwrap_or_else(|error| panic!("{}: {error}", group.0.display()));
        group.set(limit, bytes);
        group
    }

    fn set(&self, file: &str, value: u64) {
        let file = self.0.join(file);
        std::fs::write(&file, value.to_string())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// A line of a shell that enters the group and becomes `"$@"`.
    fn line(&self) -> String {
        format!("echo $$ >{}/cgroup.procs; exec \"$@\"", self.0.display())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Nobody is in it any more, or the machine has the remains of a test that has failed.
        let _stays = std::fs::remove_dir(&self.0);
    }
}

/// A name that no other test has.
struct TempName(String);

impl TempName {
    fn new() -> Self {
        Self(format!("plimsoll-test-{}-{:08x}", std::process::id(), fastrand::u32(..)))
    }
}

/// What a runner has: more than twice what one with its debug symbols needs (18 MiB), which becomes more with each change.
const ENOUGH: u64 = 48 << 20;

/// The answer of a statement is kept until it is whole, so that one this long needs more than the runner has. MySQL makes none that
/// is longer than 64 MiB.
#[tokio::test]
async fn a_runner_that_the_kernel_ends_for_its_memory_leaves_nothing_half_done() {
    let big = "UPDATE counter SET n = n + 1;\nSELECT repeat('x', 60000000);\nUPDATE counter SET n = n + 1;\n";
    for kind in [Kind::Postgres(Version::V15), Kind::Mysql(Flavour::Mysql)] {
        let base = kind.missing();
        let project = project(kind, base.url(), &[("1_init", INIT), ("2_big", big), ("3_one", ONE)]);
        let group = Group::new(ENOUGH);
        let ended = by_shell(&project, &group.line(), &["deploy"]).run();
        assert_eq!(ended.signal(), Some(9), "{ended}");
        assert_eq!(base.value("SELECT n FROM counter").await, "0", "{kind:?}");
        assert_eq!(base.history().await.len(), 1, "{kind:?}");
        // Somebody gives it more.
        deploy(&project).run().expect_code(0);
        assert_eq!(base.value("SELECT n FROM counter").await, "3");
        assert_eq!(base.history().await.len(), 3);
    }
}
