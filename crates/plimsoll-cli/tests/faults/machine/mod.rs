//! Faults of the machine, or the container, on which a runner is started.

mod pod;
mod room;
