//! More runners at once than a server takes connections, and many that have an index to build concurrently.

use std::collections::HashMap;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use plimsoll_testkit::base::Kind;
use plimsoll_testkit::program::Running;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options, PostgresServer, Role, Version};
use plimsoll_testkit::transcript::Transcript;
use plimsoll_testkit::wait::{moment, until, until_async};

use crate::scene::{INIT, ONE, deploy, project};

/// Much longer than it takes, so that a slow machine is no failure.
const LIMIT: Duration = Duration::from_mins(3);

/// Starts so many runners.
fn start(project: &Project, runners: usize) -> Vec<Running> {
    (0..runners).map(|_| deploy(project).arg("--wait=2m").within(LIMIT).spawn()).collect()
}

/// Returns when all have ended well.
fn all_succeed(runners: Vec<Running>) -> Vec<Transcript> {
    runners.into_iter().map(|runner| runner.wait().expect_code(0)).collect()
}

/// Each migration is reported once: by the one who applied it.
fn assert_applied_once(ended: &[Transcript], migrations: usize) {
    let lines = ended.iter().flat_map(|runner| runner.stderr.lines());
    assert_eq!(lines.filter(|line| line.starts_with("applied ")).count(), migrations);
}

/// The one who applies is held up until somebody was turned away.
#[tokio::test]
async fn a_hundred_and_fifty_runners_share_a_hundred_connections_of_postgresql() {
    let server = PostgresServer::start(Version::V15, &Options::default().setting("max_connections", "100"));
    let database = server.database().await;
    // The superuser has connections of its own, and SCRAM costs more time than all the rest.
    database.execute("GRANT ALL ON SCHEMA public TO PUBLIC").await;
    let url = database.address().role(Role::Md5).url();
    let held = "UPDATE counter SET n = n + 1;\nSELECT pg_advisory_xact_lock(4711);";
    let scripts = [("1_init", INIT), ("2_one", ONE), ("3_held", held)];
    let project = project(Kind::Postgres(Version::V15), url, &scripts);
    let gate = database.connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    let runners = start(&project, 150);
    until("the server is full", || {
        server.log().contains("too many clients") || server.log().contains("connection slots")
    });
    gate.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("it is ours");
    assert_applied_once(&all_succeed(runners), scripts.len());
    assert_eq!(database.value("SELECT n FROM counter").await, "2");
    assert_eq!(database.history().await.len(), scripts.len());
}

async fn more_runners_than_connections(flavour: Flavour) {
    let server = MysqlServer::start(flavour, &Options::default().setting("max-connections", "20"));
    let database = server.database().await;
    let project = project(Kind::Mysql(flavour), database.url(), &[("1_init", INIT)]);
    deploy(&project).run().expect_code(0);
    let gate = database.reading("counter").await;
    // Made before there is no room for it.
    let ours = tokio::sync::Mutex::new(database.connect().await);
    project.set_migration("2_one", ONE);
    project.set_migration("3_held", "ALTER TABLE counter ADD COLUMN m INTEGER;");
    let runners = start(&project, 40);
    let refused =
        "SHOW GLOBAL STATUS WHERE Variable_name = 'Connection_errors_max_connections' AND Value > 0";
    until_async("the server is full", async || {
        let found = ours.lock().await.query_first::<mysql_async::Row, _>(refused).await;
        found.expect("the server runs").is_some()
    })
    .await;
    gate.release().await;
    assert_applied_once(&all_succeed(runners), 2);
    assert_eq!(database.value("SELECT n FROM counter").await, "1");
    assert_eq!(database.history().await.len(), 3);
}

#[tokio::test]
async fn forty_runners_share_twenty_connections_of_mysql() {
    more_runners_than_connections(Flavour::Mysql).await;
}

#[tokio::test]
async fn forty_runners_share_twenty_connections_of_mariadb() {
    more_runners_than_connections(Flavour::Mariadb).await;
}

/// Whoever waits has one connection, and nothing in it that the build would have to wait for.
#[tokio::test]
async fn fifty_runners_with_an_index_that_is_built_concurrently_have_a_connection_each() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    let index = "CREATE INDEX CONCURRENTLY counter_n ON counter (n);";
    let scripts = [
        ("1_init", INIT),
        ("2_index", index),
        ("3_one", ONE),
        ("4_drop", "DROP INDEX CONCURRENTLY counter_n;"),
        ("5_index", index),
    ];
    let project = project(Kind::Postgres(Version::V15), database.address().role(Role::Md5).url(), &scripts);
    database.execute("GRANT ALL ON SCHEMA public TO PUBLIC").await;
    let ours = database.connect().await;
    let runners = tokio::task::spawn_blocking(move || all_succeed(start(&project, 50)));
    let mut most: HashMap<String, i64> = HashMap::new();
    let count = "SELECT application_name, count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name LIKE 'plimsoll %' \
                 AND application_name NOT LIKE '% watching' GROUP BY 1";
    while !runners.is_finished() {
        for row in ours.query(count, &[]).await.expect("the server runs") {
            let most = most.entry(row.get(0)).or_default();
            *most = (*most).max(row.get(1));
        }
        moment(Duration::from_millis(5)).await;
    }
    let ended = runners.await.expect("all succeed");
    assert_applied_once(&ended, scripts.len());
    assert!(most.len() > 10, "only {} of them were seen", most.len());
    assert!(most.values().all(|&connections| connections == 1), "{most:?}");
    let indexes =
        "SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 'counter'::regclass";
    assert_eq!(database.query(indexes).await, [[Some("counter_n".to_owned()), Some("t".to_owned())]]);
    assert_eq!(database.value("SELECT n FROM counter").await, "1");
    assert_eq!(database.history().await.len(), scripts.len());
}
