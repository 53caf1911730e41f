//! How the end of a run divides its two seconds, which begin when it is told to stop: by a signal, or by the end of `--timeout`.
//!
//! | until | what |
//! |---|---|
//! | 1.0 s | the statement under way is cancelled at the server, and has ended: rolled back, or committed all the same (`CANCEL`) |
//! | 1.1 s | whoever looks from outside says good-bye (`WITNESS`) |
//! | 1.6 s | the session frees its lock and says good-bye (`FAREWELL`) |
//! | 1.7 s | work that has not ended by then is left where it is ([`WORK`]) |
//! | 1.8 s | telemetry is told ([`TELLING`]), for longer if the work has ended sooner |
//! | 2.0 s | the last words are written, and the process is gone ([`RUN`]) |
//! | 3.0 s | a process whose words nobody takes is ended all the same ([`LAST_RESORT`]) |
//!
//! A server that answers takes milliseconds of these. One that does not is left, and rolls back what is not committed when it notices.

use std::time::Duration;

/// How long a cancelled statement may take to end. Whether one that takes longer is committed nobody can say.
pub(crate) const CANCEL: Duration = Duration::from_secs(1);

/// How long whoever looks from outside may take to say good-bye.
pub(crate) const WITNESS: Duration = Duration::from_millis(100);

/// How long a session may take to free its lock and to say good-bye: also where nothing is stopped.
pub(crate) const FAREWELL: Duration = Duration::from_millis(500);

/// What is between the steps of the work: it knows best what became of it, and is not to be cut off with that in its mouth.
const BETWEEN: Duration = Duration::from_millis(100);

/// How long all of the work may take to stop.
pub const WORK: Duration = CANCEL.saturating_add(WITNESS).saturating_add(FAREWELL).saturating_add(BETWEEN);

/// Until when those who look at the run from outside may be told of it.
pub const TELLING: Duration = Duration::from_millis(1800);

/// When the process is gone.
pub const RUN: Duration = Duration::from_secs(2);

/// When it is ended if nothing else has ended it.
pub const LAST_RESORT: Duration = Duration::from_secs(3);

const _: () = assert!(
    WORK.as_millis() < TELLING.as_millis()
        && TELLING.as_millis() < RUN.as_millis()
        && RUN.as_millis() < LAST_RESORT.as_millis(),
    "each part of the end has its time"
);
