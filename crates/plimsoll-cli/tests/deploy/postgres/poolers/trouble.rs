//! Poolers that are paused, full, without a server, or set up in another way.

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Options, PgBouncer, PoolMode, PostgresServer, Role, Stop, Version};

use plimsoll_testkit::wait::until_async;

use super::{Pooled, Says};
use crate::scene::assert_says;

const INIT: &str = "CREATE TABLE ship (id INT);";

#[tokio::test]
async fn a_pooler_without_a_server_is_waited_for() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    let pooler = PgBouncer::start(&server, PoolMode::Transaction, &[]);
    let url = database.address().port(pooler.port()).url();
    let project = Project::new(Provider::Postgresql).env_url(url).migration("1_init", INIT);
    // Once a client has been served, the next one is let in while there is no server.
    plimsoll(&project).arg("status").run().expect_code(1);
    server.stop(Stop::Fast);
    let over = plimsoll(&project).args(["deploy", "--wait=1s"]).run().expect_code(69);
    assert_says(&over.stderr, &["P1001"]);
    let running = plimsoll(&project).arg("deploy").spawn();
    server.start_again();
    running.wait().expect_code(0);
    assert_eq!(database.value("SELECT count(*) FROM _prisma_migrations").await, "1");
}

#[tokio::test]
async fn a_paused_pooler_is_waited_for_as_long_as_a_server_would_be() {
    let pooled = Pooled::new(PoolMode::Transaction).await.migration("1_init", INIT);
    pooled.run(Says::Nothing, &["status"]).expect_code(1);
    pooled.pooler.pause();
    let over = pooled.run(Says::Nothing, &["deploy", "--wait=1s"]).expect_code(69);
    assert_says(&over.stderr, &["P1001"]);
    let running = pooled.command(Says::Nothing, &["deploy"]).spawn();
    pooled.pooler.resume();
    running.wait().expect_code(0);
    assert_eq!(pooled.scene.applied().await, ["1_init"]);
}

#[tokio::test]
async fn a_pooler_that_is_full_is_waited_for() {
    let pooled = Pooled::with(PoolMode::Transaction, &[("max_client_conn", "1")]).await;
    let pooled = pooled.migration("1_init", INIT);
    let other = pooled.pooler.client(pooled.scene.postgres()).await;
    let over = pooled.run(Says::Nothing, &["deploy", "--wait=0"]).expect_code(69);
    assert_says(&over.stderr, &["P1001", "max_client_conn"]);
    let running = pooled.command(Says::Nothing, &["deploy"]).spawn();
    running.wait_for_stderr("waiting for up to");
    drop(other);
    until_async("the other is gone", async || pooled.pooler.log().contains("client close request")).await;
    running.wait().expect_code(0);
    assert_eq!((pooled.scene.applied().await.len(), pooled.locks().await.as_str()), (1, "0"));
}

#[tokio::test]
async fn what_the_pooler_does_not_pass_on_is_named_at_once() {
    let url = |pooled: &Pooled| {
        let address = pooled.scene.postgres().address().port(pooled.pooler.port());
        address.parameter("options", "-c lock_timeout=9s").url()
    };
    let strict = Pooled::new(PoolMode::Transaction).await.migration("1_init", INIT);
    let refused = plimsoll(strict.project()).arg("deploy").env("DATABASE_URL", url(&strict)).run();
    assert_says(&refused.expect_code(78).stderr, &["PLM106", "`options`", "ignore_startup_parameters"]);
    let settings = [("ignore_startup_parameters", "options")];
    let lenient = Pooled::with(PoolMode::Transaction, &settings).await.migration("1_init", INIT);
    plimsoll(lenient.project()).arg("deploy").env("DATABASE_URL", url(&lenient)).run().expect_code(0);
}

#[tokio::test]
async fn a_password_that_the_pooler_refuses_is_not_waited_for() {
    let pooled = Pooled::new(PoolMode::Transaction).await.migration("1_init", INIT);
    let address = pooled.scene.postgres().address().port(pooled.pooler.port()).password("wrong");
    let refused = pooled.command(Says::Nothing, &["deploy"]).env("DATABASE_URL", address.url()).run();
    assert_says(&refused.expect_code(77).stderr, &["P1000", "`postgres`"]);
}

