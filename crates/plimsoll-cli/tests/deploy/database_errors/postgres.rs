//! PostgreSQL: its errors, raised by scripts, and met by their causes.

use plimsoll_engine::classes::{Known, Trouble};
use plimsoll_engine::postgres::ERRORS;
use plimsoll_testkit::address::Address;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::Database;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{self, Version};

use super::{Kind, Scene, assert_says, assert_tried, ended_as, exit, raise, start};

const NEWEST: Version = Version::V18;

/// Errors, and scripts that meet them. `gate` is a table that somebody else has locked.
const SCRIPTS: &[(&str, &str)] = &[
    ("0A000", "CREATE TABLE t (a INT); ALTER TABLE t ALTER a SET STORAGE EXTERNAL"),
    ("22012", "SELECT 1 / 0"),
    ("23505", "CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1), (1)"),
    ("25006", "SET TRANSACTION READ ONLY; CREATE TABLE t ()"),
    ("25P04", "SET LOCAL transaction_timeout = '50ms'; SELECT pg_sleep(10)"),
    ("2BP01", "CREATE TABLE t (a INT); CREATE VIEW v AS SELECT a FROM t; DROP TABLE t"),
    ("42501", "SET ROLE pg_monitor; CREATE TABLE pg_catalog.t ()"),
    ("42601", "SELEC 1"),
    ("42P01", "SELECT * FROM nowhere"),
    (
        "53400",
        "SET LOCAL temp_file_limit = '64kB'; SET LOCAL work_mem = '64kB'; \
         SELECT count(*) FROM (SELECT a FROM generate_series(1, 100000) AS s (a) ORDER BY -a OFFSET 1) AS t",
    ),
    ("55P03", "LOCK TABLE gate NOWAIT"),
    ("57014", "SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(10)"),
    ("57P01", "SELECT pg_terminate_backend(pg_backend_pid()); SELECT pg_sleep(10)"),
    ("P0001", "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$"),
];

/// What a server refuses a connection with, and how it comes to that: statements in which `WHERE` and `WHO` stand for names.
const REFUSALS: &[(&str, &str)] = &[
    ("28000", "CREATE ROLE WHO PASSWORD 'sesame'"),
    ("28P01", "CREATE ROLE WHO LOGIN PASSWORD 'another'"),
    ("42501", "CREATE ROLE WHO LOGIN PASSWORD 'sesame'; REVOKE CONNECT ON DATABASE WHERE FROM public"),
    ("53300", "CREATE ROLE WHO LOGIN PASSWORD 'sesame' CONNECTION LIMIT 0"),
    ("55000", "CREATE ROLE WHO LOGIN PASSWORD 'sesame'; ALTER DATABASE WHERE ALLOW_CONNECTIONS false"),
];

fn row(code: &str) -> &'static Known {
    ERRORS.iter().find(|row| row.code == code).expect("it is in the table")
}

#[test]
fn what_is_said_to_be_met_is_met() {
    let met = SCRIPTS.iter().chain(REFUSALS).map(|(code, _)| *code).chain(["3D000"]);
    assert_tried(ERRORS, &met.collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_script_raises_ends_as_its_class() {
    for row in ERRORS.iter().filter(|row| row.session != Trouble::Script && !row.code.ends_with("***")) {
        let script = format!("DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '{}'; END $$", row.code);
        let scene = Scene::new(Kind::Postgres(NEWEST)).await;
        raise(&scene.project, row, &script);
        assert!(scene.applied().await.is_empty(), "{}", row.code);
    }
}

#[tokio::test]
async fn what_a_script_meets_ends_as_its_class() {
    let mut running = Vec::new();
    for (code, script) in SCRIPTS {
        let scene = Scene::new(Kind::Postgres(NEWEST)).await.migration("1_meets", script);
        let other = scene.postgres().connect().await;
        other.batch_execute("CREATE TABLE kept (); DROP TABLE kept").await.expect("it may do everything");
        let holds = *code == "55P03";
        if holds {
            other.batch_execute("CREATE SCHEMA held; CREATE TABLE held.gate ()").await.expect("so it may");
            other.batch_execute("BEGIN; LOCK TABLE held.gate").await.expect("nobody else has it");
            scene.project.set_migration("1_meets", &script.replace("gate", "held.gate"));
        }
        running.push((*code, start(&scene.project), scene, other));
    }
    for (code, run, scene, _other) in running {
        let ended = ended_as(run.wait(), row(code).session, code);
        // The end of a session has no code that would be shown.
        if row(code).session != Trouble::Lost {
            assert_says(&ended.stderr, &[code]);
        }
        assert!(scene.applied().await.is_empty());
    }
}

fn project(address: &Address) -> Project {
    Project::new(Kind::Postgres(NEWEST).provider()).env_url(address.url()).migration("1_init", "SELECT 1")
}

/// A role of its own for whoever connects to this database.
fn role(database: &Database<'_>) -> String {
    format!("r_{}", database.name())
}

#[tokio::test]
async fn what_a_server_refuses_a_connection_with_ends_as_its_class() {
    for (code, statements) in REFUSALS {
        let keeper = server::postgres(NEWEST).database().await;
        let database = server::postgres(NEWEST).database().await;
        let role = role(&database);
        keeper.execute(&statements.replace("WHERE", database.name()).replace("WHO", &role)).await;
        let address = database.address().user(&role, Some("sesame"));
        let class = row(code).connecting;
        let ended =
            plimsoll(&project(&address)).args(["deploy", "--wait=0"]).run().expect_code(exit(class.code()));
        assert_says(&ended.stderr, &[class.code().as_str()]);
        keeper.execute(&format!("DROP ROLE {role}")).await;
    }
    let missing = server::postgres(NEWEST).missing_database();
    let class = row("3D000").connecting;
    let ended = plimsoll(&project(&missing.address())).arg("status").run().expect_code(exit(class.code()));
    assert_says(&ended.stderr, &[class.code().as_str()]);
}

/// The same code as of a table that others use, which passes.
#[tokio::test]
async fn a_table_that_a_script_itself_still_uses_is_its_own_fault() {
    let script = "CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT REFERENCES p DEFERRABLE INITIALLY DEFERRED); \
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1); ALTER TABLE c ADD COLUMN n INT";
    let scene = Scene::new(Kind::Postgres(NEWEST)).await.migration("1_uses", script);
    let ended = start(&scene.project).wait().expect_code(65);
    assert_says(&ended.stderr, &["P3018", "55006", "pending trigger events"]);
}
