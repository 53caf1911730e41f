//! A Prisma project on disk, as a user would have it.

use std::path::{Path, PathBuf};

use plimsoll_core::{Provider, Secret};
use tempfile::TempDir;

/// A directory with `prisma/schema.prisma` and `prisma/migrations`, removed at the end.
///
/// It has no `Debug`: its URL may hold a password.
pub struct Project {
    directory: TempDir,
    url: Option<Secret>,
}

impl Project {
    /// A project whose schema takes its URL from `DATABASE_URL`, with a lock file and no migrations.
    pub fn new(provider: Provider) -> Self {
        let project = Self::empty();
        let name = if provider == Provider::Sqlserver { "sqlserver" } else { provider.lock_name() };
        let schema =
            format!("datasource db {{\n  provider = \"{name}\"\n  url      = env(\"DATABASE_URL\")\n}}\n");
        let lock = format!("# Made by the tests\nprovider = \"{}\"\n", provider.lock_name());
        project.write("prisma/schema.prisma", &schema);
        project.write("prisma/migrations/migration_lock.toml", &lock);
        project
    }

    /// A directory with nothing in it.
    pub fn empty() -> Self {
        let directory =
            TempDir::with_prefix("plimsoll-project-").expect("there is a place for temporary files");
        Self { directory, url: None }
    }

    /// The same with one more migration.
    #[must_use]
    pub fn migration(self, name: &str, script: &str) -> Self {
        self.set_migration(name, script);
        self
    }

    /// The same with one more file, at a path from the root of the project.
    #[must_use]
    pub fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// The same, whose commands get this URL as `DATABASE_URL`.
    #[must_use]
    pub fn env_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(Secret::new(url));
        self
    }

    /// Adds a migration, or changes the script of one that is there.
    pub fn set_migration(&self, name: &str, script: &str) {
        self.write(&format!("prisma/migrations/{name}/migration.sql"), script);
    }

    /// Removes a migration with its directory.
    pub fn remove_migration(&self, name: &str) {
        let directory = self.join(&format!("prisma/migrations/{name}"));
        std::fs::remove_dir_all(&directory)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    }

    /// Writes a file at a path from the root of the project, with the directories above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.join(path);
        let parent = file.parent().expect("a path below the project has a parent");
        std::fs::create_dir_all(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
        std::fs::write(&file, content).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// The text of a file.
    pub fn read(&self, path: &str) -> String {
        let file = self.join(path);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        let file = self.join(path);
        std::fs::remove_file(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// The root of the project, in which its commands are started.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The path of a file or directory of the project.
    pub fn join(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    /// The schema file.
    pub fn schema(&self) -> PathBuf {
        self.join("prisma/schema.prisma")
    }

    /// The directory of the migrations.
    pub fn migrations(&self) -> PathBuf {
        self.join("prisma/migrations")
    }

    /// The URL that its commands get.
    pub fn url(&self) -> Option<&Secret> {
        self.url.as_ref()
    }
}
