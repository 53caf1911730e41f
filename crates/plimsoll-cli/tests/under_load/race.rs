//! Many runners at once: all succeed, and each migration is applied by one of them.

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::program::Running;

use crate::story::{MARIADB, MYSQL, POSTGRES, deploy, outcome, story, undisturbed, whole};

const RUNNERS: usize = 8;

async fn eight_at_once(kind: Kind, base: Base) {
    let project = whole(kind, &base);
    let running: Vec<Running> = (0..RUNNERS).map(|_| deploy(&project).spawn()).collect();
    let ended: Vec<_> = running.into_iter().map(|runner| runner.wait().expect_code(0)).collect();
    assert_eq!(outcome(&base).await, undisturbed(kind).await);
    let applied =
        ended.iter().flat_map(|runner| runner.stderr.lines()).filter(|line| line.starts_with("applied "));
    assert_eq!(applied.count(), story(kind).len(), "each is reported by the one who applied it");
}

#[tokio::test]
async fn eight_runners_share_an_empty_postgresql_database() {
    eight_at_once(POSTGRES, POSTGRES.empty().await).await;
}

#[tokio::test]
async fn eight_runners_share_a_missing_postgresql_database() {
    eight_at_once(POSTGRES, POSTGRES.missing()).await;
}

#[tokio::test]
async fn eight_runners_share_an_empty_sqlite_file() {
    eight_at_once(Kind::Sqlite, Kind::Sqlite.empty().await).await;
}

#[tokio::test]
async fn eight_runners_share_a_missing_sqlite_file() {
    eight_at_once(Kind::Sqlite, Kind::Sqlite.missing()).await;
}

#[tokio::test]
async fn eight_runners_share_an_empty_mysql_database() {
    eight_at_once(MYSQL, MYSQL.empty().await).await;
}

#[tokio::test]
async fn eight_runners_share_a_missing_mysql_database() {
    eight_at_once(MYSQL, MYSQL.missing()).await;
}

#[tokio::test]
async fn eight_runners_share_an_empty_mariadb_database() {
    eight_at_once(MARIADB, MARIADB.empty().await).await;
}

#[tokio::test]
async fn eight_runners_share_a_missing_mariadb_database() {
    eight_at_once(MARIADB, MARIADB.missing()).await;
}
