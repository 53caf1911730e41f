//! The image as a cluster runs it: nothing but its own files, a user that nobody knows, and nowhere to write.
//!
//! `cargo xtask image --check` builds the images and runs this; `cargo test` leaves it out.

mod certificates;
mod container;
mod content;
mod databases;
mod dns;
mod names;
