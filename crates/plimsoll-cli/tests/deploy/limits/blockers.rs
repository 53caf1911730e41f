//! Who keeps a migration waiting is said while it waits, and when it has waited in vain.

use mysql_async::prelude::Queryable as _;
use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::Signal;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options, Version};
use plimsoll_testkit::transcript::Transcript;

use crate::scene::{Kind, Scene, assert_says, flat};

const ALTER: &str = "ALTER TABLE ship ADD COLUMN tonnes INT;\n";

/// A table, and a migration that needs it for itself.
async fn scene(kind: Kind) -> Scene {
    let scene = Scene::alone(kind)
        .await
        .migration("1_init", "CREATE TABLE ship (n INT PRIMARY KEY);\nINSERT INTO ship VALUES (1);\n");
    scene.deployed();
    scene.migration("2_alter", ALTER)
}

/// A run that tries once, and long enough for somebody to look.
fn in_vain(scene: &Scene) -> Transcript {
    scene.run(&["deploy", "--lock-timeout=4s", "--lock-wait=0"]).expect_code(75)
}

#[tokio::test]
async fn whoever_holds_what_a_migration_waits_for_is_named_by_postgresql() {
    let scene = scene(Kind::Postgres(Version::V15)).await;
    let reader = scene.postgres().connect().await;
    let read =
        "SET application_name = 'billing'; BEGIN; SELECT n, 'postgresql://u:hush-other@db/x'\n FROM ship;";
    reader.batch_execute(read).await.expect("the table is there");
    let number = reader.query_one("SELECT pg_backend_pid()", &[]).await.expect("it answers").get::<_, i32>(0);
    let ended = in_vain(&scene);
    let who = format!("connection {number} (`billing`, user `");
    let state = ["idle in transaction, its transaction open for", "statement `SELECT pg_backend_pid()`"];
    assert_says(
        &ended.stderr,
        &[&format!("2_alter waits for {who}"), &format!("it waited for {who}"), state[0], state[1]],
    );
    assert_eq!(
        flat(&ended.stderr).matches("2_alter waits for").count(),
        1,
        "who is known is not said again: {ended}"
    );
    reader.batch_execute("COMMIT").await.expect("it is ours");
    scene.deployed();
}

/// They are data of an application's, and who reads our logs, or the pod's status, need not be allowed to read those.
#[tokio::test]
async fn no_value_in_the_statement_of_a_blocker_is_shown_and_the_statement_is_no_first_help() {
    let scene = scene(Kind::Postgres(Version::V15)).await;
    scene.project.write("termination-log", "");
    let message = scene.project.join("termination-log");
    let reader = scene.postgres().connect().await;
    let read =
        "BEGIN; SELECT n, 'postgresql://u:hush-other@db/x', $a$Ann$a$, E'zoe\\'s', 47110815\n FROM ship;";
    reader.batch_execute(read).await.expect("the table is there");
    // Of a limit of the script's own nothing else is said.
    scene.project.set_migration("2_alter", &format!("SET lock_timeout = '4s';\n{ALTER}"));
    let deploy = scene.command(&["deploy", "--lock-wait=0"]);
    let ended = deploy.env("PLIMSOLL_TERMINATION_LOG", &message).run().expect_code(75);
    let message = std::fs::read_to_string(&message).expect("the file is there");
    assert_says(&ended.stderr, &["statement `BEGIN; SELECT n, ?, ?, ? …`", "it waited for connection"]);
    assert!(message.contains("find out who holds what it needs") && !message.contains("SELECT"), "{message}");
    let logs = scene.base.value("SELECT logs FROM _prisma_migrations WHERE migration_name = '2_alter'").await;
    for text in [&ended.stderr, &message, &logs] {
        let shown = ["hush-other", "$Ann", "zoe", "47110815"].into_iter().find(|value| text.contains(value));
        assert_eq!(shown, None, "{text}");
    }
}

/// Somebody who was in the way of the first try may have nothing to do with what ended the last one.
#[tokio::test]
async fn only_whoever_was_in_the_way_of_the_last_try_is_named_at_the_end() {
    let scene = scene(Kind::Postgres(Version::V15)).await;
    scene.base.execute("CREATE SEQUENCE tries").await;
    let script = "DO $$ BEGIN IF nextval('tries') = 1 THEN LOCK TABLE ship; END IF;\n\
        RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$;\n";
    scene.project.set_migration("2_alter", script);
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; SELECT n FROM ship").await.expect("the table is there");
    let ended = scene.run(&["deploy", "--lock-timeout=2s", "--lock-wait=1ms"]).expect_code(75);
    assert_says(&ended.stderr, &["2_alter waits for connection", "PLM211", "not now"]);
    assert!(!flat(&ended.stderr).contains("it waited for"), "{ended}");
}

