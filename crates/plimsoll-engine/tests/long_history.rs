//! What a server says of a long history in one row, beside what its rows say.

use std::path::Path;

use plimsoll_core::history::Snapshot;
use plimsoll_core::plan::{IfAhead, plan};
use plimsoll_core::url::DatabaseUrl;
use plimsoll_core::{Migration, Migrations, Provider, Script, Secret};
use plimsoll_engine::postgres::Scope;
use plimsoll_engine::{Backend as _, Postgres, Session as _};
use plimsoll_testkit::database::Database;
use plimsoll_testkit::server::{Options, PostgresServer, Role, Version, postgres};

/// Enough for the server to be asked, also without the names that are not ASCII.
const LONG: usize = 1020;

/// The history table as Prisma creates it.
const TABLE: &str = "CREATE TABLE _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0);";

/// What the server is expected to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Exact,
    Rows,
}

/// What was done to a history in which everything had been applied once.
const CASES: &[(&str, &str, Says)] = &[
    ("nothing", "SELECT 1", Says::Exact),
    ("applied in another order", "UPDATE @ SET started_at = now() WHERE id = '7'", Says::Exact),
    (
        "rolled back, and again",
        "INSERT INTO @ (id, checksum, migration_name, logs, rolled_back_at) SELECT 'a', checksum, migration_name, 'why', now() FROM @ WHERE id = '7'",
        Says::Exact,
    ),
    (
        "rolled back, of another",
        "INSERT INTO @ (id, checksum, migration_name, rolled_back_at) VALUES ('a', 'b', 'c', now())",
        Says::Exact,
    ),
    ("rolled back after it was finished", "UPDATE @ SET rolled_back_at = now() WHERE id = '7'", Says::Rows),
    ("edited", "UPDATE @ SET checksum = repeat('0', 64) WHERE id = '7'", Says::Rows),
    ("an older checksum", "UPDATE @ SET checksum = substr(checksum, 2) WHERE id = '7'", Says::Rows),
    ("an empty checksum", "UPDATE @ SET checksum = '' WHERE id = '7'", Says::Rows),
    (
        "no checksum",
        "ALTER TABLE @ ALTER checksum DROP NOT NULL; UPDATE @ SET checksum = NULL WHERE id = '7'",
        Says::Rows,
    ),
    (
        "no name",
        "ALTER TABLE @ ALTER migration_name DROP NOT NULL; UPDATE @ SET migration_name = NULL WHERE id = '7'",
        Says::Rows,
    ),
    (
        "checksums exchanged",
        "UPDATE @ a SET checksum = b.checksum FROM @ b WHERE (a.id, b.id) IN (('7', '8'), ('8', '7'))",
        Says::Rows,
    ),
    (
        "names exchanged",
        "UPDATE @ a SET migration_name = b.migration_name FROM @ b WHERE (a.id, b.id) IN (('7', '8'), ('8', '7'))",
        Says::Rows,
    ),
    ("missing", "DELETE FROM @ WHERE id = '7'", Says::Rows),
    ("the last is missing", "DELETE FROM @ WHERE id = (SELECT max(id::int) FROM @)::text", Says::Rows),
    ("one more", "INSERT INTO @ SELECT 'a', checksum, finished_at, 'zzz' FROM @ WHERE id = '7'", Says::Rows),
    ("another in its place", "UPDATE @ SET migration_name = 'zzz' WHERE id = '7'", Says::Rows),
    ("another case", "UPDATE @ SET migration_name = upper(migration_name) WHERE id = '7'", Says::Rows),
    ("a blank behind it", "UPDATE @ SET migration_name = migration_name || ' ' WHERE id = '7'", Says::Rows),
    (
        "twice",
        "INSERT INTO @ SELECT 'a', checksum, finished_at, migration_name FROM @ WHERE id = '7'",
        Says::Rows,
    ),
    (
        "twice, and another missing",
        "UPDATE @ SET (checksum, migration_name) = (SELECT checksum, migration_name FROM @ WHERE id = '8') WHERE id = '7'",
        Says::Rows,
    ),
    ("failed", "UPDATE @ SET finished_at = NULL WHERE id = '7'", Says::Rows),
    (
        "failed, and applied as well",
        "INSERT INTO @ (id, checksum, migration_name) SELECT 'a', checksum, migration_name FROM @ WHERE id = '7'",
        Says::Rows,
    ),
    (
        "another failed",
        "INSERT INTO @ (id, checksum, migration_name, logs) VALUES ('a', 'b', 'c', 'why')",
        Says::Rows,
    ),
    (
        "two in one row",
        "UPDATE @ a SET migration_name = a.migration_name || '/' || a.checksum || '/' || b.migration_name, checksum = b.checksum FROM @ b WHERE (a.id, b.id) = ('100', '101'); DELETE FROM @ WHERE id = '101'",
        Says::Rows,
    ),
    (
        "two in one row, and an empty one",
        "UPDATE @ a SET migration_name = a.migration_name || '/' || a.checksum || '/' || b.migration_name, checksum = b.checksum FROM @ b WHERE (a.id, b.id) = ('100', '101'); UPDATE @ SET (migration_name, checksum) = ('', '') WHERE id = '101'",
        Says::Rows,
    ),
    ("nothing left", "DELETE FROM @", Says::Rows),
];

