//! Projects in temporary directories.

#[path = "../../src/testing.rs"]
mod testing;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll_core::Diagnostic;
use plimsoll_project::{Project, Request, read};

/// A schema of Prisma 6.
pub(crate) const SIX: &str =
    "datasource db {\n  provider = \"postgresql\"\n  url      = env(\"DATABASE_URL\")\n}\n";
/// A schema of Prisma 7.
pub(crate) const SEVEN: &str = "datasource db {\n  provider = \"postgresql\"\n}\n";
/// A URL.
pub(crate) const URL: &str = "postgresql://app:hunter2@db/app";

/// A directory that a project is laid out in.
pub(crate) struct Layout {
    directory: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

impl Layout {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), environment: BTreeMap::new() }
    }

    /// The directory, without links in its path.
    pub(crate) fn path(&self) -> PathBuf {
        fs::canonicalize(self.directory.path()).unwrap()
    }

    /// Adds a file.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Adds a symbolic link.
    pub(crate) fn link(self, path: &str, target: impl AsRef<Path>) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
        self
    }

    /// Sets a variable.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A request without flags.
    pub(crate) fn request(&self) -> Request {
        Request::new(self.path(), self.environment.clone())
    }

    /// The project, or a panic with the rendered error.
    pub(crate) fn read(&self) -> Project {
        self.read_as(&self.request())
    }

    /// The project that a request finds.
    pub(crate) fn read_as(&self, request: &Request) -> Project {
        read(request).map_err(|error| self.render(&error)).unwrap()
    }

    /// The rendered error.
    pub(crate) fn refused(&self) -> String {
        self.refused_as(&self.request())
    }

    /// The rendered error of a request.
    pub(crate) fn refused_as(&self, request: &Request) -> String {
        match read(request) {
            Err(error) => self.render(&error),
            Ok(project) => panic!("not refused: {project:?}"),
        }
    }

    fn render(&self, error: &Diagnostic) -> String {
        let text = testing::render(error);
        assert!(!text.contains("hunter2"), "a password is shown: {text}");
        text.replace(&self.path().display().to_string(), "[app]")
    }
}
