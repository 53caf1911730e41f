//! Waiting for a server that is not up, and for one that accepts no writes yet.

use std::time::Duration;

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, Login, MysqlServer, Options, Stop};

use crate::scene::assert_says;

const INIT: &str = "CREATE TABLE ship (name VARCHAR(191));";

/// What does not wait ends long before this.
const AT_ONCE: Duration = Duration::from_secs(5);

fn project(url: &str) -> Project {
    Project::new(Provider::Mysql).env_url(url).migration("1_init", INIT)
}

#[tokio::test]
async fn a_mysql_or_mariadb_that_is_not_up_is_waited_for() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        let project = project(&database.url());
        server.stop(Stop::Fast);
        let now = plimsoll(&project).args(["deploy", "--wait=0"]).run().expect_code(69);
        assert_says(&now.stderr, &["P1001", &format!("127.0.0.1:{}", server.port())]);
        assert!(now.elapsed < AT_ONCE && !now.stderr.contains("waiting"), "{now}");
        let running = plimsoll(&project).arg("deploy").spawn();
        running.wait_for_stderr("waiting for up to 60 s");
        server.start_again();
        running.wait().expect_code(0);
        assert_eq!(database.history().await.len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_in_short_tries() {
    let server = MysqlServer::start(Flavour::Mariadb, &Options::default());
    let database = server.database().await;
    server.pause();
    let project = project(&database.address().parameter("connect_timeout", "1").url());
    let over = plimsoll(&project).args(["deploy", "--wait=2s"]).within(Duration::from_secs(15)).run();
    assert_says(&over.expect_code(69).stderr, &["P1001"]);
    let running = plimsoll(&project).arg("deploy").within(Duration::from_secs(15)).spawn();
    running.wait_for_stderr("waiting for up to");
    server.resume();
    running.wait().expect_code(0);
}

#[tokio::test]
async fn a_server_that_is_full_is_waited_for() {
    let options = Options::default().setting("max-connections", "10");
    let server = MysqlServer::start(Flavour::Mysql, &options);
    let database = server.database().await;
    let project = project(&database.address().login(Login::Native).url());
    let mut others = Vec::new();
    for _ in 0..10 {
        others.push(database.connect().await);
    }
    let running = plimsoll(&project).arg("deploy").spawn();
    running.wait_for_stderr("waiting for up to 60 s");
    for other in others {
        other.disconnect().await.expect("the server is there");
    }
    running.wait().expect_code(0);
}

/// After a failover the old primary, or the replica that is about to be the new one.
#[tokio::test]
async fn a_server_that_accepts_no_writes_yet_is_waited_for() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        let project = project(&database.address().login(Login::Native).url());
        database.execute("SET GLOBAL read_only = ON").await;
        let ended = plimsoll(&project).args(["deploy", "--wait=0"]).run();
        assert_says(&ended.expect_code(77).stderr, &["PLM207", "1290"]);
        let running = plimsoll(&project).args(["deploy", "--verbose"]).spawn();
        running.wait_for_stderr("connecting, try 1");
        database.execute("SET GLOBAL read_only = OFF").await;
        running.wait().expect_code(0);
        assert_eq!(database.history().await.len(), 1, "{flavour:?}");
    }
}
