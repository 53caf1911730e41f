//! The primary dies in the middle of a migration, and its standby takes its place at the same address.

use plimsoll_testkit::base::Base;
use plimsoll_testkit::server::{Options, PostgresServer, Stop};
use plimsoll_testkit::toxiproxy::Toxiproxy;
use plimsoll_testkit::wait::until_true;

use crate::network::{Phase, migrations};
use crate::scene::{Own, POSTGRES, assert_says, deploy, left, own_postgres, owned, project, undisturbed};

/// A primary with a database, its standby, and the address that leads to one of them.
struct Pair {
    primary: Own<PostgresServer>,
    standby: Own<PostgresServer>,
    address: Toxiproxy,
    base: Base,
    /// The same database on the standby.
    copy: Base,
}

impl Pair {
    async fn new() -> Self {
        // What a standby can have heard of is what the primary has written to its log.
        let primary = own_postgres(&Options::default().setting("synchronous_commit", "local"));
        let base = Base::Postgres(primary.database().await);
        let standby = owned(primary.standby());
        let copy = Base::Postgres(standby.database_called(base.postgres().name()));
        let address = Toxiproxy::start(primary.port());
        Self { primary, standby, address, base, copy }
    }

    /// Returns when the standby has everything that the primary has committed.
    async fn caught_up(&self) {
        let sent = self.base.value("SELECT pg_current_wal_flush_lsn()").await;
        let there = format!("SELECT pg_last_wal_replay_lsn() >= '{sent}'");
        until_true(self.copy.postgres(), &there).await;
    }

    async fn fail_over(&self) {
        self.primary.stop(Stop::Immediate);
        self.standby.resume();
        self.copy.value("SELECT pg_promote()").await;
        self.address.lead_to(self.standby.port());
    }
}

/// Whether the standby hears of the last migrations before the primary dies. Replication is asynchronous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standby {
    KeepsUp,
    FallsBehind,
}

async fn fails_over(how: Standby) {
    let migrations = migrations(POSTGRES, Phase::Apply);
    let expected = undisturbed(POSTGRES, &POSTGRES.empty().await, &migrations).await;
    let pair = Pair::new().await;
    if how == Standby::FallsBehind {
        pair.standby.pause();
    }
    let _gate = Phase::Apply.gate(&pair.base).await;
    let project = project(POSTGRES, pair.base.url_through(pair.address.port()), &migrations);
    let running = deploy(&project).spawn();
    Phase::Apply.reached(&pair.base, &running).await;
    if how == Standby::KeepsUp {
        pair.caught_up().await;
    }
    pair.fail_over().await;
    let ended = running.wait().expect_code(0);
    assert_says(&ended.stderr, &["connecting again"]);
    assert_eq!(left(&pair.copy).await, expected, "{how:?}\n{ended}");
    // Each of them once, whatever the dead primary had heard.
    assert_says(&ended.stdout, &["3 migrations applied"]);
    assert_eq!(deploy(&project).run().expect_code(0).stdout, "up to date\n");
}

#[tokio::test]
async fn a_failover_in_the_middle_of_a_migration_is_made_up_for() {
    fails_over(Standby::KeepsUp).await;
}

#[tokio::test]
async fn a_failover_that_loses_commits_gets_them_again() {
    fails_over(Standby::FallsBehind).await;
}
