//! What others do to the program on purpose: a server that is none, files that are none; and what a bug of its own looks like.
//! docs/security.md says what each of them can and cannot do.

mod bugs;
mod files;
mod mysql;
mod postgres;
mod server;
