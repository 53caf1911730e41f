//! What Plimsoll's tests stand on: real servers, throw-away databases, projects on disk, and the real Prisma.
//!
//! Everything here is for tests and panics when it cannot do its work: a test that needs something that is not
//! installed fails with the command that installs it, and is never skipped.
//!
//! * [`server::postgres`]: a PostgreSQL that this test process shares; [`server::PostgresServer::start`]: one of your own.
//! * [`server::mysql`] and [`server::MysqlServer::start`]: the same for MySQL and MariaDB.
//! * [`server::Collector`]: a receiver of telemetry.
//! * [`database::Database`], [`database::MysqlDatabase`] and [`database::SqliteDatabase`]: one per test, dropped afterwards.
//! * [`base::Base`]: the same, whatever kind of database it is.
//! * [`project::Project`]: a directory as a user would have it.
//! * [`example::backend`]: the application of the examples, which is what a gate is for.
//! * [`command::plimsoll`] and [`prisma`]: the two programs on such a project, as a [`transcript::Transcript`].
#![expect(clippy::missing_panics_doc, reason = "a testkit panics wherever a test has to fail")]

pub mod address;
pub mod base;
pub mod command;
pub mod database;
pub mod example;
pub mod history;
mod installed;
pub mod kill;
pub mod lists;
pub mod pooler;
pub mod prisma;
pub mod program;
pub mod project;
pub mod proxy;
pub mod server;
pub mod toxiproxy;
pub mod transcript;
pub mod wait;
