//! Writing the files of a project.

use std::io;
use std::path::Path;

use crate::peer::Migration;

/// Writes a file for each migration, with the name and the text that the peer wants. The directory is there without any, too.
pub(super) fn one_file_each(
    directory: &Path,
    migrations: &[Migration],
    name: impl Fn(&Migration) -> String,
    text: impl Fn(&Migration) -> String,
) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    migrations.iter().try_for_each(|migration| write(&directory.join(name(migration)), &text(migration)))
}

/// Writes a file, and the directories above it.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(path, text)
}

/// `00001_name`: five digits keep ten thousand migrations in order, whether they are compared as numbers or as texts.
pub(super) fn numbered(migration: &Migration) -> String {
    format!("{:05}_{}", migration.number, migration.name)
}
