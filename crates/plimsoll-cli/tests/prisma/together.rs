//! Signals, races and the deadlock of a waiting lock, where Prisma needs a person afterwards and ours does not.

use plimsoll_testkit::program::Signal;

use crate::applying::three_rows;
use crate::expected::{applied, applying, deploying, nothing_to_apply};
use crate::rows;
use plimsoll_testkit::wait::until_true;

use crate::scenario::{Scene, World};
use crate::scripts::THREE;

const SLOW: &str = "20240104000000_slow";
const FOUR: [&str; 4] = [THREE[0], THREE[1], THREE[2], SLOW];

fn slow(seconds: u32) -> String {
    format!(
        "CREATE TABLE \"S1\" (\"id\" INTEGER);\nSELECT pg_sleep({seconds});\nCREATE TABLE \"S2\" (\"id\" INTEGER);\n"
    )
}

/// Returns as soon as the query answers `t`.
async fn until(scene: &Scene, query: &str) {
    until_true(scene.postgres(), query).await;
}

const ASLEEP: &str = "SELECT count(*) > 0 FROM pg_stat_activity \
    WHERE datname = current_database() AND wait_event = 'PgSleep'";

/// Prisma ends with 143, too, but its engine goes on without anybody.
#[tokio::test]
async fn sigterm_leaves_nothing_of_a_migration_behind() {
    let mut scene = Scene::new(World::Six).await;
    scene.with_three().migration(SLOW, &slow(3));
    let mut running = scene.program(&["deploy"]).spawn();
    running.wait_for_stdout(SLOW);
    until(&scene, ASLEEP).await;
    running.signal(Signal::TERM);
    let stdout = deploying(World::Six, 4) + &applying(&FOUR);
    scene.tell(running.wait()).exits(143).prints(&stdout);
    assert_eq!(scene.postgres().value(ASLEEP).await, "f");
    scene.has_rows(&three_rows(World::Six)).await;
    scene.has_tables(&["Post", "User", "_prisma_migrations"]).await;
    let stdout = deploying(World::Six, 4) + &applied(World::Six, &[SLOW]);
    scene.deploy().exits(0).prints(&stdout).quietly();
    insta::assert_snapshot!(scene.story());
}

/// The first of two applies everything; the second waits for it, and with Prisma fails with P1002 after ten seconds.
async fn two_at_once(scene: &mut Scene, seconds: u32) {
    let script = slow(seconds);
    scene.with_three().migration(SLOW, &script);
    let first = scene.program(&["deploy"]).spawn();
    first.wait_for_stdout(SLOW);
    let second = scene.program(&["deploy"]).spawn();
    second.wait_for_stderr("waiting for another runner");
    let stdout = deploying(World::Six, 4) + &applied(World::Six, &FOUR);
    scene.tell(first.wait()).exits(0).prints(&stdout).quietly();
    scene.tell(second.wait()).exits(0).prints(&nothing_to_apply(World::Six, 4));
    let mut expected = three_rows(World::Six);
    expected.push(rows::applied(SLOW, &script));
    scene.has_rows(&expected).await;
}

#[tokio::test]
async fn the_second_of_two_waits_for_longer_than_prisma() {
    let mut scene = Scene::new(World::Six).await;
    two_at_once(&mut scene, 11).await;
    insta::assert_snapshot!(scene.story());
}

#[tokio::test]
async fn the_second_of_two_finds_nothing_to_do() {
    let mut scene = Scene::new(World::Six).await;
    two_at_once(&mut scene, 4).await;
    insta::assert_snapshot!(scene.story());
}

/// A waiter inside `pg_advisory_lock` holds a snapshot that the index waits for; one that tries and sleeps does not.
#[tokio::test]
async fn a_waiter_does_not_deadlock_an_index_that_is_built_concurrently() {
    const INDEX: &str = "CREATE INDEX CONCURRENTLY cic_test ON \"User\"(\"name\");\n";
    const WAITS: &str = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
        AND query LIKE '%cic_test%' AND wait_event_type = 'Lock' AND pid != pg_backend_pid()";
    let mut scene = Scene::new(World::Six).await;
    scene.with_three_applied().migration("20240104000000_cic", INDEX);
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; LOCK TABLE \"User\" IN ROW EXCLUSIVE MODE").await.unwrap();
    let holder = scene.program(&["deploy"]).spawn();
    until(&scene, WAITS).await;
    let waiter = scene.program(&["deploy"]).spawn();
    // By then both have waited for long enough to say so.
    holder.wait_for_stderr("waits for connection");
    waiter.wait_for_stderr("waiting for another runner");
    reader.batch_execute("COMMIT").await.unwrap();
    let stdout = deploying(World::Six, 4) + &applied(World::Six, &["20240104000000_cic"]);
    scene.tell(holder.wait()).exits(0).prints(&stdout);
    scene.tell(waiter.wait()).exits(0).prints(&nothing_to_apply(World::Six, 4));
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'cic_test'::regclass";
    assert_eq!(scene.postgres().value(valid).await, "t");
    insta::assert_snapshot!(scene.story());
}
