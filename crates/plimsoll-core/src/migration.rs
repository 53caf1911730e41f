//! Migrations as found in a project.

use crate::checksum::{self, Checksum};
use crate::diagnostic::Place;

/// One directory with a `migration.sql`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    name: String,
    path: String,
    script: Result<Script, String>,
}

/// The text of a `migration.sql`, exactly as it is to be hashed and executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    text: String,
    checksum: Checksum,
}

impl Script {
    /// Takes the text of a script; a byte order mark and line ends are part of it.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { checksum: Checksum::of(&text), text }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a stored checksum was made from this text, or from the same text with other line ends.
    pub fn is_recorded_as(&self, stored: &str) -> bool {
        self.checksum.is_stored_as(stored) || checksum::matches(stored, &self.text)
    }

    /// SHA-256 of the text.
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }
}

impl Migration {
    /// A migration whose script was read from `path`.
    pub fn new(name: impl Into<String>, path: impl Into<String>, script: Script) -> Self {
        Self { name: name.into(), path: path.into(), script: Ok(script) }
    }

    /// A directory whose script could not be read. That is an error only if it is its turn to be applied.
    pub fn unreadable(name: impl Into<String>, path: impl Into<String>, why: impl Into<String>) -> Self {
        Self { name: name.into(), path: path.into(), script: Err(why.into()) }
    }

    /// The directory's name, which is what the history knows the migration by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the script is, as the user would name it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The script, or why it could not be read.
    pub fn script(&self) -> Result<&Script, &str> {
        self.script.as_ref().map_err(String::as_str)
    }

    /// A place in the script, by bytes of its text.
    pub fn place(&self, span: std::ops::Range<usize>) -> Option<Place> {
        self.script().ok().map(|script| Place::new(&self.path, script.text(), span))
    }
}

/// The migrations of a project in the order in which they are applied, and what its lock file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    list: Vec<Migration>,
    lock: Option<LockFile>,
}

impl Migrations {
    /// Puts migrations into the order in which Prisma applies them, wherever they come from.
    pub fn new(mut list: Vec<Migration>, lock: Option<LockFile>) -> Self {
        crate::order::sort_by_name(&mut list, Migration::name);
        Self { list, lock }
    }

    /// The migrations in order.
    pub fn list(&self) -> &[Migration] {
        &self.list
    }

    /// The migration with this name.
    pub fn find(&self, name: &str) -> Option<&Migration> {
        self.list.iter().find(|migration| migration.name() == name)
    }

    /// `migration_lock.toml`, if there is one.
    pub fn lock(&self) -> Option<&LockFile> {
        self.lock.as_ref()
    }
}

/// `migration_lock.toml`: the provider that the migrations were made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    provider: Option<String>,
}

impl LockFile {
    /// Reads the file as Prisma does: the first line that starts with `provider`, with exactly ` = ` before the value.
    ///
    /// It is not read as TOML, because Prisma does not: `provider="x"` is another provider to it than `provider = "x"`.
    pub fn parse(text: &str) -> Self {
        let line = text.lines().find(|line| line.starts_with("provider"));
        let value = line.map(|line| line.strip_prefix("provider = ").unwrap_or(line).trim_matches('"'));
        Self { provider: value.map(str::to_owned) }
    }

    /// The provider as written, or the words that Prisma prints when there is none.
    pub fn provider(&self) -> &str {
        self.provider.as_deref().unwrap_or("<PROVIDER NOT FOUND>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_is_read_line_by_line_as_prisma_does() {
        assert_eq!(LockFile::parse("# x\nprovider = \"postgresql\"\n").provider(), "postgresql");
        assert_eq!(LockFile::parse("provider = \"postgresql\"\r\n").provider(), "postgresql");
        assert_eq!(LockFile::parse("provider=\"sqlite\"").provider(), "provider=\"sqlite");
        assert_eq!(LockFile::parse("# nothing\n").provider(), "<PROVIDER NOT FOUND>");
    }
}
