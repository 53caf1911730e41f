//! The real Prisma and Plimsoll on one database, one after the other and both at once: nobody can tell afterwards who
//! applied what.

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::prisma;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::wait::until_true;

use crate::story::{Outcome, POSTGRES, deploy, outcome, part, story, undisturbed, whole};

/// What comes of Prisma alone.
async fn by_prisma(kind: Kind) -> Outcome {
    let base = kind.empty().await;
    prisma::deploy(&whole(kind, &base), &base.url()).expect_code(0);
    outcome(&base).await
}

/// One applies the first half, the other the rest.
async fn one_after_the_other(kind: Kind, first: fn(&Project, &Base), second: fn(&Project, &Base)) -> Outcome {
    let base = kind.empty().await;
    let half = story(kind).len() / 2;
    first(&part(kind, half, &base), &base);
    second(&whole(kind, &base), &base);
    outcome(&base).await
}

fn prisma(project: &Project, base: &Base) {
    prisma::deploy(project, &base.url()).expect_code(0);
}

fn plimsoll(project: &Project, _base: &Base) {
    deploy(project).run().expect_code(0);
}

async fn nobody_can_tell_who_was_there(kind: Kind) {
    let expected = by_prisma(kind).await;
    assert_eq!(undisturbed(kind).await, expected, "Plimsoll alone");
    assert_eq!(one_after_the_other(kind, prisma, plimsoll).await, expected, "Prisma, then Plimsoll");
    assert_eq!(one_after_the_other(kind, plimsoll, prisma).await, expected, "Plimsoll, then Prisma");
}

#[tokio::test]
async fn prisma_and_plimsoll_take_turns_on_postgresql() {
    nobody_can_tell_who_was_there(POSTGRES).await;
}

#[tokio::test]
async fn prisma_and_plimsoll_take_turns_on_sqlite() {
    nobody_can_tell_who_was_there(Kind::Sqlite).await;
}

/// Who of the two applies what is left to chance. If Prisma waits while Plimsoll builds an index, the server sees a
/// deadlock and ends one of them: Prisma gives up then, and Plimsoll does not.
#[tokio::test]
async fn prisma_and_plimsoll_run_at_once_on_postgresql() {
    let expected = undisturbed(POSTGRES).await;
    let base = POSTGRES.empty().await;
    let project = whole(POSTGRES, &base);
    let theirs = prisma::migrate(&project, &base.url(), &["deploy"]).spawn();
    // Plimsoll is a hundred times faster: it starts when Prisma has loaded what it needs.
    theirs.wait_for_stdout("migrations found");
    deploy(&project).run().expect_code(0);
    theirs.wait();
    assert_eq!(outcome(&base).await, expected);
}

/// Prisma's own engine keeps the file locked for as long as it runs, and commits each statement by itself. The engine
/// that is installed here holds no lock on SQLite, so that its part is played.
#[tokio::test]
async fn prisma_and_plimsoll_run_at_once_on_sqlite() {
    let expected = undisturbed(Kind::Sqlite).await;
    let base = Kind::Sqlite.empty().await;
    deploy(&part(Kind::Sqlite, 2, &base)).run().expect_code(0);
    let database = base.sqlite();
    let (name, script) = story(Kind::Sqlite)[2];
    let checksum = &expected.history[2].checksum;
    let theirs = database.connect();
    let say = |sql: &str| theirs.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    say("PRAGMA main.locking_mode=EXCLUSIVE;");
    let id = "3f0c5f2e-98a5-4a30-9c58-1f0d6f4f3b0a";
    say(&format!(
        "INSERT INTO _prisma_migrations (id, checksum, started_at, migration_name) \
         VALUES ('{id}', '{checksum}', 4102444800000, '{name}')"
    ));
    let project = whole(Kind::Sqlite, &base);
    let ours = deploy(&project).spawn();
    ours.wait_for_stderr("waiting for another process");
    say(script);
    say(&format!(
        "UPDATE _prisma_migrations SET applied_steps_count = applied_steps_count + 1 WHERE id = '{id}'"
    ));
    say(&format!("UPDATE _prisma_migrations SET finished_at = 4102444800000 WHERE id = '{id}'"));
    drop(theirs);
    ours.wait().expect_code(0);
    assert_eq!(outcome(&base).await, expected);
}

/// Prisma waits for the lock inside a statement, whose snapshot keeps an index from being built. The server ends one of
/// the two: if it is the index, it is built again.
#[tokio::test]
async fn a_prisma_that_waits_for_the_lock_does_not_spoil_an_index() {
    const WAITS: &str = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                         AND wait_event_type = 'Lock' AND query LIKE ";
    let expected = undisturbed(POSTGRES).await;
    let base = POSTGRES.empty().await;
    let database = base.postgres();
    deploy(&part(POSTGRES, 2, &base)).run().expect_code(0);
    let gate = database.connect().await;
    gate.batch_execute("BEGIN; LOCK TABLE ship IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("nobody uses the table");

    let project = whole(POSTGRES, &base);
    let ours = deploy(&project).spawn();
    until_true(database, &format!("{WAITS} '%CREATE INDEX CONCURRENTLY%'")).await;
    let theirs = prisma::migrate(&project, &base.url(), &["deploy"]).spawn();
    until_true(database, &format!("{WAITS} '%pg_advisory_lock(72707369)%'")).await;
    gate.batch_execute("COMMIT").await.expect("the transaction is ours");
    ours.wait().expect_code(0);
    // It has got the lock afterwards, or was chosen as the victim; either is right.
    theirs.wait();
    assert_eq!(outcome(&base).await, expected);
}
