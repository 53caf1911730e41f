//! MySQL and MariaDB: their errors, raised by scripts, and met by their causes.

use mysql_async::prelude::Queryable as _;
use plimsoll_engine::classes::{Known, Server, Trouble};
use plimsoll_engine::mysql::ERRORS;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{self, Flavour, Login, MysqlServer, Options};

use super::{Kind, Scene, assert_says, assert_tried, ended_as, exit, raise};

/// Errors, who has them, and scripts that meet them.
const SCRIPTS: &[(&str, Server, &str)] = &[
    ("1050", Server::Any, "CREATE TABLE t (a INT); CREATE TABLE t (a INT)"),
    ("1054", Server::Any, "CREATE TABLE t (a INT); SELECT b FROM t"),
    ("1060", Server::Any, "CREATE TABLE t (a INT, a INT)"),
    ("1061", Server::Any, "CREATE TABLE t (a INT, KEY k (a)); CREATE INDEX k ON t (a)"),
    ("1062", Server::Any, "CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1), (1)"),
    ("1064", Server::Any, "SELEC 1"),
    ("1091", Server::Any, "CREATE TABLE t (a INT); ALTER TABLE t DROP COLUMN b"),
    ("1146", Server::Any, "SELECT * FROM nowhere"),
    ("1364", Server::Any, "CREATE TABLE t (a INT NOT NULL, b INT); INSERT INTO t (b) VALUES (1)"),
    ("1406", Server::Any, "CREATE TABLE t (a VARCHAR(1)); INSERT INTO t VALUES ('long')"),
    ("3819", Server::Mysql, "CREATE TABLE t (a INT CHECK (a > 0)); INSERT INTO t VALUES (0)"),
    ("4025", Server::Mariadb, "CREATE TABLE t (a INT CHECK (a > 0)); INSERT INTO t VALUES (0)"),
    (
        "1114",
        Server::Any,
        "SET max_heap_table_size = 16384; CREATE TABLE t (a CHAR(255)) ENGINE=MEMORY; INSERT INTO t SELECT REPEAT('a', 255) FROM information_schema.COLUMNS",
    ),
    ("1969", Server::Mariadb, "SET max_statement_time = 0.05; SELECT SLEEP(10)"),
];

/// What a server refuses a connection with, who has it, and how it comes to that; `WHO` stands for a name. Each is connected
/// to once with a wrong password before.
const REFUSALS: &[(&str, Server, &str)] = &[
    ("1044", Server::Any, "CREATE USER WHO IDENTIFIED BY 'sesame'"),
    ("1045", Server::Any, "CREATE USER WHO IDENTIFIED BY 'another'"),
    (
        "1226",
        Server::Any,
        "CREATE USER WHO IDENTIFIED BY 'sesame' WITH MAX_CONNECTIONS_PER_HOUR 1; GRANT ALL ON *.* TO WHO",
    ),
    (
        "1820",
        Server::Mariadb,
        "CREATE USER WHO IDENTIFIED BY 'sesame' PASSWORD EXPIRE; GRANT ALL ON *.* TO WHO",
    ),
    (
        "1862",
        Server::Mysql,
        "CREATE USER WHO IDENTIFIED BY 'sesame' PASSWORD EXPIRE; GRANT ALL ON *.* TO WHO",
    ),
    ("3118", Server::Mysql, "CREATE USER WHO IDENTIFIED BY 'sesame' ACCOUNT LOCK"),
    (
        "3955",
        Server::Mysql,
        "CREATE USER WHO IDENTIFIED BY 'sesame' FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME 1",
    ),
    ("4151", Server::Mariadb, "CREATE USER WHO IDENTIFIED BY 'sesame' ACCOUNT LOCK"),
];

/// What a server that is set so answers to somebody without its privileges, who has it, and the setting.
const SETTINGS: &[(&str, Server, &str)] = &[
    // MariaDB has at least ten connections.
    ("1040", Server::Mysql, "max_connections = 1"),
    ("1290", Server::Any, "read_only = ON"),
    ("3032", Server::Mysql, "offline_mode = ON"),
];

fn has(server: Server, flavour: Flavour) -> bool {
    match server {
        Server::Any => true,
        Server::Mysql => flavour.is_mysql(),
        Server::Mariadb => !flavour.is_mysql(),
    }
}

fn row(code: &str) -> &'static Known {
    ERRORS.iter().find(|row| row.code == code).expect("it is in the table")
}

