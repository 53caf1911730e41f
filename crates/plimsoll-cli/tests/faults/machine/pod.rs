//! A pod as careful people write it: nothing can be written, the user is any number, and there is no home.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, Version};
use tempfile::TempDir;

use crate::scene::{INIT, assert_says, project};

/// Makes a container of this machine: the project at `/mnt/app`, a volume at `/mnt/data`, a full one at `/mnt/full`, no place
/// else to write to and none for temporary files. `hide` is a directory that has nothing in it.
const START: &str = r#"
set -e
binary=$1 project=$2 data=$3 hide=$4
shift 4
mount -t tmpfs none /mnt
mkdir /mnt/app /mnt/data /mnt/full
touch /mnt/plimsoll
mount --bind "$binary" /mnt/plimsoll
mount --bind "$project" /mnt/app
mount --options remount,bind,ro /mnt/app
mount --bind "$data" /mnt/data
mount -t tmpfs -o size=4k none /mnt/full
touch /mnt/full/termination-log
chmod 666 /mnt/full/termination-log
head -c 4096 /dev/zero >/mnt/full/filler
for place in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o ro none "$place"; done
mount --options remount,ro /mnt
mount --options remount,bind,ro /
cd /mnt/app
mount -t tmpfs -o ro none "$hide"
exec setpriv --reuid=1000650000 --regid=0 --clear-groups env --unset=HOME /mnt/plimsoll "$@"
"#;

/// `plimsoll` in such a pod. The volume has to live as long as it does.
fn in_a_pod(project: &Project, volume: &TempDir, hide: &str, words: &[&str]) -> Program {
    for directory in [project.path(), volume.path()] {
        mode(directory, 0o777);
    }
    Program::new("unshare", "unshare".into(), project)
        .args(["--mount", "sh", "-c", START, "sh", env!("CARGO_BIN_EXE_plimsoll")])
        .args([project.path(), volume.path(), Path::new(hide)])
        .args(words)
}

fn volume() -> TempDir {
    TempDir::with_prefix("plimsoll-volume-").expect("there is a place for temporary files")
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
}

#[tokio::test]
async fn a_pod_that_may_write_nowhere_deploys_to_a_server() {
    for kind in [Kind::Postgres(Version::V15), Kind::Mysql(Flavour::Mysql), Kind::Mysql(Flavour::Mariadb)] {
        for hide in ["/dev/shm", "/proc"] {
            let (base, volume) = (kind.missing(), volume());
            let project = project(kind, base.url(), &[("1_init", INIT)]);
            in_a_pod(&project, &volume, hide, &["deploy"]).run().expect_code(0);
            assert_eq!(base.value("SELECT n FROM counter").await, "0");
            in_a_pod(&project, &volume, hide, &["status"]).run().expect_code(0);
        }
    }
}

/// A sort of this size, and the copy that `VACUUM` makes, do not stay in memory.
#[test]
fn a_pod_without_a_place_for_temporary_files_sorts_beside_its_sqlite_file() {
    let much = "INSERT INTO counter WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 60000) SELECT n FROM r;\n\
                CREATE TABLE name AS SELECT 'number ' || n AS name FROM counter;\nCREATE INDEX name_ ON name (name DESC);\n";
    let volume = volume();
    let url = "file:/mnt/data/ship.db".to_owned();
    let project = project(Kind::Sqlite, url, &[("1_init", INIT), ("2_much", much), ("3_vacuum", "VACUUM;")]);
    in_a_pod(&project, &volume, "/proc", &["deploy"]).run().expect_code(0);
    in_a_pod(&project, &volume, "/proc", &["status"]).run().expect_code(0);
    let left = std::fs::read_dir(volume.path()).expect("it is ours").count();
    assert_eq!(left, 1, "a temporary file is left beside the database");
}

#[test]
fn a_volume_of_another_owner_is_named() {
    let volume = volume();
    let project = project(Kind::Sqlite, "file:/mnt/data/ship.db".to_owned(), &[("1_init", INIT)]);
    let program = in_a_pod(&project, &volume, "/proc", &["deploy"]);
    mode(volume.path(), 0o755);
    let refused = program.run().expect_code(78);
    assert_says(&refused.stderr, &["PLM208", "/mnt/data/ship.db", "Permission denied"]);
}

/// The kubelet's file lies on the node's disk.
#[test]
fn a_termination_message_without_room_is_no_reason_to_fail() {
    let volume = volume();
    let project = project(Kind::Sqlite, "file:/mnt/data/ship.db".to_owned(), &[("1_init", INIT)]);
    for place in ["/mnt/full/termination-log", "/mnt/full/nothing", "/mnt/app/prisma/schema.prisma"] {
        let program = in_a_pod(&project, &volume, "/proc", &["deploy"]);
        program.env("PLIMSOLL_TERMINATION_LOG", place).run().expect_code(0);
    }
}
