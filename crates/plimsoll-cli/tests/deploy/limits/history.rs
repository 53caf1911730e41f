//! A history that cannot be created yet.

use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::{Program, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options, Version};
use plimsoll_testkit::wait::until_async;

use crate::scene::{Kind, Scene, assert_says, until_true};

const INIT: &str = "CREATE TABLE ship (n INT);\n";

const VERBS: [&[&str]; 2] = [&["deploy"], &["resolve", "--applied", "1_init"]];

/// Runs into whoever holds what the history needs, once without time and once with; `free` lets go of it.
async fn waits<F: Future<Output = ()>>(command: impl Fn(&str) -> Program, free: impl FnOnce() -> F) {
    let impatient = command("--lock-wait=0").spawn();
    let ended = tokio::task::spawn_blocking(move || impatient.wait()).await.expect("it ends");
    assert_says(&ended.expect_code(75).stderr, &["PLM211"]);
    let running = command("--lock-wait=1m").spawn();
    let running = tokio::task::spawn_blocking(move || {
        running.wait_for_stderr("waiting for");
        running
    });
    let running = running.await.expect("it says so");
    free().await;
    tokio::task::spawn_blocking(move || running.wait()).await.expect("it ends").expect_code(0);
}

/// Somebody is about to create the same table, and the role waits for that as long as it takes.
#[tokio::test]
async fn a_history_that_cannot_be_created_yet_is_waited_for_on_postgresql() {
    let [deploys, resolves] = VERBS.map(async |verb| {
        let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
        let other = scene.postgres().connect().await;
        other.batch_execute(CREATE).await.expect("nobody else has it");
        let free = async || other.batch_execute("ROLLBACK").await.expect("it is ours");
        waits(|wait| scene.command(verb).arg(wait), free).await;
        assert_eq!(scene.applied().await, ["1_init"], "{verb:?}");
    });
    tokio::join!(deploys, resolves);
}

const CREATE: &str = "BEGIN; CREATE TABLE _prisma_migrations (id TEXT)";

/// Whoever stops has to know that nothing was lost, and nobody goes on at the server.
#[tokio::test]
async fn the_creation_of_a_history_is_cancelled_with_its_run() {
    const WAITS: &str = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                         AND wait_event_type = 'Lock' AND query LIKE '%CREATE TABLE%'";
    for verb in VERBS {
        let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
        let other = scene.postgres().connect().await;
        other.batch_execute(CREATE).await.expect("nobody else has it");
        let mut running = scene.command(verb).spawn();
        until_true(scene.postgres(), WAITS).await;
        running.signal(Signal::TERM);
        let ended = running.wait().expect_code(143);
        assert_says(&ended.stderr, &["PLM301", "interrupted while nothing was being applied"]);
        assert_eq!(scene.base.value(WAITS).await, "f", "it goes on without anybody: {verb:?}");
        if *verb == ["deploy"] {
            let ended = scene.run(&["deploy", "--timeout=1s"]).expect_code(75);
            assert_says(&ended.stderr, &["PLM309", "is over while nothing was being applied"]);
        }
        other.batch_execute("ROLLBACK").await.expect("it is ours");
        let find = "SELECT to_regclass('_prisma_migrations') IS NULL";
        assert_eq!(scene.base.value(find).await, "t", "{verb:?}");
    }
}

/// A backup keeps the tables as they are, and somebody has said that an hour of it is waited for.
#[tokio::test]
async fn a_history_that_cannot_be_created_yet_is_waited_for_on_mysql_and_mariadb() {
    const WAITS: &str = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'CREATE TABLE%'";
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default().setting("lock-wait-timeout", "3600"));
        let database = server.database().await;
        let seen = format!("{INIT}CREATE TABLE seen AS SELECT @@SESSION.lock_wait_timeout AS seconds;\n");
        let project = Project::new(Provider::Mysql).env_url(database.url()).migration("1_init", &seen);
        let mut backup = database.connect().await;
        let (lock, unlock) = match flavour {
            Flavour::Mysql => ("LOCK INSTANCE FOR BACKUP".to_owned(), "UNLOCK INSTANCE"),
            _ => (format!("BACKUP LOCK {}._prisma_migrations", database.name()), "BACKUP UNLOCK"),
        };
        backup.query_drop(lock).await.expect("nobody else has it");
        let mut running = plimsoll(&project).arg("deploy").spawn();
        until_async("it is about to create it", async || database.value(WAITS).await != "0").await;
        running.signal(Signal::TERM);
        let ended = running.wait().expect_code(143);
        assert_says(&ended.stderr, &["PLM301", "interrupted while nothing was being applied"]);

        let free = async || backup.query_drop(unlock).await.expect("it is ours");
        waits(|wait| plimsoll(&project).args(["deploy", wait]), free).await;
        assert_eq!(database.value("SELECT seconds FROM seen").await, "3600", "a script has what it had");
    }
}