/// As many as are read in one piece, among them names that have to be told apart to the byte.
fn project() -> Migrations {
    let odd = ["a b", "ä", "a\u{308}", "Ä", "'", "\"", "\\", "a\nb", "%s", "\u{1f6a2}", "A", "a", "_", "-"];
    let plain = (odd.len()..LONG).map(|number| format!("{}_entry", 20_240_101_000_000 + number));
    let names = odd.into_iter().map(str::to_owned).chain(plain);
    let script = |name: &str| Script::new(format!("SELECT '{name}'"));
    Migrations::new(names.map(|name| Migration::new(&name, &name, script(&name))).collect(), None)
}

/// Everything applied, as a run does it; the ids are numbers.
fn applied(migrations: &Migrations) -> String {
    let row = |(number, migration): (usize, &Migration)| {
        let checksum = migration.script().expect("it is a text").checksum();
        let name = migration.name().replace('\'', "''");
        format!("('{number}', '{checksum}', now(), '{name}', now() + {number} * interval '1 ms', 1)")
    };
    let rows: Vec<String> = migrations.list().iter().enumerate().map(row).collect();
    format!(
        "SET standard_conforming_strings = on; INSERT INTO _prisma_migrations \
         (id, checksum, finished_at, migration_name, started_at, applied_steps_count) VALUES {}",
        rows.join(", ")
    )
}

fn backend(url: &str) -> Postgres {
    let url = DatabaseUrl::parse(Provider::Postgresql, &Secret::new(url.to_owned()), Path::new("/"));
    let Ok(DatabaseUrl::Postgres(url)) = url else { panic!("{url:?}") };
    Postgres::new(*url, "test", Scope::default()).expect("it has no certificates")
}

async fn read(backend: &Postgres, expected: Option<&Migrations>) -> Snapshot {
    let mut session = backend.connect(expected).await.expect("the server runs");
    let snapshot = session.read().await.expect("it was read when it was connected to");
    session.close().await;
    snapshot
}

/// What the server says, once it is known that the same is to be done as its rows say.
async fn said(backend: &Postgres, migrations: &Migrations, case: &str) -> Says {
    let asked = read(backend, Some(migrations)).await;
    let rows = read(backend, None).await;
    for policy in IfAhead::ALL {
        let [asked, rows] = [&asked, &rows].map(|seen| plan(migrations, Provider::Postgresql, seen, policy));
        assert_eq!(asked, rows, "{case}");
    }
    if asked == Snapshot::Exact {
        return Says::Exact;
    }
    assert_eq!(asked, rows, "{case}");
    Says::Rows
}

