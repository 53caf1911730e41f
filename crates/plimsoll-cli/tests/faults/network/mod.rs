//! Trouble on the way between a runner and its server, made by the real toxiproxy.

mod cut;
mod handshake;
mod limit;
mod phase;
mod silence;
mod slow;
mod unplugged;

pub(crate) use phase::{Phase, migrations};

use plimsoll_testkit::address::Address;
use plimsoll_testkit::base::Base;

/// The way to a database through another port of this machine, to be changed.
fn through(base: &Base, port: u16) -> Address {
    match base {
        Base::Postgres(database) => database.address().port(port),
        Base::Mysql(database) => database.address().port(port),
        Base::Sqlite(_) => unreachable!("a file has no network"),
    }
}
