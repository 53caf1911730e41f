//! What ends the process if nothing else does: the one thread that works may be held up where no signal wakes it, in a write to a
//! pipe that nobody reads.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_engine::stopping;
use signal_hook::flag::register_usize;
use signal_hook::low_level::pipe;

/// What a thread needs that reads one byte and sleeps.
const STACK: usize = 64 << 10;

/// Ends the process three seconds after the first of these signals if it still runs then, with 128 + its number. The database rolls
/// back what is not committed. The thread that waits for that ends with the process, or with the command that takes its place.
pub(crate) fn stand_by(signals: impl Iterator<Item = i32>) -> io::Result<()> {
    let (mut hears, tells) = UnixStream::pair()?;
    let arrived = Arc::new(AtomicUsize::new(0));
    for number in signals {
        register_usize(number, Arc::clone(&arrived), usize::try_from(number).unwrap_or_default())?;
        pipe::register(number, tells.try_clone()?)?;
    }
    let wait = move || {
        if matches!(hears.read(&mut [0]), Ok(1)) {
            std::thread::sleep(stopping::LAST_RESORT);
            let number = i32::try_from(arrived.load(Ordering::SeqCst)).unwrap_or_default();
            std::process::exit(128 + number);
        }
    };
    std::thread::Builder::new().name("last resort".to_owned()).stack_size(STACK).spawn(wait).map(drop)
}