async fn check(database: &Database<'_>, migrations: &Migrations) {
    let backend = backend(&database.url());
    for (case, change, expected) in CASES {
        database.execute(&format!("DROP TABLE IF EXISTS _prisma_migrations; {TABLE}")).await;
        database.execute(&applied(migrations)).await;
        database.execute(&change.replace('@', "_prisma_migrations")).await;
        assert_eq!(said(&backend, migrations, case).await, *expected, "{case}");
    }
}

#[tokio::test]
async fn what_is_said_in_one_row_is_what_the_rows_say() {
    let migrations = project();
    for version in Version::ALL {
        check(&postgres(version).database().await, &migrations).await;
    }
}

#[tokio::test]
async fn other_encodings_and_orders_of_a_database_bring_the_rows_at_worst() {
    let migrations = project();
    let server = postgres(Version::V15);
    let plain = Migrations::new(
        migrations.list().iter().filter(|migration| migration.name().is_ascii()).cloned().collect(),
        None,
    );
    for encoding in ["LATIN1", "SQL_ASCII", "UTF8"] {
        let maintenance = server.database().await;
        let name = format!("long_{}", encoding.to_lowercase());
        maintenance
            .execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"))
            .await;
        let database = server.database_called(&name);
        database.execute(TABLE).await;
        database.execute(&applied(&plain)).await;
        let backend = backend(&database.url());
        assert_eq!(said(&backend, &plain, encoding).await, Says::Exact, "{encoding}");
        database.execute("UPDATE _prisma_migrations SET migration_name = 'é' WHERE id = '7'").await;
        assert_eq!(said(&backend, &plain, encoding).await, Says::Rows, "{encoding}");
    }
}

#[tokio::test]
async fn whoever_cannot_be_asked_sends_the_rows() {
    let migrations = project();
    let database = postgres(Version::V15).database().await;
    database.execute(TABLE).await;
    database.execute(&applied(&migrations)).await;
    database.execute(&format!("GRANT SELECT ON _prisma_migrations TO {}", Role::Trusted.name())).await;
    let backend = backend(&database.address().role(Role::Trusted).url());
    for (function, says) in
        [("pg_identify_object_as_address(oid, oid, int)", Says::Exact), ("sha256(bytea)", Says::Rows)]
    {
        // As on a server that does not have it.
        database.execute(&format!("REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC")).await;
        assert_eq!(said(&backend, &migrations, function).await, says, "{function}");
    }
}

#[tokio::test]
async fn rows_are_read_oldest_first_wherever_they_stand() {
    let names = |snapshot: &Snapshot| -> Vec<String> {
        snapshot.history().rows().iter().map(|row| row.migration_name.clone()).collect()
    };
    for version in Version::ALL {
        let database = postgres(version).database().await;
        database.execute(TABLE).await;
        let insert = "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES \
                      ('1', '', 'third', '2024-01-01 00:00:00.000003Z'), ('2', '', 'first', '1969-12-31Z'), \
                      ('3', '', 'second', '2024-01-01 00:00:00.000002Z')";
        database.execute(insert).await;
        let backend = backend(&database.url());
        assert_eq!(names(&read(&backend, None).await), ["first", "second", "third"]);
        assert_eq!(names(&read(&backend, Some(&project())).await), ["first", "second", "third"]);
    }
}

#[tokio::test]
async fn a_run_that_finds_a_long_history_as_it_should_be_sends_two_messages() {
    let migrations = project();
    let server = PostgresServer::start(Version::V18, &Options::default().setting("log_statement", "all"));
    let database = server.database().await;
    database.execute(TABLE).await;
    database.execute(&applied(&migrations)).await;
    let backend = backend(&database.url());
    let sent = || server.log().matches("LOG:  statement: ").count();
    for (change, messages) in [("SELECT 1", 2), ("UPDATE _prisma_migrations SET checksum = id", 2)] {
        database.execute(change).await;
        let before = sent();
        read(&backend, Some(&migrations)).await;
        assert_eq!(sent() - before, messages, "{change}");
    }
}
