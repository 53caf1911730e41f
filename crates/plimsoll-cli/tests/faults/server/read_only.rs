//! A server that answers and accepts no writes: a standby, or a replica.

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::server::{Flavour, Login, MysqlServer, Options, PostgresServer, Version};

use crate::scene::{INIT, ONE, POSTGRES, assert_says, deploy, project};

#[tokio::test]
async fn a_standby_is_waited_for_and_then_said() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    server.restart_as_standby();
    let project = project(POSTGRES, database.url(), &[("1_init", INIT), ("2_one", ONE)]);
    for wait in ["--wait=0", "--wait=1s"] {
        let ended = deploy(&project).arg(wait).run().expect_code(69);
        assert_says(&ended.stderr, &["P1001", "the server is a standby", "give the address of the primary"]);
    }
    assert_eq!(database.history().await, []);
    database.value("SELECT pg_promote()").await;
    deploy(&project).run().expect_code(0);
    assert_eq!(database.value("SELECT n FROM counter").await, "1");
}

/// Who may do everything may write to a replica, unless it is told to refuse that too, as MySQL can be.
const REPLICAS: [(Flavour, &str, Login); 3] = [
    (Flavour::Mysql, "read_only", Login::Native),
    (Flavour::Mysql, "super_read_only", Login::Root),
    (Flavour::Mariadb, "read_only", Login::Native),
];

#[tokio::test]
async fn a_replica_of_mysql_or_mariadb_is_waited_for_and_then_said() {
    for (flavour, setting, login) in REPLICAS {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        server.execute(&format!("SET GLOBAL {setting} = ON")).await;
        let url = database.address().login(login).url();
        let project = project(Kind::Mysql(flavour), url, &[("1_init", INIT), ("2_one", ONE)]);
        for wait in ["--wait=0", "--wait=1s"] {
            let ended = deploy(&project).arg(wait).run().expect_code(77);
            assert_says(&ended.stderr, &["PLM207", "1290"]);
        }
        assert_eq!(database.history().await, []);
        server.execute("SET GLOBAL read_only = OFF").await;
        deploy(&project).run().expect_code(0);
        assert_eq!(database.value("SELECT n FROM counter").await, "1");
    }
}
