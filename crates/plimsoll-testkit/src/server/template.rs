//! Data directories to copy from, so that a server is initialised once a machine and not once a test process.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::account;
use crate::installed;

/// A kind of data directory.
pub(super) struct Template<'a> {
    /// What the server is, as a part of a file's name.
    pub(super) name: &'a str,
    /// Everything that the data depend on: other ingredients, another template.
    pub(super) ingredients: &'a [&'a str],
    /// Makes the data in a directory that does not exist yet, whose parent the server's account may write to.
    pub(super) make: &'a dyn Fn(&Path),
}

impl Template<'_> {
    /// Puts a copy at `data`, which must not exist yet.
    pub(super) fn copy_to(&self, data: &Path) {
        let place = installed::testbed().join(format!("template-{}", self.identity()));
        if !place.is_dir() {
            self.make_at(&place);
        }
        copy(&place, data);
    }

    /// Different for every server, account and set of ingredients.
    fn identity(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.ingredients.hash(&mut hasher);
        format!("{}-{}-{:016x}", self.name, account::name(), hasher.finish())
    }

    /// Makes the template aside and moves it into place, so that it is complete whenever it is there. Two processes may
    /// do so at once: the second finds the first one's, which is the same.
    fn make_at(&self, place: &Path) {
        let work = TempDir::with_prefix("plimsoll-template-")
            .expect("the system has a directory for temporary files");
        account::give_to_server(work.path());
        let data = work.path().join("data");
        (self.make)(&data);
        let aside =
            TempDir::with_prefix_in(".template-", installed::testbed()).expect("the testbed can be written");
        let copied = aside.path().join("data");
        copy(&data, &copied);
        if let Err(error) = std::fs::rename(&copied, place) {
            assert!(place.is_dir(), "{}: {error}", place.display());
        }
    }
}

fn copy(from: &Path, to: &Path) {
    succeed(Command::new("cp").args(["--archive", "--reflink=auto"]).arg(from).arg(to));
}

/// Runs a command to its end. Panics with what it said if it fails.
pub(super) fn succeed(command: &mut Command) {
    let program = PathBuf::from(command.get_program());
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{text}", program.display(), output.status);
}
