#![doc = include_str!("../README.md")]

mod again;
mod ahead;
mod backend;
mod backoff;
mod blockers;
mod cancel;
pub mod classes;
mod error;
mod event;
mod failure;
pub mod inspect;
mod limits;
mod lock;
pub mod mysql;
mod options;
pub mod postgres;
pub mod resolve;
mod run;
pub mod sqlite;
pub mod stopping;
mod target;
mod task;
mod tls;
mod wait;

pub use backend::{Backend, Cancel, Holder, Lock, Next, Session, Silence, Tell, Told};
pub use blockers::{Blocker, Certainty, Witness, describe as describe_blockers};
pub use error::{CancelledBy, Error, Kind, Result};
pub use event::{Event, Observe, Resent, Unobserved};
pub use limits::{DEFAULT_LOCK_TIMEOUT, Deadline, Limits};
pub use lock::describe as describe_holder;
pub use mysql::Mysql;
pub use options::{IfMissing, Options, Waits};
pub use postgres::Postgres;
pub use run::{Failure, Work, deploy};
pub use sqlite::Sqlite;
pub use tokio_util::sync::CancellationToken;
