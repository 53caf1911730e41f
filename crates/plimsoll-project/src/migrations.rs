//! The migrations directory.
//!
//! Each direct sub-directory is a migration, whatever its name. Two things are better than in Prisma: symbolic links to
//! directories are followed, and names that start with `..` are none, so that a mounted `ConfigMap` (whose real content
//! is in `..2024_01_01…`, with links beside it) is read as what it was made from.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use plimsoll_core::{Code, Diagnostic, LockFile, Migration, Migrations, Script};

use crate::display::shown;
use crate::unreadable;

/// Reads a migrations directory; one that is not there holds no migrations.
pub(crate) fn read(directory: &Path, cwd: &Path) -> Result<Migrations, Diagnostic> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Migrations::default()),
        Err(error) => return Err(unreadable(directory, &error)),
    };
    let mut list = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b"..") || !is_directory(&entry.path())? {
            continue;
        }
        let Some(name) = name.to_str() else { return Err(not_unicode(&entry.path())) };
        list.push(migration(name, &entry.path(), cwd));
    }
    Ok(Migrations::new(list, lock_file(directory)?))
}

/// Whether the entry is a directory, or a link to one. A link to nothing is none: what it was for is gone.
fn is_directory(path: &Path) -> Result<bool, Diagnostic> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn migration(name: &str, directory: &Path, cwd: &Path) -> Migration {
    let path = directory.join("migration.sql");
    let shown = shown(cwd, &path);
    match crate::file::read(&path) {
        // Node replaces what is not UTF-8, and keeps a byte order mark: the checksum is that of this text.
        Ok(bytes) => Migration::new(name, shown, Script::new(String::from_utf8_lossy(&bytes))),
        Err(error) => {
            let why = format!("{}: {error}", path.display());
            Migration::unreadable(name, shown, why)
        }
    }
}

fn lock_file(directory: &Path) -> Result<Option<LockFile>, Diagnostic> {
    let path = directory.join("migration_lock.toml");
    match crate::file::read(&path) {
        Ok(bytes) => Ok(Some(LockFile::parse(&String::from_utf8_lossy(&bytes)))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

fn not_unicode(path: &Path) -> Diagnostic {
    let message = format!("the name of the directory {} is not UTF-8", path.display());
    Diagnostic::new(Code::FileUnreadable, message)
        .help("Rename the directory. The history of a database could not hold its name.")
}