/// It has not heard of a password that was rotated in the database, and what it was told is not about ours.
#[tokio::test]
async fn a_pooler_that_the_server_refuses_is_waited_for() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let database = server.database().await;
    let pooler = PgBouncer::start(&server, PoolMode::Transaction, &[]);
    let url = database.address().port(pooler.port()).url();
    let project = Project::new(Provider::Postgresql).env_url(url).migration("1_init", INIT);
    let password = Role::Superuser.password().expect("it has one");
    database.execute("ALTER ROLE postgres PASSWORD 'sesame-4711'").await;
    let over = plimsoll(&project).args(["deploy", "--wait=1s"]).run().expect_code(69);
    assert_says(&over.stderr, &["P1001", "authentication failed for user"]);
    let running = plimsoll(&project).arg("deploy").spawn();
    running.wait_for_stderr("waiting for up to");
    database.execute(&format!("ALTER ROLE postgres PASSWORD '{password}'")).await;
    running.wait().expect_code(0);
    assert_eq!(database.value("SELECT count(*) FROM _prisma_migrations").await, "1");
}

/// Nobody resets the connection for its next client: what a run has taken it has to give back itself.
#[tokio::test]
async fn a_lock_is_given_back_also_to_a_pooler_that_resets_nothing() {
    for script in [INIT, "CREATE TABLE ship (id INT);\nCREATE INDEX CONCURRENTLY ship_id ON ship (id);"] {
        for says in Says::ALL {
            let settings = [("server_reset_query", "")];
            let pooled = Pooled::with(PoolMode::Session, &settings).await.migration("1_init", script);
            pooled.run(says, &["deploy"]).expect_code(0);
            assert_eq!((pooled.scene.applied().await.len(), pooled.locks().await.as_str()), (1, "0"));
        }
    }
}

/// What Prisma 6 uses for its migrations is used here too, and the pooler is for the application alone.
#[tokio::test]
async fn with_a_direct_url_the_pooler_is_not_asked() {
    let pooled = Pooled::new(PoolMode::Statement).await.migration("1_init", INIT);
    let schema = pooled.project().read("prisma/schema.prisma");
    let direct = schema.replace(
        "url      = env(\"DATABASE_URL\")",
        "url = env(\"DATABASE_URL\")\n  directUrl = env(\"DIRECT_URL\")",
    );
    pooled.project().write("prisma/schema.prisma", direct);
    let deploy = pooled.command(Says::Pooler, &["deploy"]).env("DIRECT_URL", pooled.scene.base.url());
    deploy.run().expect_code(0);
    assert_eq!(pooled.scene.applied().await, ["1_init"]);
    assert!(!pooled.pooler.log().contains("login attempt"), "{}", pooled.pooler.log());
}

/// A commit that no lexer of ours finds: to a server with `standard_conforming_strings = off` the string ends earlier.
const HIDDEN: &str =
    r"SELECT '\''; INSERT INTO ship VALUES ($$kept$$); COMMIT; INSERT INTO ship VALUES ($$too$$); --'";

/// Behind its commit the lock would be anybody's, and nothing would say yet that part of it is done.
#[tokio::test]
async fn what_may_end_its_transaction_unseen_is_refused_to_every_runner_through_the_pooler() {
    for says in Says::ALL {
        let pooled = Pooled::new(PoolMode::Transaction).await;
        let pooled =
            pooled.migration("1_init", "CREATE TABLE ship (name TEXT);").migration("2_hidden", HIDDEN);
        let database = pooled.scene.postgres().name().to_owned();
        let set = format!("ALTER DATABASE {database} SET standard_conforming_strings = off");
        pooled.scene.base.execute(&set).await;
        let runners = [(); 2].map(|()| pooled.command(says, &["deploy"]).spawn());
        for runner in runners {
            let said = runner.wait().expect_code(78).stderr;
            let words = [
                "PLM230",
                "`2_hidden`",
                "migration.sql:1:9",
                "backslash",
                "directUrl",
                "nothing was applied",
            ];
            assert_says(&said, &words);
        }
        assert_eq!(pooled.value("SELECT to_regclass('ship') IS NULL").await, "t", "{says:?}");
        assert_eq!(pooled.locks().await, "0", "{says:?}");
        let harmless = "CREATE TABLE port (name TEXT);";
        pooled.project().set_migration("2_hidden", harmless);
        pooled.run(says, &["deploy"]).expect_code(0);
    }
}

