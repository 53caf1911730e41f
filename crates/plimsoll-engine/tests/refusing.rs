//! What refuses a transaction, said by Plimsoll's table and by real servers.

use plimsoll_core::script::postgres::refusing::{TABLE, first_refusing};
use plimsoll_testkit::server::{Options, PostgresServer, Version};
use tokio_postgres::Client;

/// SQLSTATE `active_sql_transaction`.
const REFUSED: &str = "25001";

/// For every row of the table, a statement that it has to fit.
const REFUSING: &[(&str, &str)] = &[
    ("CREATE INDEX CONCURRENTLY", "CREATE INDEX CONCURRENTLY ON t (b)"),
    ("CREATE INDEX CONCURRENTLY", "CREATE UNIQUE INDEX CONCURRENTLY j ON t (b)"),
    ("DROP INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY i"),
    ("REINDEX CONCURRENTLY", "REINDEX TABLE CONCURRENTLY t"),
    ("REINDEX CONCURRENTLY", "REINDEX (VERBOSE) INDEX CONCURRENTLY i"),
    ("REINDEX SCHEMA", "REINDEX (VERBOSE) SCHEMA public"),
    ("REINDEX DATABASE", "REINDEX DATABASE here"),
    ("REINDEX SYSTEM", "REINDEX SYSTEM here"),
    ("VACUUM", "VACUUM (ANALYZE) t"),
    ("CLUSTER", "CLUSTER"),
    ("CLUSTER", "CLUSTER VERBOSE"),
    ("ALTER SYSTEM", "ALTER SYSTEM RESET work_mem"),
    ("CREATE DATABASE", "CREATE DATABASE other"),
    ("DROP DATABASE", "DROP DATABASE IF EXISTS other"),
    ("ALTER DATABASE … SET TABLESPACE", "ALTER DATABASE here SET TABLESPACE pg_default"),
    ("CREATE TABLESPACE", "CREATE TABLESPACE space LOCATION '/'"),
    ("DROP TABLESPACE", "DROP TABLESPACE IF EXISTS space"),
    ("ALTER TABLE … DETACH PARTITION … CONCURRENTLY", "ALTER TABLE parts DETACH PARTITION part CONCURRENTLY"),
    ("DISCARD ALL", "DISCARD ALL"),
    ("COMMIT PREPARED", "COMMIT PREPARED 'x'"),
    ("ROLLBACK PREPARED", "ROLLBACK PREPARED 'x'"),
    (
        "CREATE SUBSCRIPTION",
        "CREATE SUBSCRIPTION third CONNECTION 'port=1' PUBLICATION p WITH (enabled = false)",
    ),
    ("DROP SUBSCRIPTION", "DROP SUBSCRIPTION sleeping"),
    ("ALTER SUBSCRIPTION … REFRESH PUBLICATION", "ALTER SUBSCRIPTION awake REFRESH PUBLICATION"),
    ("ALTER SUBSCRIPTION … PUBLICATION", "ALTER SUBSCRIPTION awake SET PUBLICATION q"),
    (
        "ALTER SUBSCRIPTION … PUBLICATION",
        "ALTER SUBSCRIPTION awake ADD PUBLICATION q WITH (copy_data = false)",
    ),
    ("ALTER SUBSCRIPTION … PUBLICATION", "ALTER SUBSCRIPTION two DROP PUBLICATION q"),
    ("ALTER SUBSCRIPTION … SET (failover)", "ALTER SUBSCRIPTION sleeping SET (failover = true)"),
    ("ALTER SUBSCRIPTION … SET (two_phase = false)", "ALTER SUBSCRIPTION sleeping SET (two_phase = false)"),
];

/// Statements that look like those, and run inside a transaction.
const NEIGHBOURS: &[&str] = &[
    "CREATE INDEX concurrently_made ON t (b)",
    "DROP INDEX i",
    "REINDEX TABLE t",
    "REINDEX INDEX i",
    "REINDEX TABLE \"schema\"",
    "ANALYZE t",
    "CLUSTER t USING i",
    "CLUSTER VERBOSE t USING i",
    "ALTER DATABASE here SET work_mem TO '1MB'",
    "ALTER DATABASE here CONNECTION LIMIT 10",
    "ALTER TABLE t SET TABLESPACE pg_default",
    "ALTER TABLESPACE pg_default SET (seq_page_cost = 1)",
    "ALTER TABLE parts DETACH PARTITION part",
    "DISCARD PLANS",
    "CHECKPOINT",
    "CREATE SUBSCRIPTION third CONNECTION 'port=1' PUBLICATION p WITH (connect = false)",
    "ALTER SUBSCRIPTION awake SET PUBLICATION q WITH (refresh = false)",
    "ALTER SUBSCRIPTION awake DISABLE",
    "ALTER SUBSCRIPTION sleeping SET (slot_name = NONE)",
    "ALTER TYPE mood ADD VALUE 'sad'",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY view",
    "PREPARE x AS SELECT 'VACUUM'",
];

