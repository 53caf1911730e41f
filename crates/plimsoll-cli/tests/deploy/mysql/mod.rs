//! What only MySQL and MariaDB have: ways to log in, sockets, a lock for a whole server, their history table.

mod applying;
mod blocked;
mod connecting;
mod doubts;
mod encrypted;
mod fingerprint;
mod histories;
mod locking;
mod messages;
mod neighbours;
mod once;
mod others;
mod promises;
mod resume;
mod rights;
mod rotating;
mod sessions;
mod settings;
mod stopping;
mod waiting;
