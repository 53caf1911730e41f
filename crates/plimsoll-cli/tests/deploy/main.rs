//! The program as a whole, on real databases: what it leaves in them, what it says, how it ends.

mod ahead;
mod conformance;
mod database_errors;
mod exec;
mod install;
mod limits;
mod mysql;
mod nested;
mod output;
mod planning;
mod postgres;
mod resuming;
mod scene;
mod signals;
mod sqlite;
mod telemetry;
mod url_file;
mod waiting;
