//! What a runner that takes no lock records, on a server that is quiet but for it: each way to come between is another one in which
//! the numbers of transactions could hide it.

use plimsoll_core::{Provider, Script};
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::Database;
use plimsoll_testkit::program::{Program, Running};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Options, PostgresServer, Version};
use tokio_postgres::Client;

use crate::scene::until_true;

/// One of which nobody else writes, nor the server itself.
fn quiet_server() -> PostgresServer {
    PostgresServer::start(
        Version::V18,
        &Options::default().setting("autovacuum", "off").setting("max_prepared_transactions", "5"),
    )
}

/// So many migrations, each with a table of its own; the third changes `first`, too.
fn project(database: &Database<'_>, number: usize) -> Project {
    let project = Project::new(Provider::Postgresql).env_url(database.url());
    for n in 1..=number {
        project.set_migration(&format!("{n:02}_t"), &script(n));
    }
    project
}

fn script(n: usize) -> String {
    let alters = if n == 3 { "ALTER TABLE side.first ADD COLUMN m INTEGER;" } else { "" };
    format!("CREATE TABLE t{n} (n INTEGER);{alters}")
}

fn deploy(project: &Project) -> Program {
    plimsoll(project).args(["deploy", "--lock-timeout=0"])
}

/// How often all of the history has been read.
async fn searches(database: &Database<'_>) -> i64 {
    let query = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = '_prisma_migrations'";
    database.value(query).await.parse().expect("it is a number")
}

#[tokio::test]
async fn the_history_is_searched_before_each_only_where_somebody_else_writes() {
    let server = quiet_server();
    for others_write in [false, true] {
        let database = server.database().await;
        database
            .execute(
                "CREATE SCHEMA side; CREATE TABLE side.first (n INTEGER); CREATE TABLE side.log (n INTEGER)",
            )
            .await;
        let writer = database.connect().await;
        if others_write {
            writer.batch_execute("BEGIN; INSERT INTO side.log VALUES (1)").await.expect("the table is there");
        }
        deploy(&project(&database, 40)).run().expect_code(0);
        let searches = searches(&database).await;
        assert_eq!(searches >= 40, others_write, "{searches} with others: {others_write}");
    }
}

/// Somebody without the lock, who records the fifth.
struct Other<'a> {
    /// What he says before the run begins, and while the third waits.
    says: [&'a str; 2],
}

#[tokio::test]
async fn what_somebody_else_records_is_seen_whenever_and_however_he_began() {
    let server = quiet_server();
    for says in [
        ["", "RECORD"],
        ["BEGIN", "RECORD;COMMIT"],
        ["BEGIN;INSERT INTO side.log VALUES (1)", "RECORD;COMMIT"],
        ["BEGIN;RECORD", "COMMIT"],
        ["BEGIN;SAVEPOINT a;RECORD;RELEASE a", "COMMIT"],
        ["", "BEGIN;SAVEPOINT a;INSERT INTO side.log VALUES (1);ROLLBACK TO a;RECORD;COMMIT"],
        ["BEGIN;RECORD;PREPARE TRANSACTION 'p'", "COMMIT PREPARED 'p'"],
        ["BEGIN ISOLATION LEVEL SERIALIZABLE;SELECT count(*) FROM side.log", "RECORD;COMMIT"],
    ] {
        comes_between(&server, &Other { says }).await;
    }
}

async fn comes_between(server: &PostgresServer, other: &Other<'_>) {
    let database = server.database().await;
    database
        .execute("CREATE SCHEMA side; CREATE TABLE side.first (n INTEGER); CREATE TABLE side.log (n INTEGER)")
        .await;
    deploy(&project(&database, 1)).run().expect_code(0);
    let project = project(&database, 12);
    let record = format!(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count) \
         VALUES ('theirs', '{}', '05_t', now(), now(), 1)",
        Script::new(script(5)).checksum()
    );
    let [before, meanwhile] = other.says.map(|says| says.replace("RECORD", &record));
    let theirs = database.connect().await;
    theirs.batch_execute(&before).await.expect(&before);
    let (holder, running) = waiting(&database, &project).await;
    theirs.batch_execute(&meanwhile).await.expect(&meanwhile);
    holder.batch_execute("COMMIT").await.expect("it is in a transaction");
    running.wait().expect_code(0);
    assert_eq!(database.value("SELECT to_regclass('t5') IS NULL").await, "t", "{:?}", other.says);
    assert_eq!(database.history().await.len(), 12, "{:?}", other.says);
}

/// A run whose third migration waits for somebody who has no number, and all that follow are on the way.
async fn waiting(database: &Database<'_>, project: &Project) -> (Client, Running) {
    let holder = database.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE side.first IN SHARE MODE").await.expect("the table is there");
    let running = deploy(project).spawn();
    until_true(
        database,
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'side.first'::regclass",
    )
    .await;
    (holder, running)
}
