//! What a session of ours is to the server, and how it ends.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::MysqlDatabase;
use plimsoll_testkit::program::Signal;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{self, Flavour, MysqlServer, Options};
use plimsoll_testkit::wait::until_async;

use crate::scene::assert_says;

/// What a pod is left with after SIGTERM has to be enough.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn time_limits_of_a_session_are_never_longer_than_the_servers() {
    let seen = "CREATE TABLE seen AS SELECT @@SESSION.wait_timeout AS idle, @@SESSION.lock_wait_timeout AS wait_, \
                @@SESSION.innodb_lock_wait_timeout AS rows_, \
                @@SESSION.sql_mode = @@GLOBAL.sql_mode AS mode_, @@SESSION.time_zone = @@GLOBAL.time_zone AS zone;";
    for flavour in Flavour::ALL {
        // Of a superuser's sessions the server runs no `init_connect`.
        let own = "SET lock_wait_timeout = 7, innodb_lock_wait_timeout = 8";
        let short = Options::default()
            .setting("wait-timeout", "40")
            .setting("lock-wait-timeout", "3")
            .setting("innodb-lock-wait-timeout", "9")
            .setting("init-connect", own);
        for (options, expected) in
            [(Options::default(), ["60", "5", "5", "1", "1"]), (short, ["40", "3", "9", "1", "1"])]
        {
            let server = MysqlServer::start(flavour, &options);
            let database = server.database().await;
            let project = Project::new(Provider::Mysql).env_url(database.url()).migration("1_init", seen);
            plimsoll(&project).arg("deploy").run().expect_code(0);
            let found = database.query("SELECT idle, wait_, rows_, mode_, zone FROM seen").await;
            let found: Vec<String> = found.into_iter().flatten().flatten().collect();
            assert_eq!(found, expected, "{flavour:?}");
            if expected[0] == "40" {
                limits_of_ordinary_users_are_kept(&database, &project).await;
            }
        }
    }
}

/// Those of `init_connect`, which the server at large does not have.
async fn limits_of_ordinary_users_are_kept(database: &MysqlDatabase<'_>, project: &Project) {
    const LOOK: &str =
        "INSERT INTO limits VALUES (@@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout);\n";
    let name = database.name();
    let user = format!(
        "CREATE USER ordinary IDENTIFIED BY 'sesame'; GRANT ALL ON {name}.* TO ordinary; \
         CREATE TABLE limits (t INT, r INT); CREATE PROCEDURE look() {LOOK}"
    );
    database.execute(&user).await;
    let url = database.address().user("ordinary", Some("sesame")).url();
    project.set_migration("2_kept", LOOK);
    // Nobody could send a call again: it waits as long as somebody has said.
    project.set_migration("3_call", "CALL look();\nCALL look();\n");
    plimsoll(project).args(["deploy", "--url", &url]).run().expect_code(0);
    project.set_migration("4_given", LOOK);
    plimsoll(project).args(["deploy", "--lock-timeout=2s", "--url", &url]).run().expect_code(0);
    let seen = "SELECT GROUP_CONCAT(CONCAT(t, ' ', r) ORDER BY t DESC) FROM limits";
    assert_eq!(database.value(seen).await, "7 8,7 8,7 8,2 2");
}

/// The server would close the connection without a word, and a pod would be started again and again.
#[tokio::test]
async fn a_statement_that_is_too_long_for_the_server_is_not_sent() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default().setting("max-allowed-packet", "1M"));
        let database = server.database().await;
        database.execute("CREATE TABLE ship (name LONGTEXT)").await;
        let project = Project::new(Provider::Mysql).env_url(database.url());
        project.set_migration("0_base", "");
        plimsoll(&project).args(["resolve", "--applied", "0_base"]).run().expect_code(0);
        project.set_migration("1_long", &format!("INSERT INTO ship VALUES ('{}');", "x".repeat(1 << 20)));
        let ended = plimsoll(&project).arg("deploy").run().expect_code(65);
        assert_says(&ended.stderr, &["1_long", "1153", "max_allowed_packet"]);
        assert_eq!(database.value("SELECT COUNT(*) FROM ship").await, "0");
    }
}

/// Whether the statement waits for a row, or for a table that somebody keeps to himself.
#[tokio::test]
async fn sigterm_cancels_the_statement_on_mysql_and_mariadb() {
    for flavour in Flavour::ALL {
        for (block, script) in [
            ("BEGIN; UPDATE held SET n = 2", "UPDATE held SET n = 3;"),
            ("LOCK TABLES held WRITE", "ALTER TABLE held ADD COLUMN m INT;"),
        ] {
            let server = server::mysql(flavour);
            let database = server.database().await;
            database.execute("CREATE TABLE held (n INT); INSERT INTO held VALUES (1)").await;
            let project = Project::new(Provider::Mysql).env_url(database.url());
            project.set_migration("0_base", "");
            plimsoll(&project).args(["resolve", "--applied", "0_base"]).run().expect_code(0);
            project.set_migration("1_stuck", script);
            let mut holder = database.connect().await;
            holder.query_drop(block).await.expect("nobody else has it");
            let mut running = plimsoll(&project).arg("deploy").spawn();
            let stuck = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() \
                         AND ID <> CONNECTION_ID() AND (INFO LIKE 'UPDATE held SET n = 3%' OR INFO LIKE 'ALTER TABLE held%')";
            until_async(script, async || database.value(stuck).await == "1").await;
            let sent = Instant::now();
            running.signal(Signal::TERM);
            running.wait().expect_code(143);
            assert!(sent.elapsed() < PATIENCE, "it took {:?}", sent.elapsed());
            until_async("the statement is over", async || database.value(stuck).await == "0").await;
            holder.disconnect().await.expect("the server is there");
        }
    }
}
