//! The pure middle of Plimsoll: everything that can be decided without touching anything.
//!
//! This crate does no I/O and reads no clock, no environment and no random numbers: whatever it needs to know comes in
//! as an argument, and whatever it decides goes out as a value.

pub mod checksum;
pub mod code;
pub mod diagnostic;
pub mod history;
pub mod migration;
pub mod order;
pub mod plan;
pub mod provider;
pub mod report;
pub mod script;
pub mod secret;
pub mod standing;
pub mod url;

pub use code::{Class, Code};
pub use diagnostic::{DatabaseMessage, Diagnostic, Place};
pub use migration::{LockFile, Migration, Migrations, Script};
pub use provider::Provider;
pub use report::{AppliedMigration, Report};
pub use secret::Secret;