/// No connection is left for the look, and the run goes on without it.
#[tokio::test]
async fn a_look_that_cannot_be_had_fails_no_run() {
    let scene = scene(Kind::Postgres(Version::V15)).await;
    let name = scene.postgres().name();
    let role = format!("r{}", &name[name.len() - 12..]);
    let statements = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'sesame' CONNECTION LIMIT 1; ALTER TABLE ship OWNER TO {role}; \
         ALTER TABLE _prisma_migrations OWNER TO {role}"
    );
    scene.base.execute(&statements).await;
    let url = scene.postgres().address().user(&role, Some("sesame")).url();
    let reader = scene.postgres().connect().await;
    reader.batch_execute("BEGIN; SELECT n FROM ship").await.expect("the table is there");
    let running = scene.command(&["deploy", "--lock-timeout=300ms", "--url", &url]).spawn();
    running.wait_for_stderr("is tried again");
    reader.batch_execute("COMMIT").await.expect("it is ours");
    let ended = running.wait().expect_code(0);
    assert!(!ended.stderr.contains("waits for connection"), "{ended}");
}

/// A run that is stopped as soon as it has said so.
fn stopped(scene: &Scene, words: &str) -> Transcript {
    let mut running = scene.command(&["deploy", "--lock-timeout=6s"]).spawn();
    running.wait_for_stderr(words);
    running.signal(Signal::TERM);
    running.wait().expect_code(143)
}

#[tokio::test]
async fn whoever_holds_what_a_migration_waits_for_is_named_by_mysql_and_mariadb() {
    for flavour in Flavour::ALL {
        let scene = scene(Kind::Mysql(flavour)).await;
        let mut reader = scene.base.mysql().connect().await;
        reader.query_drop("BEGIN; SELECT n FROM ship").await.expect("the table is there");
        let number = reader.id();
        // Of the locks of tables MariaDB tells nothing by default: whoever has a transaction open may hold them.
        let possibly = if flavour.is_mysql() { "" } else { "a lock, which one of these may hold: " };
        let ended = stopped(&scene, &format!("2_alter waits for {possibly}connection {number} ("));
        let state = "idle in transaction, its transaction open for";
        assert_says(&ended.stderr, &[state, &format!("it waited for {possibly}connection {number} (")]);
        reader.query_drop("COMMIT; BEGIN; UPDATE ship SET n = 2").await.expect("nobody else has it");
        scene.project.set_migration("2_alter", "UPDATE ship SET n = 3;\n");
        scene.base.execute("DELETE FROM _prisma_migrations WHERE migration_name = '2_alter'").await;
        let ended = stopped(&scene, &format!("2_alter waits for connection {number} ("));
        let shown = flat(&ended.stderr).contains("statement `UPDATE ship SET n = ?`");
        // MariaDB tells the statement only while it is being executed.
        assert!(shown == flavour.is_mysql() && !ended.stderr.contains("n = 2"), "{ended}");
        reader.query_drop("COMMIT").await.expect("it is ours");
        scene.deployed();
    }
}

/// To look through all locks takes long on a server with many tables.
#[tokio::test]
async fn a_statement_of_mysql_that_waits_for_no_table_has_nobody_look_through_the_locks_of_tables() {
    // On a server where nobody else looks.
    let server = MysqlServer::start(Flavour::Mysql, &Options::default());
    let database = server.database().await;
    // A look that the end of the statement overtakes is given up: there is time for one on a machine that has much to do.
    let long = "CREATE TABLE ship AS SELECT SLEEP(4) AS n;\n";
    let project = Project::new(Provider::Mysql).env_url(database.url()).migration("1_long", long);
    plimsoll(&project).arg("deploy").run().expect_code(0);
    let times = async |table: &str| {
        let asked = format!(
            "SELECT COUNT(*) FROM performance_schema.events_statements_summary_by_digest \
             WHERE DIGEST_TEXT LIKE '%{table}%'"
        );
        database.value(&asked).await
    };
    assert_eq!(times("data_lock_waits").await, "1", "it has been looked");
    assert_eq!(times("metadata_locks").await, "0");
    assert_eq!(times("PROCESSLIST%INNODB_TRX").await, "0", "nobody is asked for who may hold one");
}

/// A user who may see nothing of others is told nothing, and goes on.
#[tokio::test]
async fn a_user_of_mysql_who_may_not_look_goes_on_without() {
    let scene = scene(Kind::Mysql(Flavour::Mysql)).await;
    let database = scene.base.mysql();
    let name = format!("u{}", &database.name()[database.name().len() - 12..]);
    let user =
        format!("CREATE USER {name} IDENTIFIED BY 'sesame'; GRANT ALL ON {}.* TO {name}", database.name());
    database.execute(&user).await;
    let reader = database.reading("ship").await;
    let url = database.address().user(&name, Some("sesame")).url();
    let running = scene.command(&["deploy", "--lock-timeout=2s", "--url", &url]).spawn();
    running.wait_for_stderr("is tried again");
    reader.release().await;
    let ended = running.wait().expect_code(0);
    assert!(!ended.stderr.contains("waits for connection"), "{ended}");
}
