//! What a command that only reads must leave as it is.

use std::fmt::Write as _;

use crate::database::{Database, MysqlDatabase, SqliteDatabase};

/// Every table with its columns and files, every schema, and every row of the history with the transactions that wrote it.
pub(super) async fn postgres(database: &Database<'_>) -> String {
    let schemas = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)' ORDER BY 1";
    let tables = "SELECT c.oid::regclass, c.relkind, c.relfilenode, c.reltuples, a.attname, a.atttypid::regtype \
                  FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
                  WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace, \
                  'information_schema'::regnamespace) ORDER BY 1, a.attnum";
    let mut text = format!("{:?}\n{:?}\n", database.query(schemas).await, database.query(tables).await);
    if !database.history().await.is_empty() {
        let rows = database.query("SELECT xmin, xmax, * FROM _prisma_migrations ORDER BY id").await;
        let _infallible = writeln!(text, "{rows:?}");
    }
    text
}

/// Whether it exists, all its objects with the instants at which they were made, and every row of the history.
pub(super) async fn mysql(database: &MysqlDatabase<'_>) -> String {
    if !database.exists().await {
        return String::new();
    }
    let tables = "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, CREATE_TIME, TABLE_COLLATION FROM information_schema.TABLES \
                  WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1";
    let mut text = format!("{:?}\n{}", database.query(tables).await, database.schema_dump());
    if !database.history().await.is_empty() {
        let rows = database.query("SELECT * FROM _prisma_migrations ORDER BY id").await;
        let _infallible = writeln!(text, "{rows:?}");
    }
    text
}

/// The names and contents of all files beside a database, its journals among them.
pub(super) fn sqlite(database: &SqliteDatabase) -> String {
    let parent = database.path().parent().expect("a file is in a directory");
    let files = std::fs::read_dir(parent).expect("the directory is ours");
    let mut files: Vec<_> = files.map(|entry| entry.expect("the directory is ours").path()).collect();
    files.sort();
    let content = |path: &std::path::PathBuf| (path.clone(), std::fs::read(path).expect("the file is ours"));
    format!("{:?}", files.iter().map(content).collect::<Vec<_>>())
}
