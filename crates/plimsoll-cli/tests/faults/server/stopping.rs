//! A server that is stopped in the middle of a migration, in good order or as if it had been killed.

use plimsoll_testkit::server::{Flavour, Options, Stop};

use crate::network::{Phase, migrations};
use crate::scene::{
    Left, Own, Server, assert_says, deploy, left, own_mysql, own_postgres, project, undisturbed,
};

/// A server that has died like this has left nothing, or everything, of the statement that it was at.
const HOW: [Stop; 2] = [Stop::Fast, Stop::Immediate];

async fn expected<S: Server>(server: &Own<S>, phase: Phase) -> Left {
    undisturbed(server.kind(), &server.empty().await, &migrations(server.kind(), phase)).await
}

/// It is back before the run gives up.
async fn restarted<S: Server>(server: Own<S>) {
    let kind = server.kind();
    for phase in [Phase::Apply, Phase::Parts] {
        let expected = expected(&server, phase).await;
        for how in HOW {
            let base = server.empty().await;
            let migrations = migrations(kind, phase);
            deploy(&project(kind, base.url(), &migrations[..1])).run().expect_code(0);
            let project = project(kind, base.url(), &migrations);
            let gate = phase.gate(&base).await;
            let running = deploy(&project).spawn();
            phase.reached(&base, &running).await;
            server.restart(how);
            let ended = running.wait().expect_code(0);
            assert_says(&ended.stderr, &["connecting again"]);
            deploy(&project).run().expect_code(0);
            assert_eq!(left(&base).await, expected, "{phase:?} {how:?}\n{ended}");
            // It went with the server.
            drop(gate);
        }
    }
}

/// It is back only when the run has given up.
async fn stays_away<S: Server>(server: Own<S>) {
    let (kind, phase) = (server.kind(), Phase::Parts);
    let expected = expected(&server, phase).await;
    let base = server.empty().await;
    let migrations = migrations(kind, phase);
    deploy(&project(kind, base.url(), &migrations[..1])).run().expect_code(0);
    let project = project(kind, base.url(), &migrations);
    let _gate = phase.gate(&base).await;
    let running = deploy(&project).arg("--wait=1s").spawn();
    phase.reached(&base, &running).await;
    server.stop(Stop::Immediate);
    assert_says(&running.wait().expect_code(69).stderr, &["connecting again", "P1001"]);
    server.start_again();
    deploy(&project).run().expect_code(0);
    assert_eq!(left(&base).await, expected);
}

#[tokio::test]
async fn a_postgresql_that_restarts_gets_each_migration_once() {
    restarted(own_postgres(&Options::default())).await;
}

#[tokio::test]
async fn a_mysql_that_restarts_gets_each_migration_once() {
    restarted(own_mysql(Flavour::Mysql, &Options::default())).await;
}

#[tokio::test]
async fn a_mariadb_that_restarts_gets_each_migration_once() {
    restarted(own_mysql(Flavour::Mariadb, &Options::default())).await;
}

#[tokio::test]
async fn a_server_that_stays_away_is_said_and_the_next_start_carries_on() {
    stays_away(own_postgres(&Options::default())).await;
    stays_away(own_mysql(Flavour::Mysql, &Options::default())).await;
    stays_away(own_mysql(Flavour::Mariadb, &Options::default())).await;
}
