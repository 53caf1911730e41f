//! A clock that is wrong, or goes backwards while a runner is at work.

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::server::{Flavour, Version};

use crate::scene::{INIT, ONE, assert_says, deploy, project};

/// What stands between a program and the clock, as Debian installs it. Durations are not touched: the kernel's clock for those
/// cannot go backwards.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

fn under_another_clock(program: Program) -> Program {
    assert!(std::path::Path::new(LIBRARY).exists(), "faketime is not installed: run `cargo xtask setup`");
    program.env("LD_PRELOAD", LIBRARY).env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_NO_CACHE", "1")
}

/// A program whose clock stands at an instant, or is off by a duration, such as `-1d`.
pub(super) fn at(clock: &str, program: Program) -> Program {
    under_another_clock(program).env("FAKETIME", clock)
}

/// The order of a history must not come from clocks that disagree.
#[tokio::test]
async fn a_clock_that_is_a_day_back_changes_nothing_of_what_is_done() {
    for kind in [
        Kind::Postgres(Version::V15),
        Kind::Mysql(Flavour::Mysql),
        Kind::Mysql(Flavour::Mariadb),
        Kind::Sqlite,
    ] {
        let base = kind.missing();
        let project = project(kind, base.url(), &[("1_init", INIT)]);
        deploy(&project).run().expect_code(0);
        project.set_migration("2_one", ONE);
        at("-1d", deploy(&project)).run().expect_code(0);
        project.set_migration("3_bad", "SELECT nope FROM nowhere;");
        at("-2d", deploy(&project)).run().expect_code(65);
        project.set_migration("3_bad", ONE);
        deploy(&project).run().expect_code(0);
        for clock in ["-10y", "+10y", "1970-01-01 00:00:01"] {
            assert_eq!(at(clock, deploy(&project)).run().expect_code(0).stdout, "up to date\n", "{kind:?}");
        }
        assert_eq!(base.value("SELECT n FROM counter").await, "2", "{kind:?}");
        let applied =
            base.value("SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL").await;
        assert_eq!(applied, "3", "{kind:?}");
    }
}

/// Times in a history on a server are the server's, whatever the runner's clock says.
#[tokio::test]
async fn the_history_has_the_times_of_its_server() {
    for (kind, age) in [
        (Kind::Postgres(Version::V15), "abs(extract(epoch FROM now() - started_at))"),
        (Kind::Mysql(Flavour::Mysql), "abs(timestampdiff(SECOND, started_at, utc_timestamp()))"),
    ] {
        let base = kind.missing();
        let project = project(kind, base.url(), &[("1_init", INIT)]);
        at("-1d", deploy(&project)).run().expect_code(0);
        let query = format!("SELECT count(*) FROM _prisma_migrations WHERE {age} < 600");
        assert_eq!(base.value(&query).await, "1", "{kind:?}");
    }
}

/// Waiting is measured by a clock that cannot be set: it ends neither at once nor never.
#[test]
fn a_clock_that_goes_back_while_a_database_is_waited_for_does_not_make_it_longer() {
    let url = "postgresql://u@127.0.0.1:9/d".to_owned();
    let project = project(Kind::Postgres(Version::V15), url, &[("1_init", INIT)]);
    project.write("clock", "+0");
    let program = deploy(&project).args(["--wait=3s", "--verbose"]);
    let running = under_another_clock(program).env("FAKETIME_TIMESTAMP_FILE", project.join("clock")).spawn();
    running.wait_for_stderr("waiting for up to");
    project.write("clock", "-1d");
    let ended = running.wait().expect_code(69);
    assert_says(&ended.stderr, &["P1001"]);
    let took = ended.elapsed.as_secs_f64();
    assert!((3.0..10.0).contains(&took), "it took {took} s");
}
