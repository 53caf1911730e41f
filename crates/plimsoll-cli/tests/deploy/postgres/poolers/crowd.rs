//! Several at once, and those who end in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll_testkit::prisma;
use plimsoll_testkit::program::{Running, Signal};
use plimsoll_testkit::server::PoolMode;
use plimsoll_testkit::wait::until_async;

use super::{Pooled, Says};
use crate::scene::{assert_says, say_applied_at_once, until_true};

/// Each leaves a row, so that a second time would be seen.
fn counted(name: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS log (name TEXT); INSERT INTO log VALUES ('{name}'); SELECT pg_sleep(0.1);"
    )
}

async fn crowded(mode: PoolMode) -> Pooled {
    let pooled = Pooled::with(mode, &[("default_pool_size", "2")]).await;
    let names = ["20240101000000_a", "20240102000000_b", "20240103000000_c"];
    names.into_iter().fold(pooled, |pooled, name| pooled.migration(name, &counted(name)))
}

/// An application that never stops using the pool.
async fn busy(pooled: &Pooled, stop: &Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    let client = pooled.pooler.client(pooled.scene.postgres()).await;
    let stop = Arc::clone(stop);
    tokio::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            client.simple_query("SELECT pg_sleep(0.005)").await.expect("the application is served");
        }
    })
}

#[tokio::test]
async fn runners_through_a_busy_pool_and_beside_it_apply_everything_once() {
    let pooled = crowded(PoolMode::Transaction).await;
    let stop = Arc::new(AtomicBool::new(false));
    let applications = [busy(&pooled, &stop).await, busy(&pooled, &stop).await];
    let beside = pooled.scene.command(&["deploy"]).spawn();
    let oracle = prisma::migrate(pooled.project(), &pooled.scene.base.url(), &["deploy"]).spawn();
    let through: Vec<_> =
        Says::ALL.into_iter().cycle().take(4).map(|says| pooled.command(says, &["deploy"]).spawn()).collect();
    // The applications have to go on meanwhile.
    let ended = tokio::task::spawn_blocking(move || {
        through.into_iter().chain([beside, oracle]).map(Running::wait).collect::<Vec<_>>()
    });
    for runner in ended.await.expect("nobody panics") {
        runner.expect_code(0);
    }
    stop.store(true, Ordering::Relaxed);
    for application in applications {
        application.await.expect("it was served to its end");
    }
    assert_eq!(pooled.value("SELECT count(*) || ' ' || count(DISTINCT name) FROM log").await, "3 3");
    assert_eq!(pooled.scene.applied().await.len(), 3);
    assert_eq!(pooled.locks().await, "0");
}

/// Nobody holds the lock between the look that finds no history and the transaction that makes one.
#[tokio::test]
async fn many_runners_on_an_empty_database_make_one_history() {
    for says in Says::ALL {
        let pooled = Pooled::with(PoolMode::Transaction, &[("default_pool_size", "8")]).await;
        let pooled = pooled.migration("20240101000000_a", &counted("20240101000000_a"));
        let runners: Vec<_> = (0..12).map(|_| pooled.command(says, &["deploy"]).spawn()).collect();
        for runner in runners {
            runner.wait().expect_code(0);
        }
        assert_eq!(pooled.value("SELECT count(*) FROM log").await, "1", "{says:?}");
        assert_eq!(pooled.locks().await, "0", "{says:?}");
    }
}

#[tokio::test]
async fn who_holds_the_lock_is_waited_for_and_named() {
    for mode in [PoolMode::Session, PoolMode::Transaction] {
        let pooled = crowded(mode).await;
        let holder = pooled.scene.postgres().connect().await;
        holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("it is free");
        let over = pooled.run(Says::Pooler, &["deploy", "--lock-wait=500ms"]).expect_code(75);
        assert_says(&over.stderr, &["P1002", "an unnamed client"]);
        let waiting = pooled.command(Says::Nothing, &["deploy"]).spawn();
        waiting.wait_for_stderr("waiting for");
        holder.batch_execute("SELECT pg_advisory_unlock(72707369)").await.expect("it is ours");
        waiting.wait().expect_code(0);
        assert_eq!((pooled.scene.applied().await.len(), pooled.locks().await.as_str()), (3, "0"), "{mode:?}");
    }
}

/// A statement that takes a while in the middle of a migration.
const ASLEEP: &str = "SELECT count(*) > 0 FROM pg_stat_activity \
                      WHERE datname = current_database() AND wait_event = 'PgSleep'";

