//! Schemas, names, sizes and the ways to a database.

use std::fmt::Write as _;

use plimsoll_testkit::server::{self, Role, Version};

use crate::scene::{Base, Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";

async fn scene_with(parameter: &str, value: &str) -> Scene {
    let base = Kind::Postgres(Version::V15).empty().await;
    let database = base.postgres();
    let url = database.address().parameter(parameter, value).url();
    let mut scene = Scene::on(Kind::Postgres(Version::V15), base);
    scene.project = scene.project.env_url(url);
    scene
}

#[tokio::test]
async fn another_schema_is_created_and_holds_tables_and_history() {
    for schema in ["sales", "Sales Team", "a \"quoted\" 'one'", "größe"] {
        let scene = scene_with("schema", schema).await.migration("1_init", INIT);
        scene.deployed();
        assert_eq!(scene.postgres().history_of(schema).await.len(), 1);
        assert!(scene.postgres().history().await.is_empty(), "nothing goes into `public`");
        let place = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'ship'";
        assert_eq!(scene.base.value(place).await.trim_matches('"').replace("\"\"", "\""), schema);
        assert_eq!(scene.deployed().stdout, "up to date\n");
        scene.run(&["status"]).expect_code(0);
    }
}

#[tokio::test]
async fn a_schema_that_does_not_exist_stays_so_if_one_only_looks() {
    let scene = scene_with("schema", "nowhere").await.migration("1_init", INIT);
    let before = scene.base.everything().await;
    scene.run(&["status"]).expect_code(1);
    scene.run(&["plan"]).expect_code(0);
    scene.run(&["wait", "--wait=0"]).expect_code(75);
    assert_eq!(scene.base.everything().await, before);
}

/// A server that refuses every write serves those who only read.
#[tokio::test]
async fn reading_commands_need_no_right_to_write() {
    let scene = scene_with("options", "-c default_transaction_read_only=on").await.migration("1_init", INIT);
    scene.run(&["status"]).expect_code(1);
    scene.run(&["plan"]).expect_code(0);
    scene.run(&["wait", "--wait=0"]).expect_code(75);
    assert_says(&scene.run(&["deploy"]).expect_code(77).stderr, &["PLM207"]);

    let writer = Scene::on(Kind::Postgres(Version::V15), Kind::Postgres(Version::V15).empty().await);
    let mut scene = writer.migration("1_init", INIT);
    scene.deployed();
    scene.base.execute("GRANT SELECT ON _prisma_migrations TO plain").await;
    let url = scene.postgres().address().role(Role::Plain).url();
    scene.project = scene.project.env_url(url);
    for command in ["status", "plan", "wait", "deploy"] {
        scene.run(&[command]).expect_code(0);
    }
}

#[tokio::test]
async fn a_database_may_have_any_name() {
    let server = server::postgres(Version::V15);
    for name in ["we\"ird", "it's ", "a b/c?d#e%f", "Größe"] {
        let base = Base::Postgres(server.database_named(name).await);
        let scene = Scene::on(Kind::Postgres(Version::V15), base).migration("1_init", INIT);
        scene.deployed();
        assert_eq!(scene.deployed().stdout, "up to date\n", "{name}");
    }
}

#[tokio::test]
async fn three_hundred_migrations_are_applied_in_order() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("000_init", INIT);
    for number in 1..300 {
        let script = format!("CREATE TABLE t{number} (a INT);\nINSERT INTO ship VALUES ('{number}');\n");
        scene.project.set_migration(&format!("{number:03}_more"), &script);
    }
    assert_says(&scene.deployed().stdout, &["300 migrations applied"]);
    let applied = scene.applied().await;
    assert!(applied.len() == 300 && applied.is_sorted());
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "300");
    assert_eq!(scene.deployed().stdout, "up to date\n");
}

#[tokio::test]
async fn a_script_of_five_megabytes_is_applied() {
    let mut script = String::from("CREATE TABLE ship (name TEXT);\n");
    for number in 0..5_000 {
        let _infallible = writeln!(script, "INSERT INTO ship VALUES ('{number} {}');", "x".repeat(1000));
    }
    assert!(script.len() > 5_000_000);
    for version in Version::ALL {
        let scene = Scene::new(Kind::Postgres(version)).await.migration("1_large", &script);
        scene.deployed();
        assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "5000");
    }
}

#[tokio::test]
async fn the_socket_directory_is_a_way_too() {
    for version in Version::ALL {
        let base = Kind::Postgres(version).empty().await;
        let database = base.postgres();
        let urls = [Role::Trusted, Role::Superuser].map(|role| database.address().role(role).socket().url());
        let mut scene = Scene::on(Kind::Postgres(version), base).migration(
            "1_init",
            "CREATE TABLE seen AS SELECT client_addr IS NULL AS local FROM pg_stat_activity WHERE pid = pg_backend_pid();",
        );
        for url in urls {
            scene.project = scene.project.env_url(url);
            scene.deployed();
        }
        assert_eq!(scene.base.value("SELECT local FROM seen").await, "t");
    }
}

#[tokio::test]
async fn parameters_for_the_server_reach_it() {
    let base = Kind::Postgres(Version::V15).empty().await;
    let database = base.postgres();
    let address = database.address().parameter("application_name", "the crane");
    let url = address.parameter("options", "-c work_mem=12345kB -c DateStyle=German").url();
    let mut scene = Scene::on(Kind::Postgres(Version::V15), base);
    scene.project = scene.project.env_url(url);
    let see = "SELECT current_setting('application_name') || ', ' || current_setting('work_mem') \
               || ', ' || current_setting('DateStyle') AS it";
    // The second one shows what is left after the settings have been reset between scripts.
    let scene = scene.migration("1_seen", &format!("CREATE TABLE seen AS {see};"));
    scene.project.set_migration("2_seen", &format!("INSERT INTO seen {see};"));
    scene.deployed();
    let expected = "the crane, 12345kB, German, DMY";
    assert_eq!(scene.base.value("SELECT string_agg(DISTINCT it, '; ') FROM seen").await, expected);
}
