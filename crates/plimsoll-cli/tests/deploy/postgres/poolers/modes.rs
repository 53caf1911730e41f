//! Every mode of PgBouncer, with and without `pgbouncer=true`.

use plimsoll_testkit::server::PoolMode;
use plimsoll_testkit::wait::until_async;

use super::{Pooled, Says};
use crate::scene::assert_says;

/// Three migrations, of which one changes its session.
async fn three(mode: PoolMode) -> Pooled {
    let pooled = Pooled::new(mode).await;
    pooled
        .migration("1_init", "CREATE TABLE ship (id INT PRIMARY KEY, name TEXT);")
        .migration(
            "2_dump",
            "SET search_path = ''; SET lock_timeout = '9s'; CREATE TABLE public.port (name TEXT);",
        )
        .migration("3_rows", "INSERT INTO ship VALUES (1, 'Ark');")
}

const CONCURRENTLY: &str = "CREATE TABLE cargo (a INT);\nCREATE INDEX CONCURRENTLY cargo_a ON cargo (a);";

#[tokio::test]
async fn migrations_are_applied_once_wherever_there_are_transactions() {
    for mode in [PoolMode::Session, PoolMode::Transaction] {
        for says in Says::ALL {
            let pooled = three(mode).await;
            pooled.run(says, &["status"]).expect_code(1);
            pooled.run(says, &["plan"]).expect_code(0);
            pooled.run(says, &["deploy"]).expect_code(0);
            assert_eq!(pooled.scene.applied().await, ["1_init", "2_dump", "3_rows"], "{mode:?} {says:?}");
            assert_eq!(pooled.locks().await, "0", "{mode:?} {says:?}");
            assert_eq!(pooled.run(says, &["deploy"]).expect_code(0).stdout, "up to date\n");
            pooled.run(says, &["status"]).expect_code(0);
            pooled.run(says, &["wait"]).expect_code(0);
            assert_eq!(pooled.locks().await, "0", "{mode:?} {says:?}");
        }
    }
}

#[tokio::test]
async fn a_pooler_in_statement_mode_is_refused_before_anything_is_done() {
    for says in Says::ALL {
        let pooled = three(PoolMode::Statement).await;
        let refused = pooled.run(says, &["deploy"]).expect_code(78);
        assert_says(
            &refused.stderr,
            &["PLM231", "takes no transactions", "directUrl", "--url", "nothing was applied"],
        );
        let refused = pooled.run(says, &["resolve", "--applied", "1_init"]).expect_code(78);
        assert_says(&refused.stderr, &["PLM231"]);
        assert_eq!(
            pooled.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace").await,
            "0"
        );
        assert_eq!(pooled.locks().await, "0");
        pooled.run(says, &["status"]).expect_code(1);
        pooled.run(says, &["plan"]).expect_code(0);

        pooled.scene.deployed();
        pooled.run(says, &["wait"]).expect_code(0);
        pooled.run(says, &["status"]).expect_code(0);
        assert_eq!(pooled.run(says, &["deploy"]).expect_code(0).stdout, "up to date\n");
    }
}

#[tokio::test]
async fn a_script_with_concurrently_runs_where_the_connection_is_kept_and_is_refused_where_it_is_shared() {
    for says in Says::ALL {
        let kept = three(PoolMode::Session).await.migration("4_index", CONCURRENTLY);
        kept.run(says, &["deploy"]).expect_code(0);
        assert_eq!(
            kept.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'cargo_a'::regclass").await,
            "t"
        );
        assert_eq!(kept.locks().await, "0", "{says:?}");

        let shared = three(PoolMode::Transaction).await.migration("4_index", CONCURRENTLY);
        let refused = shared.run(says, &["deploy"]).expect_code(78);
        assert_says(
            &refused.stderr,
            &[
                "PLM230",
                "`4_index`",
                "CREATE INDEX CONCURRENTLY",
                "directUrl",
                "pool_mode = session",
                "nothing was applied",
            ],
        );
        assert_eq!(shared.value("SELECT to_regclass('ship') IS NULL").await, "t");
        assert_eq!(shared.locks().await, "0", "{says:?}");
    }
}

/// A rolling deploy is when pools are full.
#[tokio::test]
async fn a_full_pool_in_session_mode_is_waited_for_and_not_taken_for_a_shared_one() {
    let pooled = Pooled::with(PoolMode::Session, &[("default_pool_size", "2")]).await;
    let pooled = pooled.migration("1_index", CONCURRENTLY);
    let other = pooled.pooler.client(pooled.scene.postgres()).await;
    other.batch_execute("SELECT 1").await.expect("it gets the first of two connections");
    let over = pooled.run(Says::Nothing, &["deploy", "--wait=1s"]).expect_code(69);
    assert_says(&over.stderr, &["P1001", "no second connection", "nothing was applied"]);
    let mut running = pooled.command(Says::Nothing, &["deploy"]).spawn();
    until_async("the runner asks for a second connection", async || {
        pooled
            .value("SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'plimsoll%'")
            .await
            == "t"
    })
    .await;
    drop(other);
    // Our runtime says good-bye for the other one meanwhile.
    until_async("the runner ends", async || running.has_ended()).await;
    running.wait().expect_code(0);
    assert_eq!((pooled.scene.applied().await.len(), pooled.locks().await.as_str()), (1, "0"));
}

#[tokio::test]
async fn a_script_that_fails_leaves_nothing_but_its_record() {
    for mode in [PoolMode::Session, PoolMode::Transaction] {
        for says in Says::ALL {
            let pooled = three(mode).await.migration("4_fails", "CREATE TABLE half (a INT);\nSELECT nope;");
            let failed = pooled.run(says, &["deploy"]).expect_code(65);
            assert_says(&failed.stderr, &["P3018", "4_fails", "nope", "migration.sql:2:8"]);
            assert_eq!(pooled.scene.applied().await, ["1_init", "2_dump", "3_rows"]);
            assert_eq!(pooled.value("SELECT to_regclass('half') IS NULL").await, "t");
            let recorded = "SELECT count(*) FROM _prisma_migrations WHERE migration_name = '4_fails' \
                            AND rolled_back_at IS NOT NULL AND logs LIKE '%nope%'";
            assert_eq!(pooled.value(recorded).await, "1", "{mode:?} {says:?}");
            assert_eq!(pooled.locks().await, "0", "{mode:?} {says:?}");
            pooled.project().set_migration("4_fails", "CREATE TABLE whole (a INT);");
            pooled.run(says, &["deploy"]).expect_code(0);
        }
    }
}

/// While a runner waits for the lock, a row of the history goes: then there is more to do than the lock was tried for.
#[tokio::test]
async fn a_plan_made_anew_that_needs_its_own_connection_gets_it_where_there_is_one() {
    let pooled = Pooled::new(PoolMode::Session).await.migration("1_index", CONCURRENTLY);
    pooled.scene.deployed();
    let pooled = pooled.migration("2_rows", "CREATE TABLE ship (id INT);");
    let holder = pooled.scene.postgres().connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("nobody else has it");
    let run = pooled.command(Says::Nothing, &["deploy"]).spawn();
    run.wait_for_stderr("waiting for");
    holder
        .batch_execute(
            "DELETE FROM _prisma_migrations; DROP TABLE cargo; SELECT pg_advisory_unlock(72707369)",
        )
        .await
        .expect("nobody else is at work");
    run.wait().expect_code(0);
    assert_eq!(pooled.scene.applied().await, ["1_index", "2_rows"]);
    assert_eq!(pooled.locks().await, "0");
}
