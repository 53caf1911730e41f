//! A runner can be killed at every moment: the next one finishes, and nobody can tell afterwards.

use std::time::Duration;

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::wait::moment;

use crate::story::{MARIADB, MYSQL, Outcome, POSTGRES, deploy, outcome, undisturbed, whole};

const KILLS: u32 = 30;

/// The moments are spread over the time that an undisturbed run takes, again and again until there were enough of them
/// before the end.
async fn killed_at_many_moments(kind: Kind) {
    let expected = undisturbed(kind).await;
    let took = duration(kind).await;
    let (mut killed, mut tries) = (0, 0);
    while killed < KILLS {
        assert!(tries < 10 * KILLS, "only {killed} of {tries} runs were killed before they ended");
        let base = if tries % 5 == 0 { kind.missing() } else { kind.empty().await };
        killed += u32::from(kill_after(took * (tries % KILLS) / KILLS, kind, base, &expected).await);
        tries += 1;
    }
}

/// How long a run takes that nobody disturbs, once everything that it needs has been read from the disk before.
async fn duration(kind: Kind) -> Duration {
    let base = kind.empty().await;
    deploy(&whole(kind, &base)).run().expect_code(0).elapsed
}

/// Kills a run, and has the next one finish: true if it was killed before it ended.
async fn kill_after(delay: Duration, kind: Kind, base: Base, expected: &Outcome) -> bool {
    let project = whole(kind, &base);
    let mut running = deploy(&project).spawn();
    moment(delay).await;
    running.kill();
    let killed = running.wait().code().is_none();
    deploy(&project).run().expect_code(0);
    assert_eq!(outcome(&base).await, *expected, "after a kill at {delay:?}");
    killed
}

#[tokio::test]
async fn thirty_kills_on_postgresql_leave_no_trace() {
    killed_at_many_moments(POSTGRES).await;
}

#[tokio::test]
async fn thirty_kills_on_sqlite_leave_no_trace() {
    killed_at_many_moments(Kind::Sqlite).await;
}

#[tokio::test]
async fn thirty_kills_on_mysql_leave_no_trace() {
    killed_at_many_moments(MYSQL).await;
}

#[tokio::test]
async fn thirty_kills_on_mariadb_leave_no_trace() {
    killed_at_many_moments(MARIADB).await;
}
