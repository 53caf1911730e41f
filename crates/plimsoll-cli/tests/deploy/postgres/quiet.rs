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
        project.set_migration(&format!("{n:03}_t"), &script(n));
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

/// What the third changes, and what somebody else writes to.
const SIDE: &str =
    "CREATE SCHEMA side; CREATE TABLE side.first (n INTEGER); CREATE TABLE side.log (n INTEGER)";

/// How often all of the history has been read.
async fn searches(database: &Database<'_>) -> i64 {
    let query = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = '_prisma_migrations'";
    database.value(query).await.parse().expect("it is a number")
}

/// How often it is while these are applied, and what else is done while the third waits.
async fn searches_of(server: &PostgresServer, change: impl FnOnce(&Project), meanwhile: &str) -> i64 {
    let database = server.database().await;
    database.execute(SIDE).await;
    let project = project(&database, 280);
    change(&project);
    let (holder, running) = waiting(&database, &project).await;
    database.execute(meanwhile).await;
    holder.batch_execute("COMMIT").await.expect("it is in a transaction");
    running.wait().expect_code(0);
    searches(&database).await
}

#[tokio::test]
async fn the_history_is_searched_for_each_only_while_somebody_else_writes() {
    let server = quiet_server();
    let alone = searches_of(&server, |_| {}, "").await;
    assert!(alone < 10, "{alone}");
    let once = searches_of(&server, |_| {}, "INSERT INTO side.log VALUES (1)").await;
    assert!(
        (230..270).contains(&once),
        "{once}: those that were looked for together before it, and no others"
    );
    let other = server.database().await;
    let writer = other.connect().await;
    writer.batch_execute("BEGIN; CREATE TABLE of_another_database (n INTEGER)").await.expect("it is empty");
    let always = searches_of(&server, |_| {}, "").await;
    assert!(always >= 280, "{always}");
}

/// One is too long to go with others, one does not say what it does. Both take a number, and those behind them know it.
#[tokio::test]
async fn behind_a_migration_that_went_alone_the_history_is_not_searched_for_each() {
    let scripts = |project: &Project| {
        project
            .set_migration("001_t", &format!("CREATE TABLE t1 (n INTEGER);\n-- {}\n", "long ".repeat(2000)));
        project.set_migration("030_t", "DO $$ BEGIN CREATE TABLE t30 (n INTEGER); END $$;");
    };
    let searches = searches_of(&quiet_server(), scripts, "").await;
    assert!(searches < 15, "{searches}");
}

/// Somebody without the lock, who records one of them.
struct Other<'a> {
    /// Which, of how many.
    records: (usize, usize),
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
        comes_between(&server, &Other { records: (20, 30), says }).await;
        // Of those that are not on the way yet.
        comes_between(&server, &Other { records: (265, 280), says }).await;
    }
}

async fn comes_between(server: &PostgresServer, other: &Other<'_>) {
    let database = server.database().await;
    database.execute(SIDE).await;
    deploy(&project(&database, 1)).run().expect_code(0);
    let (theirs, of) = other.records;
    let project = project(&database, of);
    let record = format!(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count) \
         VALUES ('theirs', '{}', '{theirs:03}_t', now(), now(), 1)",
        Script::new(script(theirs)).checksum()
    );
    let [before, meanwhile] = other.says.map(|says| says.replace("RECORD", &record));
    let client = database.connect().await;
    client.batch_execute(&before).await.expect(&before);
    let (holder, running) = waiting(&database, &project).await;
    client.batch_execute(&meanwhile).await.expect(&meanwhile);
    holder.batch_execute("COMMIT").await.expect("it is in a transaction");
    running.wait().expect_code(0);
    let is_left_out = format!("SELECT to_regclass('t{theirs}') IS NULL");
    assert_eq!(database.value(&is_left_out).await, "t", "{:?}", other.says);
    assert_eq!(database.history().await.len(), of, "{:?}", other.says);
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
