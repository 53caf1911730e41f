//! The migrations directory.
//!
//! Each direct sub-directory is a migration, whatever its name. Two things are better than in Prisma: symbolic links to
//! directories are followed, and names that start with `..` are none, so that a mounted `ConfigMap` (whose real content
//! is in `..2024_01_01…`, with links beside it) is read as what it was made from.

use std::fs::{self, DirEntry};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

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
    let shown = shown(cwd, directory);
    let mut list = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b"..") || !is_directory(&entry)? {
            continue;
        }
        let Some(name) = name.to_str() else { return Err(not_unicode(&entry.path())) };
        list.push(migration(name, entry.path(), script_path(&shown, name)));
    }
    Ok(Migrations::new(list, lock_file(directory)?))
}

/// Whether the entry is a directory, or a link to one. A link to nothing is none: what it was for is gone.
fn is_directory(entry: &DirEntry) -> Result<bool, Diagnostic> {
    // Most file systems have said it together with the name.
    if let Ok(kind) = entry.file_type()
        && !kind.is_symlink()
    {
        return Ok(kind.is_dir());
    }
    let path = &entry.path();
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// A script as people would name it, from how its directory of migrations is shown.
fn script_path(migrations: &str, name: &str) -> String {
    match migrations.trim_end_matches('/') {
        "." => [name, "/migration.sql"].concat(),
        migrations => [migrations, "/", name, "/migration.sql"].concat(),
    }
}

fn migration(name: &str, mut path: PathBuf, shown: String) -> Migration {
    path.push("migration.sql");
    match crate::file::read(&path) {
        // Node replaces what is not UTF-8, and keeps a byte order mark: the checksum is that of this text.
        Ok(bytes) => Migration::new(name, shown, Script::new(text(bytes))),
        Err(error) => {
            let why = format!("{}: {error}", path.display());
            Migration::unreadable(name, shown, why)
        }
    }
}

/// The bytes themselves where they are UTF-8.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_named_as_any_other_path() {
        let named = |cwd: &str, directory: &str| {
            let (cwd, directory) = (Path::new(cwd), Path::new(directory));
            let expected = shown(cwd, &directory.join("1_a").join("migration.sql"));
            assert_eq!(script_path(&shown(cwd, directory), "1_a"), expected);
            expected
        };
        assert_eq!(named("/app", "/app/prisma/../migrations"), "migrations/1_a/migration.sql");
        assert_eq!(named("/app", "/app"), "1_a/migration.sql");
        assert_eq!(named("/app", "/elsewhere"), "/elsewhere/1_a/migration.sql");
        assert_eq!(named("/app", "/"), "/1_a/migration.sql");
        assert_eq!(named("/", "/"), "1_a/migration.sql");
    }

    #[test]
    fn what_is_not_utf_8_is_replaced() {
        assert_eq!(text(b"a\xffb".to_vec()), "a\u{fffd}b");
        assert_eq!(text("ä".as_bytes().to_vec()), "ä");
    }
}
