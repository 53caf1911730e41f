//! Trouble on the way between a runner and its server, made by the real toxiproxy.

mod cut;
mod phase;

pub(crate) use phase::{Phase, migrations};
