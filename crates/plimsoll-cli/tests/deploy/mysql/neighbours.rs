//! Two databases of one server: they have nothing in common but Prisma's lock, which is the server's.

use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options};

use crate::scene::assert_says;

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
