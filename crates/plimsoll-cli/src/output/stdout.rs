//! Standard output: answers and data, and what becomes of them where they cannot be written.

use std::io::{self, Write as _};
use std::sync::OnceLock;

use plimsoll_core::harmless;

/// What was not written to standard output, if anything: the first error.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes an answer for people to standard output, without anything in it that a terminal would obey.
pub(crate) fn answer(text: &str) {
    data(&harmless::shown(text));
}

/// Writes data to standard output as it is. An error does not stop anything: [`lost`] tells of it at the end.
pub(crate) fn data(text: &str) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The first one explains the others.
        let _later = LOST.set(error);
    }
}

/// Why standard output does not hold everything that was answered. That nobody listens any more is no reason: it is what
/// `head` does.
pub(crate) fn lost() -> Option<&'static io::Error> {
    LOST.get().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
}
