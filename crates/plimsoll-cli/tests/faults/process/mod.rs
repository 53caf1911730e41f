//! Faults of the process itself and of what it was started with.

mod limits;
mod streams;
