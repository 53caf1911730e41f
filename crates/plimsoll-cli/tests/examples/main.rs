//! The examples do what their documents say.

mod backend;
mod http;
mod project;
mod sqlite;
