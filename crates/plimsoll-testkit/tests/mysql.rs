//! The servers and databases of MySQL and MariaDB are what they promise to be.

use std::process::Command;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder, SslOpts};
use plimsoll_testkit::base::Kind;
use plimsoll_testkit::server::{Flavour, Login, MysqlServer, Options, Stop, Tls, mysql};

const HISTORY: &str = "
    CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL,
        finished_at DATETIME(3), migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at DATETIME(3),
        started_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0);
    INSERT INTO _prisma_migrations (id, checksum, migration_name, applied_steps_count)
        VALUES ('4b8a725a-f33c-4a5e-a339-a73a7170cf4b', 'sum', 'init', 1);";

/// Everything that a dump can hold.
const OBJECTS: [&str; 6] = [
    "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, note TEXT)",
    "CREATE VIEW v AS SELECT id FROM a",
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.note = 'x'; END",
    "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
    "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE EVENT e ON SCHEDULE AT '2037-01-01 00:00:00' DO DELETE FROM a",
];

/// Over TCP, with the password, as a program under test comes in.
async fn log_in(server: &MysqlServer, login: Login, tls: Option<SslOpts>) -> mysql_async::Result<Conn> {
    let options = OptsBuilder::from_opts(Opts::default()).ip_or_hostname("127.0.0.1").prefer_socket(false);
    let options = options.tcp_port(server.port()).user(Some(login.name())).pass(login.password());
    Conn::new(options.ssl_opts(tls)).await
}

fn trusting(file: std::path::PathBuf) -> SslOpts {
    SslOpts::default().with_root_certs(vec![file.into()]).with_disable_built_in_roots(true)
}

#[tokio::test]
async fn a_server_of_each_flavour_answers_as_what_it_is() {
    for (flavour, version) in
        [(Flavour::Mysql, "8.0.31"), (Flavour::OldMysql, "8.0.15"), (Flavour::Mariadb, "10.11.")]
    {
        let database = mysql(flavour).database().await;
        let answer = database.value("SELECT VERSION()").await;
        assert!(answer.starts_with(version), "{answer}");
        assert_eq!(answer.contains("MariaDB"), flavour == Flavour::Mariadb);
    }
}

#[tokio::test]
async fn a_user_logs_in_the_way_that_it_is_for() {
    for flavour in Flavour::EACH {
        let server = mysql(flavour);
        let database = server.database().await;
        for login in
            [Login::Root, Login::Native, Login::Passwordless, Login::Reader, Login::Plain, Login::Odd]
        {
            let mut connection = log_in(server, login, None)
                .await
                .unwrap_or_else(|error| panic!("{flavour:?} {login:?}: {error}"));
            let create = format!("CREATE TABLE `{}`.`{}` (id INT)", database.name(), login.name());
            let may_create = connection.query_drop(create).await.is_ok();
            assert_eq!(may_create, !matches!(login, Login::Reader | Login::Plain), "{flavour:?} {login:?}");
        }
        for login in [Login::TlsOnly, Login::Certificate] {
            assert!(log_in(server, login, None).await.is_err(), "{flavour:?} {login:?}");
        }
    }
}

#[tokio::test]
async fn the_superuser_of_mysql_has_the_new_plugin_and_the_native_user_the_old_one() {
    let database = mysql(Flavour::Mysql).database().await;
    let plugin = async |name: &str| {
        database.value(&format!("SELECT plugin FROM mysql.user WHERE user = '{name}' AND host = '%'")).await
    };
    assert_eq!(plugin("root").await, "caching_sha2_password");
    assert_eq!(plugin("native").await, "mysql_native_password");
}

#[tokio::test]
async fn certificates_are_trusted_by_whom_they_are_for() {
    let server = mysql(Flavour::Mariadb);
    let ours = trusting(server.certificates().authority());
    log_in(server, Login::TlsOnly, Some(ours)).await.map(drop).unwrap();
    let other = trusting(server.certificates().other_authority());
    assert!(log_in(server, Login::TlsOnly, Some(other)).await.is_err());
}

#[tokio::test]
async fn a_server_without_tls_says_so() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default().tls(Tls::Absent));
        let ours = trusting(server.certificates().authority());
        assert!(log_in(&server, Login::Root, Some(ours)).await.is_err(), "{flavour:?}");
        log_in(&server, Login::Root, None).await.unwrap_or_else(|error| panic!("{flavour:?}: {error}"));
    }
}

