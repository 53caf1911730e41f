//! A database for one test: made for it, dropped after it, kept if it failed.

mod lifetime;
mod mysql;
mod postgres;
mod sqlite;

pub use mysql::{HeldLock, MysqlDatabase};
pub use postgres::Database;
pub use sqlite::SqliteDatabase;

/// The rows of a query, every value as the database writes it; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;