#[test]
fn what_is_said_to_be_met_is_met() {
    let met = SCRIPTS.iter().chain(REFUSALS).chain(SETTINGS).map(|(code, _, _)| *code);
    assert_tried(ERRORS, &met.collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_script_raises_ends_as_its_class_on_mysql() {
    raised_on(Flavour::Mysql).await;
}

#[tokio::test]
async fn what_a_script_raises_ends_as_its_class_on_mariadb() {
    raised_on(Flavour::Mariadb).await;
}

/// On a server of its own: the lock is the whole server's, and is not waited for here.
async fn raised_on(flavour: Flavour) {
    let server = MysqlServer::start(flavour, &Options::default());
    for row in ERRORS.iter().filter(|row| row.session != Trouble::Script) {
        // To this server the number of another one's error means something else, or nothing.
        let session = if has(row.server, flavour) { row.session } else { Trouble::Script };
        let row = &Known { session, ..*row };
        let words = row.saying.unwrap_or("raised");
        let raising = "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO";
        let database = server.database().await;
        let project = Project::new(Kind::Mysql(flavour).provider()).env_url(database.url());
        raise(&project, row, &format!("{raising} = {}, MESSAGE_TEXT = '{words}'", row.code));
        assert!(database.history().await.iter().all(|row| row.finished_at.is_none()), "{}", row.code);
    }
}

#[tokio::test]
async fn what_a_script_meets_ends_as_its_class() {
    for flavour in Flavour::ALL {
        for (code, _, script) in SCRIPTS.iter().filter(|(_, server, _)| has(*server, flavour)) {
            let scene = Scene::new(Kind::Mysql(flavour)).await.migration("1_meets", script);
            let ended =
                ended_as(scene.run(&["deploy"]), row(code).session, &format!("{code} on {flavour:?}"));
            assert_says(&ended.stderr, &[code]);
            assert!(scene.applied().await.is_empty());
        }
    }
}

#[tokio::test]
async fn what_a_server_refuses_a_connection_with_ends_as_its_class() {
    for flavour in Flavour::ALL {
        for (code, _, statements) in REFUSALS.iter().filter(|(_, server, _)| has(*server, flavour)) {
            let database = server::mysql(flavour).database().await;
            let user = format!("u{}", &database.name()[database.name().len() - 12..]);
            database.execute(&statements.replace("WHO", &user)).await;
            let provider = Kind::Mysql(flavour).provider();
            let url = |password| database.address().user(&user, Some(password)).url();
            let project = Project::new(provider).env_url(url("sesame-wrong")).migration("1_init", "SELECT 1");
            plimsoll(&project).args(["status", "--wait=0"]).run();
            let project = Project::new(provider).env_url(url("sesame")).migration("1_init", "SELECT 1");
            if *code == "1226" {
                plimsoll(&project).args(["status", "--wait=0"]).run();
            }
            // MariaDB lets him in, and then do nothing.
            let class = if *code == "1820" { row(code).session } else { row(code).connecting };
            let ended = plimsoll(&project).args(["deploy", "--wait=0"]).run();
            let ended = ended.expect_code(exit(class.code()));
            assert_says(&ended.stderr, &[class.code().as_str(), code]);
            database.execute(&format!("DROP USER {user}")).await;
        }
    }
}

#[tokio::test]
async fn what_a_server_is_set_to_answer_ends_as_its_class() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        for (code, _, setting) in SETTINGS.iter().filter(|(_, server, _)| has(*server, flavour)) {
            let database = server.database().await;
            // Taken while there are connections to be had: whoever waits for one may have the last.
            let mut one = database.connect().await;
            let name = setting.split(' ').next().expect("a setting has a name");
            let before = database.value(&format!("SELECT @@GLOBAL.{name}")).await;
            database.execute(&format!("SET GLOBAL {setting}")).await;
            let url = database.address().login(Login::Native).url();
            let project = Project::new(Kind::Mysql(flavour).provider()).env_url(url);
            let project = project.migration("1_init", "CREATE TABLE t (a INT)");
            let row = row(code);
            let class = if row.connecting == Trouble::Refused { row.session } else { row.connecting };
            let ended = plimsoll(&project).args(["deploy", "--wait=0"]).run().expect_code(exit(class.code()));
            assert_says(&ended.stderr, &[class.code().as_str(), code]);
            let mut waiting = plimsoll(&project).args(["deploy", "--wait=1m"]).spawn();
            if row.connecting == Trouble::NotYet {
                waiting.wait_for_stderr("waiting");
            }
            assert!(!waiting.has_ended());
            one.query_drop(format!("SET GLOBAL {name} = {before}")).await.unwrap();
            waiting.wait().expect_code(0);
        }
    }
}
