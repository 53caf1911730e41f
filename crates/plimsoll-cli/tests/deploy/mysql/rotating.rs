//! `--url-file`: a password that is rotated, and a file that comes to name another database.

use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::MysqlDatabase;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options};
use plimsoll_testkit::wait::until_async;

use crate::scene::assert_says;

fn project(database: &MysqlDatabase<'_>, password: &str) -> Project {
    let project = Project::new(Provider::Mysql).migration("1_init", "CREATE TABLE ship (n INT);");
    write(&project, database, password);
    project
}

fn write(project: &Project, database: &MysqlDatabase<'_>, password: &str) {
    // Written beside and put in place, as a volume is: nobody reads half of it.
    project.write("url.new", format!("{}\n", database.address().user("owner", Some(password)).url()));
    std::fs::rename(project.join("url.new"), project.join("url")).expect("the project is ours");
}

fn deploy(project: &Project) -> Program {
    plimsoll(project).arg("deploy").env("PLIMSOLL_URL_FILE", project.join("url"))
}

#[tokio::test]
async fn a_password_that_is_rotated_while_it_is_refused_is_read_again() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        database.execute("CREATE USER owner IDENTIFIED BY 'sesame-new'; GRANT ALL ON *.* TO owner").await;
        let project = project(&database, "sesame-old");
        let running = deploy(&project).spawn();
        running.wait_for_stderr("waiting for up to 60 s: Authentication failed");
        write(&project, &database, "sesame-new");
        let ended = running.wait().expect_code(0);
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("sesame"), "{ended}");
        assert_eq!(database.history().await.len(), 1);
        write(&project, &database, "sesame-old");
        let over = deploy(&project).arg("--wait=0").run().expect_code(77);
        assert_says(&over.stderr, &["P1000", "--wait"]);
    }
}

#[tokio::test]
async fn a_run_ends_when_its_file_names_another_database() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default());
        let (first, second) = (server.database().await, server.database().await);
        first.execute("CREATE USER owner IDENTIFIED BY 'sesame'; GRANT ALL ON *.* TO owner").await;
        let project = project(&first, "sesame");
        let mut holder = first.connect().await;
        holder.query_drop("SELECT GET_LOCK('prisma_migrate', 10)").await.expect("nobody else has it");
        let running = deploy(&project).spawn();
        running.wait_for_stderr("waiting for another runner");
        write(&project, &second, "sesame");
        let find = "SELECT MAX(ID) FROM information_schema.PROCESSLIST WHERE USER = 'owner'";
        let id = first.value(find).await;
        holder.query_drop(format!("KILL {id}")).await.expect("it is there");
        let ended = running.wait().expect_code(75);
        assert_says(&ended.stderr, &["PLM215", first.name(), second.name()]);
        until_async("the tables are as they were", async || second.tables().await.is_empty()).await;
        assert!(first.tables().await.is_empty());
        holder.disconnect().await.expect("the server is there");
    }
}
