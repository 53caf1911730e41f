//! The lock: Prisma's, and nobody goes on without it.

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::MysqlDatabase;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, Login, MysqlServer, Options};
use plimsoll_testkit::wait::until_async;

use crate::scene::assert_says;

fn project(database: &MysqlDatabase<'_>) -> Project {
    let project = Project::new(Provider::Mysql).env_url(database.url());
    project.migration("1_init", "CREATE TABLE ship (name VARCHAR(191));")
}

async fn hold(database: &MysqlDatabase<'_>) -> Conn {
    let mut holder = database.connect().await;
    let taken: Option<u8> =
        holder.query_first("SELECT GET_LOCK('prisma_migrate', 10)").await.expect("a lock is asked for");
    assert_eq!(taken, Some(1), "nobody else has it");
    holder
}

async fn is_free(database: &MysqlDatabase<'_>) -> bool {
    database.value("SELECT IS_FREE_LOCK('prisma_migrate')").await == "1"
}

#[tokio::test]
async fn prismas_lock_is_waited_for_and_its_holder_is_named() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        let project = project(&database);
        let holder = hold(&database).await;
        let over = plimsoll(&project).args(["deploy", "--lock-wait=300ms"]).run().expect_code(75);
        assert_says(&over.stderr, &["P1002", &format!("connection {}", holder.id())]);
        assert!(database.tables().await.is_empty(), "Prisma would have gone on");
        let running = plimsoll(&project).arg("deploy").spawn();
        running.wait_for_stderr("waiting for another runner, which holds the lock");
        holder.disconnect().await.expect("the server is there");
        running.wait().expect_code(0);
        assert!(is_free(&database).await);
    }
}

/// MySQL's performance schema knows what a connection calls itself; MariaDB's is off unless somebody wants it.
#[tokio::test]
async fn a_runner_is_known_by_its_pod_and_its_release() {
    for (flavour, setting) in [(Flavour::Mysql, "ON"), (Flavour::Mariadb, "ON")] {
        let options = Options::default().setting("performance-schema", setting);
        let server = MysqlServer::start(flavour, &options);
        let database = server.database().await;
        database.execute("CREATE TABLE held (n INT); INSERT INTO held VALUES (1)").await;
        let project = Project::new(Provider::Mysql).env_url(database.url());
        project.set_migration("0_base", "");
        plimsoll(&project).args(["resolve", "--applied", "0_base"]).run().expect_code(0);
        project.set_migration("1_stuck", "UPDATE held SET n = 3;");
        let mut blocker = database.connect().await;
        blocker.query_drop("BEGIN; UPDATE held SET n = 2").await.expect("it is ours");
        let first = plimsoll(&project)
            .arg("deploy")
            .env("PLIMSOLL_POD", "app-x7k2p")
            .env("PLIMSOLL_RELEASE", "1.4.2");
        let first = first.spawn();
        until_async("the lock is taken", async || !is_free(&database).await).await;
        let second = plimsoll(&project).arg("deploy").spawn();
        second.wait_for_stderr("waiting for another runner, which holds the lock: `plimsoll app-x7k2p/");
        blocker.query_drop("ROLLBACK").await.expect("it is ours");
        first.wait().expect_code(0);
        let ended = second.wait().expect_code(0);
        assert_says(&ended.stderr, &["1.4.2"]);
    }
}

/// Of another user's connections a user without the right PROCESS sees only the number.
#[tokio::test]
async fn a_holder_that_may_not_be_seen_has_a_number_all_the_same() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        let holder = hold(&database).await;
        let url = database.address().login(Login::Native).url();
        let project =
            Project::new(Provider::Mysql).env_url(url).migration("1_init", "CREATE TABLE ship (n INT);");
        let over = plimsoll(&project).args(["deploy", "--lock-wait=0"]).run().expect_code(75);
        assert_says(&over.stderr, &["P1002", "an unnamed client", &format!("connection {}", holder.id())]);
    }
}

#[tokio::test]
async fn what_is_up_to_date_takes_no_lock_and_one_message() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default().setting("general-log", "ON"));
        let database = server.database().await;
        let project = project(&database);
        plimsoll(&project).arg("deploy").run().expect_code(0);
        let holder = hold(&database).await;
        database.execute("SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log").await;
        plimsoll(&project).args(["deploy", "--lock-wait=0"]).run().expect_code(0);
        let sent =
            "SELECT argument FROM mysql.general_log WHERE user_host LIKE 'root%' AND command_type = 'Query'";
        let sent: Vec<String> = database.query(sent).await.into_iter().flatten().flatten().collect();
        assert!(sent.iter().all(|text| !text.contains("GET_LOCK")), "{sent:?}");
        // MariaDB logs a message as it comes, MySQL statement by statement.
        let expected = if flavour == Flavour::Mariadb { 1 } else { 3 };
        assert_eq!(sent.len(), expected, "settings, facts and history: {sent:?}");
        holder.disconnect().await.expect("the server is there");
    }
}
