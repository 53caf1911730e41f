//! A server that is not there yet: recovering, or a standby that is promoted while it is waited for.

use plimsoll_testkit::server::{Options, Stop};

use crate::scene::{INIT, ONE, POSTGRES, assert_says, deploy, own_postgres, project};

/// It takes connections and refuses them with "starting up" for as long as it recovers.
#[tokio::test]
async fn a_server_that_recovers_for_long_is_waited_for() {
    // What it asks for the next piece of its log lets it go on when a file is there.
    let gate = tempfile::tempdir().expect("there is a place for temporary files");
    let recovered = gate.path().join("recovered");
    let ask = format!("until test -f '{}'; do sleep 0.02; done; false", recovered.display());
    open_to_all(gate.path());
    let server = own_postgres(&Options::default().setting("restore_command", &ask));
    let database = server.database().await;
    let project = project(POSTGRES, database.url(), &[("1_init", INIT), ("2_one", ONE)]);
    server.stop(Stop::Immediate);
    server.begin_to_recover();
    let over = deploy(&project).arg("--wait=1s").run().expect_code(69);
    assert_says(&over.stderr, &["P1001", "accepts no connections yet", "57P03"]);
    let running = deploy(&project).spawn();
    running.wait_for_stderr("waiting for up to 60 s");
    std::fs::write(&recovered, "").expect("the directory is ours");
    running.wait().expect_code(0);
    assert_eq!(database.value("SELECT n FROM counter").await, "1");
    assert_eq!(database.history().await.len(), 2);
}

fn open_to_all(directory: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))
        .expect("the directory is ours");
}

#[tokio::test]
async fn a_standby_that_is_promoted_during_the_wait_gets_its_migrations() {
    let server = own_postgres(&Options::default());
    let database = server.database().await;
    let project = project(POSTGRES, database.url(), &[("1_init", INIT), ("2_one", ONE)]);
    server.restart_as_standby();
    let running = deploy(&project).arg("--verbose").spawn();
    running.wait_for_stderr("connecting, try 1");
    database.value("SELECT pg_promote()").await;
    running.wait().expect_code(0);
    assert_eq!(database.value("SELECT n FROM counter").await, "1");
    assert_eq!(database.history().await.len(), 2);
}