/// What a function does to its connection no word of the script that calls it shows, and whoever comes next gets that connection.
#[tokio::test]
async fn a_connection_that_came_to_read_strings_otherwise_is_not_trusted_with_them() {
    let function = "CREATE TABLE ship (name TEXT);\nCREATE FUNCTION quiet() RETURNS TEXT LANGUAGE sql AS $$ \
                    SELECT set_config('standard_conforming_strings', 'off', false) $$;";
    let settings = [("default_pool_size", "1")];
    let pooled = Pooled::with(PoolMode::Transaction, &settings).await;
    let pooled = pooled
        .migration("1_init", function)
        .migration("2_quiet", "INSERT INTO ship SELECT quiet() FROM generate_series(1, 1);")
        .migration("3_hidden", HIDDEN);
    let said = pooled.run(Says::Nothing, &["deploy", "--lock-wait=300ms"]).expect_code(75).stderr;
    assert_says(&said, &["tried again", "PLM211", "`3_hidden`", "nothing of this migration was applied"]);
    assert_eq!(pooled.scene.applied().await, ["1_init", "2_quiet"]);
    assert_eq!(pooled.value("SELECT count(*) FROM ship").await, "1");
    // There the last string has no end: the answer is the same one.
    pooled.project().set_migration("3_hidden", "INSERT INTO ship VALUES ('C:\\');");
    pooled.scene.base.execute("DELETE FROM _prisma_migrations WHERE migration_name = '2_quiet'").await;
    let said = pooled.run(Says::Nothing, &["deploy", "--lock-wait=300ms"]).expect_code(75).stderr;
    assert_says(&said, &["PLM211", "`3_hidden`"]);
    assert_eq!(pooled.locks().await, "0");
    // PgBouncer gives each client the setting that the client began with.
    pooled.run(Says::Nothing, &["deploy"]).expect_code(0);
    assert_eq!(pooled.value("SELECT name FROM ship WHERE name LIKE 'C%'").await, "C:\\");
}

/// A backslash in a comment, a name, dollar quotes or an escape string is what it is under either setting.
#[tokio::test]
async fn what_is_read_the_same_both_ways_is_applied_though_backslashes_are_escapes() {
    let pooled = Pooled::new(PoolMode::Transaction).await;
    let pooled = pooled
        .migration("1_init", "-- keeps \\d only\nCREATE TABLE ship (name TEXT, \"a\\b\" INT);")
        .migration("2_digits", "CREATE FUNCTION digits(a TEXT) RETURNS TEXT LANGUAGE sql AS $$ SELECT regexp_replace(a, E'\\\\D', E'', 'g') $$;")
        .migration("3_rows", "INSERT INTO ship VALUES (digits(E'a\\'1')), (E'1\\\\2');");
    let database = pooled.scene.postgres().name().to_owned();
    let set = format!("ALTER DATABASE {database} SET standard_conforming_strings = off");
    pooled.scene.base.execute(&set).await;
    pooled.run(Says::Nothing, &["deploy"]).expect_code(0);
    assert_eq!(pooled.value("SELECT string_agg(name, ' ' ORDER BY name) FROM ship").await, "1 1\\2");
    assert_eq!(pooled.locks().await, "0");
}

/// What the pooler has set on its connection, for every client (`connect_query`), is not ours to take away.
#[tokio::test]
async fn a_setting_of_the_connection_outlives_a_script_that_sets_nothing() {
    let settings = [("default_pool_size", "1")];
    let pooled = Pooled::with(PoolMode::Transaction, &settings).await;
    let client = pooled.pooler.client(pooled.scene.postgres()).await;
    client.batch_execute("SET \"app.tenant\" = 'a'").await.expect("it is set");
    let script = "SET LOCAL ROLE postgres; SET LOCAL \"app.tenant\" = 'b'; CREATE TABLE ship (id INT);";
    let pooled = pooled.migration("1_init", INIT).migration("2_local", &script.replace("ship", "port"));
    pooled.run(Says::Nothing, &["deploy"]).expect_code(0);
    let tenant = async || {
        let row = client.query_one("SELECT current_setting('app.tenant', true)", &[]);
        row.await.expect("it answers").get::<_, Option<String>>(0)
    };
    assert_eq!(tenant().await.as_deref(), Some("a"));
    let pooled = pooled.migration("3_set", "SET \"app.tenant\" = 'b'; CREATE TABLE cargo (id INT);");
    pooled.run(Says::Nothing, &["deploy"]).expect_code(0);
    assert_ne!(tenant().await.as_deref(), Some("b"), "the next client has the setting of a script");
}
