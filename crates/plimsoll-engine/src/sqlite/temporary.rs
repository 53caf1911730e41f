//! A place for what SQLite cannot keep in memory: large sorts, the copy that `VACUUM` makes, the journals of single statements.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rustix::fs::{Access, access};

/// Has SQLite put its temporary files beside the database if none of the places where it looks by itself can be written, as in
/// a container whose root file system is read-only. Otherwise a script that needs one would fail as if the disk did.
///
/// The place is one for the whole process, and only a process that can write nowhere else gets it.
pub(super) fn make_room(connection: &Connection, database: &Path) {
    if usual().any(|place| is_usable(&place)) {
        return;
    }
    let beside = database.parent().filter(|directory| is_usable(directory)).and_then(Path::to_str);
    if let Some(directory) = beside {
        // Without it the script tells what it misses, if it misses anything.
        let _unset = connection.pragma_update(None, "temp_store_directory", directory);
    }
}

/// Where SQLite looks, in its order.
fn usual() -> impl Iterator<Item = PathBuf> {
    let named = ["SQLITE_TMPDIR", "TMPDIR"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    named.chain(["/var/tmp", "/usr/tmp", "/tmp", "."].map(PathBuf::from))
}

fn is_usable(place: &Path) -> bool {
    place.is_dir() && access(place, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}
