//! Faults of the machine, or the container, on which a runner is started.

mod certificates;
mod clock;
mod names;
mod pod;
mod room;
