//! Logging in, and the database that one logs in to.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use plimsoll_core::Provider;
use plimsoll_testkit::address::Address;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{self, Flavour, Login, MysqlServer, Options};
use plimsoll_testkit::transcript::Transcript;

use crate::scene::assert_says;

const INIT: &str = "CREATE TABLE ship (name VARCHAR(191));";

/// What must not be waited for is refused long before the wait is over.
const AT_ONCE: Duration = Duration::from_secs(10);

pub(super) fn deploy(address: &Address) -> Transcript {
    deploy_url(&address.url())
}

fn deploy_url(url: &str) -> Transcript {
    let project = Project::new(Provider::Mysql).env_url(url).migration("1_init", INIT);
    plimsoll(&project).arg("deploy").run()
}

#[track_caller]
pub(super) fn refused(ended: Transcript, code: i32, words: &[&str]) {
    let ended = ended.expect_code(code);
    assert!(ended.elapsed < AT_ONCE, "it was tried again for {:?}", ended.elapsed);
    assert!(!ended.stderr.contains("waiting"), "{ended}");
    assert_says(&ended.stderr, words);
}

/// It counts a login that is broken off against the host, which a pod that starts again and again would have kept out.
#[test]
fn a_server_hears_nothing_of_a_project_that_cannot_be_read() {
    let server = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    server.set_nonblocking(true).expect("it can be asked without waiting");
    let url = format!("mysql://u@{}/d", server.local_addr().expect("it has one"));
    let project = Project::new(Provider::Mysql).env_url(url);
    project.remove("prisma/migrations/migration_lock.toml");
    std::fs::remove_dir(project.migrations()).expect("it is empty");
    project.write("prisma/migrations", "a file");
    let ended = plimsoll(&project).arg("deploy").run();
    refused(ended, 78, &["PLM102", "prisma/migrations"]);
    let heard = server.accept().map(|(_, from)| from);
    assert_eq!(heard.expect_err("nobody comes").kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn every_way_to_log_in_works() {
    for flavour in Flavour::EACH {
        for login in [Login::Root, Login::Native, Login::Passwordless, Login::Odd] {
            let database = server::mysql(flavour).database().await;
            // The server forgets who has logged in before: the password itself has to reach it, encrypted with its key.
            database.execute("FLUSH PRIVILEGES").await;
            deploy(&database.address().login(login)).expect_code(0);
            assert_eq!(database.history().await.len(), 1, "{login:?} on {flavour:?}");
        }
    }
}

/// The plugin that MariaDB recommends: the driver would panic if it did not know it.
#[tokio::test]
async fn a_user_of_mariadb_may_log_in_by_ed25519() {
    let server = MysqlServer::start(Flavour::Mariadb, &Options::default());
    let database = server.database().await;
    database
        .execute(
            "INSTALL SONAME 'auth_ed25519'; CREATE USER modern IDENTIFIED VIA ed25519 USING PASSWORD('sesame-4711'); \
             GRANT ALL ON *.* TO modern",
        )
        .await;
    refused(deploy(&database.address().user("modern", Some("sesame-4712"))), 77, &["P1000"]);
    deploy(&database.address().user("modern", Some("sesame-4711"))).expect_code(0);
}

#[tokio::test]
async fn a_unix_socket_is_as_good_as_an_address() {
    for flavour in Flavour::ALL {
        let database = server::mysql(flavour).database().await;
        let socket = database.server().socket().display().to_string();
        database.execute("FLUSH PRIVILEGES").await;
        deploy(&database.address().host("no-such-host.invalid").parameter("socket", &socket)).expect_code(0);
        let bare = format!("({socket})");
        deploy(&database.address().parameter("socket", &bare)).expect_code(0);
        assert_eq!(database.history().await.len(), 1, "{flavour:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_at_once_and_not_shown() {
    for flavour in Flavour::ALL {
        let database = server::mysql(flavour).database().await;
        for login in [Login::Root, Login::Native] {
            let ended = deploy(&database.address().login(login).password("sesame-4711"));
            assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("sesame-4711"));
            refused(ended, 77, &["P1000", "1045", login.name()]);
        }
        assert!(database.history().await.is_empty());
    }
}

/// MySQL pretends to have every user, with a plugin at random: with one that we do not speak, the server is not asked further.
#[tokio::test]
async fn a_user_that_does_not_exist_is_refused_whatever_plugin_the_server_names() {
    for flavour in Flavour::EACH {
        let database = server::mysql(flavour).database().await;
        for number in 0..8 {
            let user = format!("nobody_{number}");
            let ended = deploy(&database.address().user(&user, Some("sesame-4711")));
            let asked = !ended.stderr.contains("plugin");
            refused(ended, 77, &["P1000", if asked { &user } else { "there is no such user, or" }]);
        }
        assert!(database.history().await.is_empty());
    }
}

#[tokio::test]
async fn a_user_that_may_not_see_the_database_is_told_so() {
    for flavour in Flavour::ALL {
        let database = server::mysql(flavour).database().await;
        refused(deploy(&database.address().login(Login::Plain)), 77, &["P1010", "1044", database.name()]);
        let missing = server::mysql(flavour).missing_database();
        refused(deploy(&missing.address().login(Login::Plain)), 77, &["P1010"]);
        assert!(!missing.exists().await);
    }
}

#[tokio::test]
async fn a_user_that_may_only_read_changes_nothing_and_is_up_to_date_afterwards() {
    for flavour in Flavour::ALL {
        let database = server::mysql(flavour).database().await;
        let reader = database.address().login(Login::Reader);
        // Others may have the server's one lock at this moment.
        assert_says(&deploy(&reader).expect_code(77).stderr, &["P1010", "1142"]);
        assert!(database.tables().await.is_empty());
        deploy(&database.address()).expect_code(0);
        deploy(&reader).expect_code(0);
    }
}

#[tokio::test]
async fn a_missing_database_is_created_as_prisma_does() {
    for flavour in Flavour::ALL {
        let database = server::mysql(flavour).missing_database();
        let project = Project::new(Provider::Mysql).env_url(database.url()).migration("1_init", INIT);
        for command in ["status", "wait"] {
            let ended = plimsoll(&project).args([command, "--wait=0"]).run().expect_code(78);
            assert_says(&ended.stderr, &["P1003", database.name()]);
            assert!(!database.exists().await, "{command}");
        }
        plimsoll(&project).arg("deploy").run().expect_code(0);
        let collation =
            "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()";
        assert_eq!(database.value(collation).await, "utf8mb4_unicode_ci");
        assert_eq!(database.history().await.len(), 1);
    }
}

#[tokio::test]
async fn a_database_of_the_servers_own_is_refused() {
    for flavour in Flavour::ALL {
        let database = server::mysql(flavour).database().await;
        let url = database.url();
        let (server, _) = url.rsplit_once('/').expect("a URL with a path");
        for name in ["", "/", "/mysql", "/information_schema", "/performance_schema", "/sys", "/SYS"] {
            refused(deploy_url(&format!("{server}{name}")), 78, &["P3004", "is a system database"]);
        }
    }
}

#[tokio::test]
async fn a_url_of_another_provider_is_refused() {
    for url in ["mariadb://u:sesame-4711@h/d", "postgresql://u:sesame-4711@h/d"] {
        let ended = deploy_url(url);
        assert!(!ended.stderr.contains("sesame"), "{ended}");
        refused(ended, 78, &["P1012", "must start with the protocol `mysql://`"]);
    }
}

/// The time limit is the server's business as soon as it is over.
#[tokio::test]
async fn a_statement_that_takes_longer_than_the_url_allows_is_cancelled() {
    for flavour in Flavour::ALL {
        let database = server::mysql(flavour).database().await;
        database.execute("CREATE TABLE held (n INT PRIMARY KEY); INSERT INTO held VALUES (1)").await;
        let mut holder = database.connect().await;
        mysql_async::prelude::Queryable::query_drop(&mut holder, "BEGIN; UPDATE held SET n = 2")
            .await
            .expect("it is ours");
        let url = database.address().parameter("socket_timeout", "1").url();
        let project = Project::new(Provider::Mysql).env_url(url);
        project.set_migration("1_stuck", "UPDATE held SET n = 3;");
        plimsoll(&project).args(["resolve", "--applied", "1_stuck"]).run().expect_code(0);
        project.set_migration("2_stuck", "UPDATE held SET n = 4;");
        let ended = plimsoll(&project).arg("deploy").run();
        assert!(ended.elapsed < AT_ONCE, "{ended}");
        assert_says(&ended.expect_code(65).stderr, &["3024", "socket_timeout"]);
    }
}