/// What the neighbours and the refusing need to find. No worker is started for a subscription.
const BEFORE: &[&str] = &[
    "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a); CREATE TABLE \"schema\" ()",
    "CREATE TABLE parts (a int) PARTITION BY LIST (a); CREATE TABLE part PARTITION OF parts FOR VALUES IN (1)",
    "CREATE INDEX whole ON parts (a)",
    "CREATE TYPE mood AS ENUM ('good'); CREATE MATERIALIZED VIEW view AS SELECT 1 AS a; CREATE UNIQUE INDEX v ON view (a)",
    "CREATE DATABASE here",
    "CREATE SUBSCRIPTION sleeping CONNECTION 'port=1' PUBLICATION p WITH (connect = false, slot_name = 'a')",
    "CREATE SUBSCRIPTION awake CONNECTION 'port=1' PUBLICATION p WITH (connect = false, slot_name = 'b')",
    "CREATE SUBSCRIPTION two CONNECTION 'port=1' PUBLICATION p, q WITH (connect = false, slot_name = 'c')",
    "ALTER SUBSCRIPTION awake ENABLE",
    "ALTER SUBSCRIPTION two ENABLE",
];

fn start(version: Version) -> PostgresServer {
    let options = Options::default()
        .setting("max_prepared_transactions", "1")
        .setting("max_logical_replication_workers", "0");
    PostgresServer::start(version, &options)
}

async fn execute(client: &Client, statement: &str) {
    client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
}

/// The SQLSTATE of what a statement gets inside a transaction, whose effect is undone; empty if it works.
async fn inside_a_transaction(client: &Client, statement: &str) -> String {
    execute(client, "BEGIN").await;
    let result = client.batch_execute(statement).await;
    execute(client, "ROLLBACK").await;
    let code =
        |error: tokio_postgres::Error| error.code().map_or(error.to_string(), |it| it.code().to_owned());
    result.err().map(code).unwrap_or_default()
}

#[test]
fn every_row_of_the_table_is_tried() {
    for row in TABLE {
        assert!(REFUSING.iter().any(|(what, _)| *what == row.what()), "nothing tries {}", row.what());
    }
}

#[tokio::test]
async fn what_the_table_says_is_what_servers_say() {
    for version in Version::EACH {
        let server = start(version);
        let database = server.database().await;
        let client = database.connect().await;
        for statement in BEFORE {
            execute(&client, statement).await;
        }
        for (what, statement) in REFUSING {
            assert_eq!(first_refusing(statement), Some(*what), "{statement}");
            let row = TABLE.iter().find(|row| row.what() == *what).expect("it was just found");
            let code = inside_a_transaction(&client, statement).await;
            let refused = code == REFUSED;
            let (since, source) = (row.since(), row.source());
            assert_eq!(refused, since <= version.major(), "{version:?}: {statement}: {code:?}: {source}");
        }
        for statement in NEIGHBOURS {
            assert_eq!(first_refusing(statement), None, "{statement}");
            assert_eq!(inside_a_transaction(&client, statement).await, "", "{version:?}: {statement}");
        }
    }
}

#[tokio::test]
async fn what_no_text_shows_is_refused_by_the_server() {
    for (statement, since) in
        [("REINDEX TABLE parts", 14), ("REINDEX INDEX whole", 14), ("CLUSTER parts USING whole", 15)]
    {
        for version in Version::EACH {
            let database = plimsoll_testkit::server::postgres(version).database().await;
            let client = database.connect().await;
            execute(&client, BEFORE[1]).await;
            execute(&client, BEFORE[2]).await;
            let refused = inside_a_transaction(&client, statement).await == REFUSED;
            assert_eq!(refused, since <= version.major(), "{version:?}: {statement}");
            assert_eq!(first_refusing(statement), None);
        }
    }
}

#[tokio::test]
async fn a_script_is_read_with_the_strings_that_were_standard_before_it() {
    for version in Version::ALL {
        let database = plimsoll_testkit::server::postgres(version).database().await;
        database
            .execute("SET standard_conforming_strings = off; CREATE TABLE s AS SELECT '\\'::text AS a")
            .await;
        assert_eq!(database.value("SELECT a FROM s").await, "\\");
    }
}