#[tokio::test]
async fn a_private_server_keeps_its_port_and_its_data_through_restarts() {
    for flavour in Flavour::EACH {
        let server = MysqlServer::start(flavour, &Options::default().setting("general-log", "ON"));
        let database = server.database().await;
        assert_eq!(database.value("SELECT @@general_log").await, "1");
        database.execute("CREATE TABLE kept AS SELECT 1 AS one").await;
        let port = server.port();
        server.restart(Stop::Fast);
        server.restart(Stop::Immediate);
        assert_eq!(server.port(), port);
        assert_eq!(database.value("SELECT one FROM kept").await, "1");
        server.stop(Stop::Immediate);
        assert!(log_in(&server, Login::Root, None).await.is_err());
    }
}

#[tokio::test]
async fn a_paused_server_does_not_answer_until_it_is_resumed() {
    let server = MysqlServer::start(Flavour::Mariadb, &Options::default());
    let database = server.database().await;
    server.pause();
    let silent = tokio::time::timeout(Duration::from_millis(200), database.value("SELECT 1")).await;
    assert!(silent.is_err());
    server.resume();
    assert_eq!(database.value("SELECT 1").await, "1");
}

#[test]
fn a_dropped_server_leaves_nothing_behind() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        let directory = server.directory().to_owned();
        server.pause();
        drop(server);
        assert!(!directory.exists());
        let name = directory.display().to_string();
        let found = Command::new("pgrep").args(["--full", &name]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    }
}

#[tokio::test]
async fn a_database_is_dropped_after_a_passing_test_even_if_a_transaction_uses_it() {
    for flavour in Flavour::ALL {
        let server = mysql(flavour);
        let database = server.database_named("with `quotes` Space ").await;
        let witness = server.missing_database();
        database.execute("CREATE TABLE a (id INT) ENGINE=InnoDB").await;
        let mut open = database.connect().await;
        open.query_drop("START TRANSACTION; INSERT INTO a VALUES (1)").await.unwrap();
        let name = database.name().replace('`', "``");
        assert!(database.exists().await && !witness.exists().await);
        drop(database);
        server.execute(&format!("CREATE DATABASE `{name}`; DROP DATABASE `{name}`")).await;
    }
}

#[tokio::test]
async fn a_missing_database_is_dropped_by_whoever_creates_it() {
    let server = mysql(Flavour::Mariadb);
    let missing = server.missing_database();
    let name = missing.name().to_owned();
    assert!(
        !missing.exists().await && missing.tables().await.is_empty() && missing.history().await.is_empty()
    );
    server.execute(&format!("CREATE DATABASE {name}")).await;
    assert!(missing.exists().await);
    drop(missing);
    server.execute(&format!("CREATE DATABASE {name}; DROP DATABASE {name}")).await;
}

#[tokio::test]
async fn dumps_of_equal_schemas_are_equal_and_of_others_are_not() {
    for flavour in Flavour::ALL {
        let server = mysql(flavour);
        let (one, other) = (server.database().await, server.database_named("an `odd` ").await);
        for object in OBJECTS {
            one.execute(object).await;
            assert_ne!(one.schema_dump(), other.schema_dump(), "{flavour:?}: {object}");
            other.execute(object).await;
            assert_eq!(one.schema_dump(), other.schema_dump(), "{flavour:?}: {object}");
        }
        one.execute("INSERT INTO a VALUES (DEFAULT, NULL), (DEFAULT, NULL)").await;
        assert_eq!(one.schema_dump(), other.schema_dump(), "rows and counters are no schema");
    }
}

#[tokio::test]
async fn the_history_is_read_as_on_the_other_databases() {
    for flavour in Flavour::ALL {
        let database = mysql(flavour).database().await;
        assert!(database.history().await.is_empty());
        database.execute(HISTORY).await;
        let text = database.history().await[0].to_string();
        assert!(text.starts_with("id|<id>\nchecksum|sum\nfinished_at|\nmigration_name|init\n"), "{text}");
        assert!(text.ends_with("started_at|<time>\napplied_steps_count|1\n"), "{text}");
        let rows = database.query("SELECT 7, NULL, 'x'").await;
        assert_eq!(rows, [[Some("7".to_owned()), None, Some("x".to_owned())]]);
    }
}

/// A lock is one for a server.
#[tokio::test]
async fn whoever_is_alone_meets_no_lock_of_another_and_leaves_the_server_to_the_next() {
    let kind = Kind::Mysql(Flavour::Mariadb);
    let (first, second) = (kind.alone().await, kind.alone().await);
    let ports = [&first, &second].map(|base| base.mysql().server().port());
    let held = first.mysql().hold("l").await;
    second.mysql().hold("l").await.release().await;
    drop((held, first, second));
    let next = kind.alone().await;
    assert!(ports.contains(&next.mysql().server().port()), "there are no more than tests at once");
    next.mysql().hold("l").await.release().await;
}
