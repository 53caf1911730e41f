//! Trouble of the database server.

mod read_only;
