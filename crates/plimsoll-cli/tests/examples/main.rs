//! The examples do what their documents say.

mod backend;
mod http;
mod mysql;
mod project;
mod sqlite;
