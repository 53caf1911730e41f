//! Databases come and go with their test.

use plimsoll_testkit::database::SqliteDatabase;
use plimsoll_testkit::server::{Version, postgres};

const HISTORY: &str = "
    CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL,
        finished_at TIMESTAMP, migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMP,
        started_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, applied_steps_count INTEGER NOT NULL DEFAULT 0);
    INSERT INTO _prisma_migrations (id, checksum, migration_name, applied_steps_count)
        VALUES ('4b8a725a-f33c-4a5e-a339-a73a7170cf4b', 'sum', 'init', 1);";

#[tokio::test]
async fn a_database_is_dropped_after_a_passing_test() {
    let server = postgres(Version::V15);
    let witness = server.database().await;
    let count = |name: &str| format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    let database = server.database_named("with \"quotes\" and Space ").await;
    let name = database.name().to_owned();
    assert_eq!(witness.value(&count(&name)).await, "1");
    let open = database.connect().await;
    drop(database);
    assert_eq!(witness.value(&count(&name)).await, "0");
    drop(open);
}

#[tokio::test]
async fn a_database_is_kept_when_its_test_panics() {
    let server = postgres(Version::V15);
    let witness = server.database().await;
    let database = server.database().await;
    let name = database.name().to_owned();
    let test = std::thread::spawn(move || {
        let _kept = database;
        panic!("as a failing test does");
    });
    assert!(test.join().is_err());
    assert_eq!(
        witness.value(&format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")).await,
        "1"
    );
}

#[tokio::test]
async fn a_missing_database_is_dropped_by_whoever_creates_it() {
    let server = postgres(Version::V13);
    let witness = server.database().await;
    let count = |name: &str| format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    let missing = server.missing_database();
    let name = missing.name().to_owned();
    assert_eq!(witness.value(&count(&name)).await, "0");
    witness.connect().await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    drop(missing);
    assert_eq!(witness.value(&count(&name)).await, "0");
}

#[tokio::test]
async fn dumps_of_equal_schemas_are_equal_and_of_others_are_not() {
    let server = postgres(Version::V15);
    let (one, other) = (server.database().await, server.database_named("it's = \\ \"odd\" ").await);
    one.execute("CREATE TABLE a (id int PRIMARY KEY); CREATE INDEX i ON a (id DESC)").await;
    other.execute("CREATE TABLE a (id int PRIMARY KEY)").await;
    assert_ne!(one.schema_dump(), other.schema_dump());
    other.execute("CREATE INDEX i ON a (id DESC)").await;
    assert_eq!(one.schema_dump(), other.schema_dump());
    assert!(one.schema_dump().contains("CREATE INDEX i ON public.a"));
}

#[tokio::test]
async fn the_history_reads_the_same_on_both_databases() {
    let server = postgres(Version::V13);
    let postgres = server.database().await;
    let sqlite = SqliteDatabase::new();
    assert!(postgres.history().await.is_empty() && sqlite.history().is_empty());
    postgres.execute(HISTORY).await;
    sqlite.execute(HISTORY);
    assert_eq!(postgres.history().await, sqlite.history());
    let text = sqlite.history()[0].to_string();
    assert!(text.starts_with("id|<id>\nchecksum|sum\nfinished_at|\nmigration_name|init\n"), "{text}");
    assert!(text.ends_with("started_at|<time>\napplied_steps_count|1\n"), "{text}");
}

#[test]
fn a_sqlite_file_goes_with_its_test_and_does_not_exist_before() {
    let database = SqliteDatabase::new();
    let path = database.path().to_owned();
    assert!(!path.exists());
    assert_eq!(database.schema_dump(), "");
    database.execute("CREATE TABLE a (id INTEGER, note TEXT)");
    database.execute("INSERT INTO a VALUES (7, NULL)");
    assert_eq!(database.query("SELECT * FROM a"), [[Some("7".to_owned()), None]]);
    assert_eq!(database.schema_dump(), "CREATE TABLE a (id INTEGER, note TEXT);\n");
    drop(database);
    assert!(!path.exists());
}
