//! The session of a run is ended by its server, while another runner waits, and while the run itself stands still.

use plimsoll_testkit::base::Base;
use plimsoll_testkit::program::{Running, Signal};
use plimsoll_testkit::server::{Flavour, Options};
use plimsoll_testkit::wait::{until_async, until_true};

use crate::network::{Phase, migrations};
use crate::scene::{Own, Server, assert_says, deploy, left, own_mysql, own_postgres, project, undisturbed};

/// Ends the session of a run, and returns when the server has let go of its lock.
async fn end_session(base: &Base, running: &Running) {
    if let Base::Postgres(database) = base {
        let pid = running.pid();
        let theirs = format!("application_name LIKE 'plimsoll %/{pid}%' AND datname = current_database()");
        database
            .query(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {theirs}"))
            .await;
        let gone = format!("SELECT count(*) = 0 FROM pg_stat_activity WHERE {theirs}");
        until_true(database, &gone).await;
    } else {
        let holder = base.value("SELECT IS_USED_LOCK('prisma_migrate')").await;
        base.execute(&format!("KILL {holder}")).await;
        let gone = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {holder}");
        until_async(&gone, async || base.value(&gone).await == "0").await;
    }
}

/// Somebody presses a key, the kernel freezes the container, a node hangs: a run that is thawed finds its work done by another one.
async fn frozen<S: Server>(server: Own<S>) {
    let kind = server.kind();
    for phase in [Phase::Apply, Phase::Parts] {
        let migrations = migrations(kind, phase);
        let expected = undisturbed(kind, &server.empty().await, &migrations).await;
        let base = server.empty().await;
        deploy(&project(kind, base.url(), &migrations[..1])).run().expect_code(0);
        let project = project(kind, base.url(), &migrations);
        let gate = phase.gate(&base).await;
        let mut thawed = deploy(&project).spawn();
        phase.reached(&base, &thawed).await;
        thawed.signal(Signal::STOP);
        end_session(&base, &thawed).await;
        gate.open().await;
        let other = deploy(&project).run().expect_code(0);
        assert_says(&other.stdout, &["2 migrations applied"]);
        assert_eq!(left(&base).await, expected, "{phase:?}");
        thawed.signal(Signal::CONT);
        let thawed = thawed.wait().expect_code(0);
        assert_eq!(left(&base).await, expected, "{phase:?}\n{thawed}");
        // The row of a script in parts is its own, whoever has finished it.
        let said = if phase == Phase::Apply { "up to date" } else { "1 migration applied" };
        assert_says(&thawed.stdout, &[said]);
    }
}

#[tokio::test]
async fn a_frozen_holder_on_postgresql_applies_nothing_when_it_is_thawed() {
    frozen(own_postgres(&Options::default())).await;
}

#[tokio::test]
async fn a_frozen_holder_on_mysql_applies_nothing_when_it_is_thawed() {
    frozen(own_mysql(Flavour::Mysql, &Options::default())).await;
}

#[tokio::test]
async fn a_frozen_holder_on_mariadb_applies_nothing_when_it_is_thawed() {
    frozen(own_mysql(Flavour::Mariadb, &Options::default())).await;
}

/// Who has lost its session and who has waited for it both end well, whichever of them is faster.
async fn taken_over<S: Server>(server: Own<S>) {
    let (kind, phase) = (server.kind(), Phase::Parts);
    let migrations = migrations(kind, phase);
    let expected = undisturbed(kind, &server.empty().await, &migrations).await;
    let base = server.empty().await;
    deploy(&project(kind, base.url(), &migrations[..1])).run().expect_code(0);
    let project = project(kind, base.url(), &migrations);
    let gate = phase.gate(&base).await;
    let first = deploy(&project).spawn();
    phase.reached(&base, &first).await;
    let second = deploy(&project).spawn();
    second.wait_for_stderr("waiting for another runner");
    end_session(&base, &first).await;
    gate.open().await;
    let (first, second) = (first.wait().expect_code(0), second.wait().expect_code(0));
    assert_says(&first.stderr, &["connecting again"]);
    assert_eq!(left(&base).await, expected, "{first}\n{second}");
}

#[tokio::test]
async fn a_holder_whose_session_is_ended_is_followed_by_the_one_who_waits() {
    taken_over(own_postgres(&Options::default())).await;
    taken_over(own_mysql(Flavour::Mysql, &Options::default())).await;
    taken_over(own_mysql(Flavour::Mariadb, &Options::default())).await;
}

/// The kernel is out of memory and picks the backend: PostgreSQL ends every other session, too, and recovers.
#[tokio::test]
async fn a_backend_that_is_killed_for_its_memory_is_made_up_for() {
    let server = own_postgres(&Options::default());
    let kind = server.kind();
    let migrations = migrations(kind, Phase::Apply);
    let expected = undisturbed(kind, &server.empty().await, &migrations).await;
    let base = server.empty().await;
    deploy(&project(kind, base.url(), &migrations[..1])).run().expect_code(0);
    let project = project(kind, base.url(), &migrations);
    let _gate = Phase::Apply.gate(&base).await;
    let running = deploy(&project).spawn();
    Phase::Apply.reached(&base, &running).await;
    let backend =
        base.value("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'plimsoll %'").await;
    let killed = std::process::Command::new("kill").args(["-KILL", &backend]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let ended = running.wait().expect_code(0);
    assert_says(&ended.stderr, &["connecting again"]);
    assert_eq!(left(&base).await, expected, "{ended}");
}
