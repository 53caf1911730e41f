//! An application never stops reading and writing its table while a migration waits for somebody who has read it: how long does
//! the application stand still?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use plimsoll_testkit::server::{Flavour, Version};
use plimsoll_testkit::wait::{moment, until_async};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::scene::{Base, Kind, Scene};

/// For how long somebody has a transaction open that has read the table. Without a limit everybody waits for all of it.
const HELD: Duration = Duration::from_secs(7);

/// The limit, which MySQL and MariaDB have in whole seconds, and the moment that the migration itself takes. A machine that has much
/// else to do adds to that what it adds to the same work on a table that nobody alters.
const LONGEST: Duration = Duration::from_secs(3);

/// What the application does all the time with a table.
fn work(table: &str) -> [String; 2] {
    [format!("INSERT INTO {table} (n) VALUES (1)"), format!("SELECT COUNT(*) FROM {table}")]
}

/// What the connections of an application have measured.
#[derive(Default)]
struct Measured {
    is_over: AtomicBool,
    /// How often one of them was served.
    served: AtomicU64,
    /// The longest time that one of them had to wait, in milliseconds.
    longest: AtomicU64,
}

impl Measured {
    async fn use_table(&self, table: &str, mut connection: Connection) {
        while !self.is_over.load(Ordering::SeqCst) {
            for statement in work(table) {
                let begun = Instant::now();
                connection.ask(&statement).await;
                let took = u64::try_from(begun.elapsed().as_millis()).expect("it is no year");
                self.longest.fetch_max(took, Ordering::SeqCst);
                self.served.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    fn longest(&self) -> Duration {
        Duration::from_millis(self.longest.load(Ordering::SeqCst))
    }
}

/// A connection to the database, of whatever kind.
enum Connection {
    Postgres(Client),
    Mysql(Conn),
}

impl Connection {
    async fn to(scene: &Scene) -> Self {
        match &scene.base {
            Base::Postgres(database) => Self::Postgres(database.connect().await),
            Base::Mysql(database) => Self::Mysql(database.connect().await),
            Base::Sqlite(_) => panic!("a file has no connections"),
        }
    }

    async fn ask(&mut self, sql: &str) {
        match self {
            Self::Postgres(client) => client.batch_execute(sql).await.expect("the server is there"),
            Self::Mysql(conn) => conn.query_drop(sql).await.expect("the server is there"),
        }
    }
}

/// Two connections that use a table until it is over.
async fn application(scene: &Scene, table: &'static str, measured: &Arc<Measured>) -> Vec<JoinHandle<()>> {
    let mut users = Vec::new();
    for _ in 0..2 {
        let (measured, connection) = (Arc::clone(measured), Connection::to(scene).await);
        users.push(tokio::spawn(async move { measured.use_table(table, connection).await }));
    }
    users
}

/// How much longer the application stood still than another one, whose table is left alone.
async fn longest_pause(scene: Scene) -> Duration {
    let scene = scene.migration("1_init", "CREATE TABLE ship (n INT);\nCREATE TABLE other (n INT);");
    scene.deployed();
    let scene = scene.migration("2_alter", "ALTER TABLE ship ADD COLUMN tonnes INT;\n");
    let (measured, other) = (Arc::new(Measured::default()), Arc::new(Measured::default()));
    let mut users = application(&scene, "ship", &measured).await;
    users.extend(application(&scene, "other", &other).await);
    let mut reader = Connection::to(&scene).await;
    reader.ask("BEGIN; SELECT n FROM ship LIMIT 1").await;
    let begun = Instant::now();
    let running = scene.command(&["deploy", "--lock-timeout=1s"]).spawn();
    let running = tokio::task::spawn_blocking(move || {
        running.wait_for_stderr("is tried again");
        running
    });
    let running = running.await.expect("it is tried again");
    moment(HELD.saturating_sub(begun.elapsed())).await;
    reader.ask("COMMIT").await;
    let ended = tokio::task::spawn_blocking(move || running.wait()).await.expect("it ends");
    ended.expect_code(0);
    let served = measured.served.load(Ordering::SeqCst);
    until_async("the application goes on", async || measured.served.load(Ordering::SeqCst) > served).await;
    for measured in [&measured, &other] {
        measured.is_over.store(true, Ordering::SeqCst);
    }
    for user in users {
        user.await.expect("the application never fails");
    }
    measured.longest().saturating_sub(other.longest())
}

#[tokio::test]
async fn an_application_on_postgresql_stands_still_no_longer_than_the_limit_and_the_migration_take() {
    let paused = longest_pause(Scene::new(Kind::Postgres(Version::V15)).await).await;
    assert!(paused < LONGEST, "it stood still for {paused:?}");
}

#[tokio::test]
async fn an_application_on_mysql_stands_still_no_longer_than_the_limit_and_the_migration_take() {
    let paused = longest_pause(Scene::alone(Kind::Mysql(Flavour::Mysql)).await).await;
    assert!(paused < LONGEST, "it stood still for {paused:?}");
}

#[tokio::test]
async fn an_application_on_mariadb_stands_still_no_longer_than_the_limit_and_the_migration_take() {
    let paused = longest_pause(Scene::alone(Kind::Mysql(Flavour::Mariadb)).await).await;
    assert!(paused < LONGEST, "it stood still for {paused:?}");
}
