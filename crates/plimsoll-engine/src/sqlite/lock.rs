//! The lock of a run: a file beside the database, locked by the kernel, so that it is free as soon as its holder is gone.
//!
//! Not the database file itself: closing any descriptor of that would end the locks that SQLite has on it in this
//! process.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

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

/// Tries to take the lock of a database, once.
pub(super) fn try_take(database: &Path) -> Tried {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push("-plimsoll.lock");
    let path = database.with_file_name(name);
    let Ok(file) = File::options().create(true).truncate(false).write(true).open(&path) else {
        return Tried::Impossible;
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Tried::Held,
        Err(TryLockError::Error(_)) => Tried::Impossible,
        // The holder removes the file before it lets go: then this is a lock that nobody else can find.
        Ok(()) if !is_at(&file, &path).unwrap_or(false) => Tried::Held,
        Ok(()) => Tried::Taken(RunLock { path, _file: file }),
    }
}

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
        let Tried::Taken(first) = try_take(&database) else { panic!("the lock is free") };
        assert!(matches!(try_take(&database), Tried::Held));
        drop(first);
        assert!(matches!(try_take(&database), Tried::Taken(_)));
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
        std::fs::remove_dir(&directory).unwrap();
    }
}
