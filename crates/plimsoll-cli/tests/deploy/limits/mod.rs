//! Time limits: of the locks that a migration waits for, of its statements, of the run.

mod blockers;
mod history;
mod locks;
mod queue;
mod recording;
mod run;
mod statements;
mod tries;

use std::time::Duration;

/// Long after a limit of a second, and long before anybody would give up without one.
const SOON: Duration = Duration::from_secs(8);
