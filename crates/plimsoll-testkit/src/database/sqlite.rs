//! A SQLite file for one test.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

use super::Rows;
use crate::history::{self, HistoryRow};

/// A database file in a directory of its own. The file does not exist until somebody creates it.
pub struct SqliteDatabase {
    directory: Option<TempDir>,
    path: PathBuf,
}

impl Default for SqliteDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl SqliteDatabase {
    /// A place for a database file, which does not exist yet.
    pub fn new() -> Self {
        let directory =
            TempDir::with_prefix("plimsoll-sqlite-").expect("there is a place for temporary files");
        let path = directory.path().join("test.db");
        Self { directory: Some(directory), path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The URL as a Prisma schema has it, with an absolute path.
    pub fn url(&self) -> String {
        format!("file:{}", self.path.display())
    }

    /// A connection, which creates the file.
    pub fn connect(&self) -> Connection {
        Connection::open(&self.path).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }

    /// Runs statements.
    pub fn execute(&self, statements: &str) {
        self.connect().execute_batch(statements).unwrap_or_else(|error| panic!("{statements}\n{error}"));
    }

    /// The rows of a query.
    pub fn query(&self, query: &str) -> Rows {
        read(&self.connect(), query).unwrap_or_else(|error| panic!("{query}\n{error}"))
    }

    /// The first value of a query, which must not be NULL.
    pub fn value(&self, query: &str) -> String {
        let value = self.query(query).into_iter().next().and_then(|row| row.into_iter().next());
        value.flatten().unwrap_or_else(|| panic!("{query}: no value"))
    }

    /// The history in the order in which it came about, with markers for what differs from run to run. It is empty if
    /// there is no history table, or no file.
    pub fn history(&self) -> Vec<HistoryRow> {
        const TABLE: &str = "_prisma_migrations";
        let exists = format!("SELECT 1 FROM sqlite_master WHERE name = '{TABLE}'");
        if !self.path.exists() || self.query(&exists).is_empty() {
            return Vec::new();
        }
        history::normalised(self.query(&history::query(TABLE, "rowid")))
    }

    /// Every table, index, view and trigger as SQLite keeps it, ordered by kind and name.
    pub fn schema_dump(&self) -> String {
        if !self.path.exists() {
            return String::new();
        }
        let objects = self.query("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name");
        objects.into_iter().flatten().flatten().flat_map(|sql| [sql, ";\n".to_owned()]).collect()
    }
}

impl Drop for SqliteDatabase {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if let Some(directory) = self.directory.take() {
            let _ = directory.keep();
            #[expect(
                clippy::print_stderr,
                reason = "the person who reads the failed test has to find the file"
            )]
            {
                eprintln!("kept database {}", self.path.display());
            }
        }
    }
}

fn read(connection: &Connection, query: &str) -> rusqlite::Result<Rows> {
    let mut statement = connection.prepare(query)?;
    let columns = statement.column_count();
    let rows =
        statement.query_map([], |row| (0..columns).map(|column| row.get_ref(column).map(text)).collect())?;
    rows.collect()
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}
