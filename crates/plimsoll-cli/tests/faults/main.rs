//! What goes wrong in a cluster, done on purpose to the real thing. Each test is a row of `docs/faults.md`: tidy holds the two together.

mod machine;
mod network;
mod process;
mod scene;
mod server;
