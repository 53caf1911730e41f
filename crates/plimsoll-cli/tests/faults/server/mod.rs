//! Trouble of the database server.

mod disk;
mod ended;
mod failover;
mod full;
mod read_only;
mod starting;
mod stopping;
