//! What only SQLite has: a file, its journals, and pragmas that a transaction ignores.

mod files;
mod foreign_keys;
mod scripts;
