//! Faults of the process itself and of what it was started with.

mod limits;
mod many;
mod memory;
mod streams;
mod stuck;
mod terminated;
