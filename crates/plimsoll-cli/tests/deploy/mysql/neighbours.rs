//! Two databases of one server: they have nothing in common but Prisma's lock, which is the server's.

use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options};

use super::resume;
use crate::scene::{Kind, Scene, assert_says};

#[tokio::test]
async fn two_applications_on_one_server_wait_for_each_other_and_both_finish() {
    for flavour in Flavour::ALL {
        let server = MysqlServer::start(flavour, &Options::default().setting("performance-schema", "ON"));
        let (shop, mail) = (server.database().await, server.database().await);
        let project = |url: String| Project::new(Provider::Mysql).env_url(url);
        let of_shop = project(shop.url()).migration("1_init", "CREATE TABLE held (n INT);");
        let of_mail = project(mail.url()).migration("1_init", "CREATE TABLE letter (n INT);");
        plimsoll(&of_shop).arg("deploy").run().expect_code(0);
        let mut reader = shop.connect().await;
        shop.execute("INSERT INTO held VALUES (1)").await;
        reader.query_drop("BEGIN; UPDATE held SET n = 2").await.expect("it is ours");

        of_shop.set_migration("2_stuck", "UPDATE held SET n = n + 1;");
        let first = plimsoll(&of_shop).arg("deploy").env("PLIMSOLL_POD", "shop-x7k2p").spawn();
        first.wait_for_stderr("2_stuck");
        let second = plimsoll(&of_mail).arg("deploy").spawn();
        second.wait_for_stderr("waiting for another runner, which holds the lock: `plimsoll shop-x7k2p/");
        assert!(mail.tables().await.is_empty(), "{flavour:?}: it goes on without the lock");

        reader.query_drop("COMMIT").await.expect("it is ours");
        first.wait().expect_code(0);
        assert_says(&second.wait().expect_code(0).stderr, &["shop-x7k2p"]);
        assert_eq!(shop.value("SELECT n FROM held").await, "3");
        assert!(mail.tables().await.contains(&"letter".to_owned()));
    }
}

/// What another application on the same server has without transactions matters only to scripts that name its database.
#[tokio::test]
async fn tables_without_transactions_of_another_database_matter_where_it_is_named() {
    for flavour in Flavour::ALL {
        let other = Kind::Mysql(flavour).empty().await;
        let there = other.mysql().name();
        for table in ["port", "_prisma_migrations"] {
            other.execute(&format!("CREATE TABLE {table} (n INT) ENGINE=MyISAM")).await;
        }
        for (before, left) in [
            ("INSERT INTO port VALUES (1)".to_owned(), None),
            (format!("INSERT INTO {there}.port VALUES (1)"), Some("1 of its 2")),
            (format!("USE {there};\nINSERT INTO port VALUES (1)"), Some("2 of its 3")),
        ] {
            let scene =
                Scene::new(Kind::Mysql(flavour)).await.migration("1_init", "CREATE TABLE port (n INT);");
            scene.deployed();
            scene.project.set_migration("2_next", &format!("{before};\nINSERT INTO nothing VALUES (1);\n"));
            let failed = scene.run(&["deploy"]).expect_code(65);
            assert_says(&failed.stderr, &["P3018", left.unwrap_or("nothing of it is in the database")]);
            assert_eq!(scene.base.value("SELECT COUNT(*) FROM port").await, "0");
        }
        assert_eq!(other.value("SELECT COUNT(*) FROM port").await, "2");
    }
}

/// Neither a lock that was not to be had nor a killed runner is a person's business because of a table somewhere else.
#[tokio::test]
async fn a_definition_is_settled_whatever_another_database_has() {
    let script = "INSERT INTO ship VALUES ('Beagle');\nALTER TABLE held ADD COLUMN m INT;\n";
    for flavour in Flavour::ALL {
        let other = Kind::Mysql(flavour).empty().await;
        other.execute("CREATE TABLE held (n INT) ENGINE=MyISAM").await;
        let scene = resume::with(flavour, resume::INIT, script).await;
        let reader = scene.base.mysql().reading("held").await;
        let (first, connection) = resume::running_into(&scene, "ALTER TABLE held").await;
        resume::end_both(&scene, first, &connection, "ALTER TABLE held").await;
        reader.release().await;
        scene.deployed();
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM held WHERE m IS NULL").await, "1");
    }
}