#[tokio::test]
async fn a_runner_killed_in_the_middle_leaves_neither_half_a_migration_nor_a_lock() {
    for mode in [PoolMode::Session, PoolMode::Transaction] {
        for says in Says::ALL {
            let script = "CREATE TABLE half (a INT); SELECT pg_sleep(0.7);";
            let pooled = Pooled::new(mode).await.migration("1_slow", script);
            let mut running = pooled.command(says, &["deploy"]).spawn();
            until_true(pooled.scene.postgres(), ASLEEP).await;
            running.kill();
            running.wait();
            until_async("the lock goes with the connection", async || pooled.locks().await == "0").await;
            // The server may finish the message that it has: then all of it is there.
            let is_there = pooled.value("SELECT to_regclass('half') IS NOT NULL").await == "t";
            assert_eq!(is_there, pooled.scene.applied().await == ["1_slow"], "{mode:?} {says:?}");
            pooled.run(says, &["deploy"]).expect_code(0);
            assert_eq!((pooled.scene.applied().await.len(), pooled.locks().await.as_str()), (1, "0"));
        }
    }
}

#[tokio::test]
async fn a_signal_cancels_the_statement_behind_the_pooler() {
    let modes = [PoolMode::Session, PoolMode::Transaction];
    for (mode, tls) in modes.into_iter().flat_map(|mode| [(mode, "require"), (mode, "disable")]) {
        let script = "CREATE TABLE half (a INT); SELECT pg_sleep(60);";
        let pooled = Pooled::new(mode).await.migration("1_slow", script);
        let address = pooled.scene.postgres().address().port(pooled.pooler.port());
        let deploy = pooled.command(Says::Nothing, &["deploy"]).within(Duration::from_secs(30));
        let mut running = deploy.env("DATABASE_URL", address.parameter("sslmode", tls).url()).spawn();
        until_true(pooled.scene.postgres(), ASLEEP).await;
        running.signal(Signal::TERM);
        assert_says(&running.wait().expect_code(143).stderr, &["PLM301"]);
        assert_eq!(pooled.value(ASLEEP).await, "f", "{mode:?}: the statement goes on without anybody");
        assert_eq!(pooled.locks().await, "0", "{mode:?}");
        assert_eq!(pooled.value("SELECT to_regclass('half') IS NULL").await, "t", "{mode:?}");
    }
}

/// A verdict is written under the lock as well.
#[tokio::test]
async fn resolve_waits_for_the_lock_and_leaves_none() {
    for says in Says::ALL {
        let pooled = crowded(PoolMode::Transaction).await;
        pooled.run(says, &["resolve", "--applied", "20240101000000_a"]).expect_code(0);
        pooled.scene.base.execute("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '20240102000000_b')").await;
        let failed = pooled.run(says, &["deploy"]).expect_code(65);
        assert_says(&failed.stderr, &["P3009"]);
        pooled.run(says, &["resolve", "--rolled-back", "20240102000000_b"]).expect_code(0);
        let holder = pooled.scene.postgres().connect().await;
        holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("it is free");
        let busy = pooled.run(says, &["resolve", "--applied", "20240102000000_b", "--lock-wait=200ms"]);
        assert_says(&busy.expect_code(75).stderr, &["P1002"]);
        holder.batch_execute("SELECT pg_advisory_unlock(72707369)").await.expect("it is ours");
        pooled.run(says, &["deploy"]).expect_code(0);
        assert_eq!(pooled.value("SELECT count(*) || ' ' || count(DISTINCT name) FROM log").await, "2 2");
        assert_eq!(pooled.locks().await, "0");
    }
}

/// Between the look that finds no history and the transaction that makes one the lock is anybody's.
#[tokio::test]
async fn what_several_say_at_once_of_an_empty_database_is_recorded_once() {
    for says in Says::ALL {
        let pooled = Pooled::with(PoolMode::Transaction, &[("default_pool_size", "6")]).await;
        let names = ["1_a", "2_b", "3_c", "4_d"];
        let pooled = names.into_iter().fold(pooled, |pooled, name| pooled.migration(name, "SELECT 1;"));
        say_applied_at_once(&names, |arguments| pooled.command(says, arguments));
        let mut applied = pooled.scene.applied().await;
        applied.sort();
        assert_eq!((applied, pooled.locks().await.as_str()), (names.map(str::to_owned).to_vec(), "0"));
    }
}
