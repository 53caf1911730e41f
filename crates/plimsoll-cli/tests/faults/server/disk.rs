//! A server whose disk is full. Needs root, as a memory file system of a few megabytes is mounted where its tables are.

use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::server::{Flavour, Options};

use crate::scene::{
    INIT, Own, Server, assert_says, deploy, left, own_mysql, own_postgres, project, undisturbed,
};

/// A small disk at a place that exists. It goes with the test.
struct Disk(PathBuf);

impl Disk {
    fn small(place: &Path) -> Self {
        // The number of `nobody`, as whom servers of tests run if root starts them.
        succeed("mount", &["-t", "tmpfs", "-o", "size=3m,uid=65534,gid=65534,mode=700", "none"], place);
        Self(place.to_owned())
    }

    fn grow(&self) {
        succeed("mount", &["-o", "remount,size=256m"], &self.0);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _busy = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn succeed(program: &str, arguments: &[&str], place: &Path) {
    let status = Command::new(program).args(arguments).arg(place).status();
    assert!(status.is_ok_and(|status| status.success()), "`{program}` failed: this test needs root");
}

/// Not empty: the first rows of a table are rolled back in another way than those behind them.
const TABLE: &str = "CREATE TABLE much (what TEXT);\nINSERT INTO much VALUES ('little');";
const MUCH: &str = "INSERT INTO much SELECT REPEAT('x', 1000) FROM";
/// Ten thousand rows, in words that every server knows.
const ROWS: &str = "(SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 \
                    UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9 UNION ALL SELECT 10)";

/// What does not fit fails with its own words, is not taken for the script's fault, and fits as soon as there is room.
async fn full<S: Server>(server: Own<S>, disk: impl AsyncFn(&Base) -> Disk) {
    let kind = server.kind();
    let much = format!("UPDATE counter SET n = n + 1;\n{MUCH} {ROWS} a, {ROWS} b, {ROWS} c, {ROWS} d;");
    let migrations = [("1_init", INIT), ("2_table", TABLE), ("3_much", &much)];
    let expected = undisturbed(kind, &server.empty().await, &migrations).await;
    let base = server.empty().await;
    let disk = disk(&base).await;
    let project = project(kind, base.url(), &migrations);
    let ended = deploy(&project).arg("--wait=1s").run();
    if kind == Kind::Mysql(Flavour::Mariadb) && ended.code() == Some(69) {
        // MariaDB 10.11 may abort when it rolls back on a full disk, and does not start again before there is room.
        assert_says(&ended.stderr, &["connecting again", "P1001"]);
        disk.grow();
        server.start_again();
    } else {
        assert_says(&ended.expect_code(75).stderr, &["PLM212"]);
    }
    assert_eq!(base.value("SELECT n FROM counter").await, "0");
    assert_eq!(base.value("SELECT COUNT(*) FROM much").await, "1");
    let finished = base.history().await.into_iter().filter(|row| row.finished_at.is_some()).count();
    assert_eq!(finished, 2);
    disk.grow();
    deploy(&project).run().expect_code(0);
    let now = left(&base).await;
    assert_eq!(now.counted(), expected.counted());
    assert_eq!(now.applied(), expected.applied());
    drop(base);
}

#[tokio::test]
async fn a_full_disk_of_postgresql_is_said_and_nothing_is_left() {
    let server = own_postgres(&Options::default());
    let place = server.socket_directory().join("small");
    std::fs::create_dir(&place).expect("the directory is ours");
    full(server, async |base: &Base| {
        let disk = Disk::small(&place);
        let name = base.postgres().name();
        base.execute(&format!("CREATE TABLESPACE small LOCATION '{}'", place.display())).await;
        base.execute(&format!("ALTER DATABASE \"{name}\" SET default_tablespace = small")).await;
        disk
    })
    .await;
}

async fn on(flavour: Flavour) {
    let server = own_mysql(flavour, &Options::default());
    let data = server.directory().join("data");
    // Each table is a file in the directory of its database.
    full(server, async |base: &Base| Disk::small(&data.join(base.mysql().name()))).await;
}

#[tokio::test]
async fn a_full_disk_of_mysql_is_said_and_nothing_is_left() {
    on(Flavour::Mysql).await;
}

#[tokio::test]
async fn a_full_disk_of_mariadb_is_said_and_nothing_is_left() {
    on(Flavour::Mariadb).await;
}
