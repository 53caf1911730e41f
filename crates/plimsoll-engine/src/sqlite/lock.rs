//! The lock of a run: a file beside the database, locked by the kernel, so that it is free as soon as its holder is gone.
//!
//! Not the database file itself: closing any descriptor of that would end the locks that SQLite has on it in this
//! process.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use plimsoll_core::history::Instant;

use crate::backend::Holder;

/// The lock, held until it is dropped.
pub(super) struct RunLock {
    path: PathBuf,
    /// Locked as long as it is open.
    _file: File,
}

/// What came of trying.
pub(super) enum Tried {
    /// It is ours.
    Taken(RunLock),
    /// Another runner has it.
    Held,
    /// There can be none here: a directory that cannot be written, a file system without locks. What is left is the look
    /// at the history inside each transaction.
    Impossible,
}

/// Tries to take the lock of a database, once, in the name of `runner`.
pub(super) fn try_take(database: &Path, runner: &str) -> Tried {
    let path = beside(database);
    let Ok(file) = File::options().create(true).truncate(false).read(true).write(true).open(&path) else {
        return Tried::Impossible;
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Tried::Held,
        Err(TryLockError::Error(_)) => Tried::Impossible,
        // The holder removes the file before it lets go: then this is a lock that nobody else can find.
        Ok(()) if !is_at(&file, &path).unwrap_or(false) => Tried::Held,
        Ok(()) => {
            // The name is for people who wait; the lock holds without it.
            let _unnamed = sign(&file, runner);
            Tried::Taken(RunLock { path, _file: file })
        }
    }
}

/// Where the lock of a database is.
fn beside(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push("-plimsoll.lock");
    database.with_file_name(name)
}

/// Who has the lock of a database: what the holder has written into the file. Nothing if nobody has, or is about to.
pub(super) fn holder(database: &Path) -> Option<Holder> {
    signed(&File::open(beside(database)).ok()?).ok().flatten()
}

/// Writes the holder's name, which a holder that was killed may have left before.
fn sign(mut file: &File, runner: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(runner.as_bytes())
}

/// Who signed a file, and when. Nothing if its holder is about to.
fn signed(file: &File) -> io::Result<Option<Holder>> {
    let mut name = String::new();
    file.take(MOST).read_to_string(&mut name)?;
    let at = file.metadata()?.modified()?;
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    Ok((!name.is_empty()).then(|| Holder {
        application: name,
        connection: None,
        address: None,
        since: i64::try_from(since).ok().map(Instant),
        connected_for: at.elapsed().ok(),
    }))
}

/// As many bytes of a name as are believed.
const MOST: u64 = 256;

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (ours, there) = (file.metadata()?, std::fs::metadata(path)?);
    Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino()))
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // One that stays does no harm: the next runner uses it.
        let _stays = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time_and_nothing_is_left_behind() {
        let directory = std::env::temp_dir().join(format!("plimsoll-lock-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let database = directory.join("a.db");
        let Tried::Taken(first) = try_take(&database, "first") else { panic!("the lock is free") };
        assert!(matches!(try_take(&database, "second"), Tried::Held));
        assert_eq!(holder(&database).expect("the holder is known").application, "first");
        drop(first);
        assert_eq!(holder(&database), None);
        assert!(matches!(try_take(&database, "second"), Tried::Taken(_)));
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
        std::fs::remove_dir(&directory).unwrap();
    }
}
