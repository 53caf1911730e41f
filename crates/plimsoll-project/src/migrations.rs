//! The migrations directory.
//!
//! Each direct sub-directory is a migration, whatever its name. Two things are better than in Prisma: symbolic links to
//! directories are followed, and names that start with `..` are none, so that a mounted `ConfigMap` (whose real content
//! is in `..2024_01_01…`, with links beside it) is read as what it was made from.

use std::fs::{self, DirEntry, File};
use std::io::ErrorKind;
use std::path::Path;
use std::thread;

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
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b"..") || !is_directory(&entry)? {
            continue;
        }
        let Some(name) = name.to_str() else { return Err(not_unicode(&entry.path())) };
        names.push(name.to_owned());
    }
    let place = Place { directory, open: File::open(directory).ok(), shown: shown(cwd, directory) };
    Ok(Migrations::new(place.migrations(&names), lock_file(directory)?))
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

/// From how many migrations on more than one thread reads them: it takes some of them to make up for the thread.
const MANY: usize = 2000;

/// As many threads as read them, where there are processors for them. More would wait for each other in the system.
const MOST_THREADS: usize = 4;

/// Where the migrations are.
struct Place<'a> {
    directory: &'a Path,
    /// The directory itself, if it can be opened.
    open: Option<File>,
    /// As people would name it.
    shown: String,
}

impl Place<'_> {
    fn migrations(&self, names: &[String]) -> Vec<Migration> {
        let threads =
            if names.len() < MANY { 1 } else { thread::available_parallelism().map_or(1, usize::from) };
        self.migrations_by(threads.min(MOST_THREADS), names)
    }

    /// The migrations with these names, each thread an equal part of them.
    fn migrations_by(&self, threads: usize, names: &[String]) -> Vec<Migration> {
        let read = |names: &[String]| names.iter().map(|name| self.migration(name)).collect::<Vec<_>>();
        let (ours, others) = names.split_at(names.len().div_ceil(threads));
        if others.is_empty() {
            return read(ours);
        }
        thread::scope(|scope| {
            let other =
                thread::Builder::new().spawn_scoped(scope, || self.migrations_by(threads - 1, others));
            let mut list = read(ours);
            list.extend(match other {
                Ok(other) => other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // A pod may have as many as it is allowed.
                Err(_) => read(others),
            });
            list
        })
    }

    fn migration(&self, name: &str) -> Migration {
        let shown = script_path(&self.shown, name);
        let short_way = |open| crate::file::read_below(open, &[name, "/migration.sql"].concat());
        let bytes = self.open.as_ref().and_then(short_way).map_or_else(|| self.bytes(name), Ok);
        match bytes {
            // Node replaces what is not UTF-8, and keeps a byte order mark: the checksum is that of this text.
            Ok(bytes) => Migration::new(name, shown, Script::new(text(bytes))),
            Err(why) => Migration::unreadable(name, shown, why),
        }
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.directory.join(name).join("migration.sql");
        crate::file::read(&path).map_err(|error| format!("{}: {error}", path.display()))
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
    fn however_many_threads_read_them_they_are_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..7).map(|number| format!("{number}_a")).collect();
        for name in &names[1..] {
            fs::create_dir(directory.path().join(name)).unwrap();
            fs::write(directory.path().join(name).join("migration.sql"), name).unwrap();
        }
        let open = File::open(directory.path()).ok();
        let place = Place { directory: directory.path(), open, shown: "migrations".to_owned() };
        let alone = place.migrations_by(1, &names);
        assert_eq!(alone[6].script().map(Script::text), Ok("6_a"));
        assert!(alone[0].script().unwrap_err().contains("0_a/migration.sql: "), "{alone:?}");
        for threads in 2..9 {
            assert_eq!(place.migrations_by(threads, &names), alone);
        }
        let careful = Place { open: None, ..place };
        assert_eq!(careful.migrations_by(1, &names), alone);
    }

    #[test]
    fn what_is_not_utf_8_is_replaced() {
        assert_eq!(text(b"a\xffb".to_vec()), "a\u{fffd}b");
        assert_eq!(text("ä".as_bytes().to_vec()), "ä");
    }
}
