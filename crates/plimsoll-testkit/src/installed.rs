//! Where `cargo xtask setup` puts things.

use std::path::{Path, PathBuf};

/// The directory that the setup fills: `target/testbed` of the workspace, wherever Cargo builds.
///
/// Cargo tells a test where its package is. What it told the compiler may be another working copy that builds into the
/// same place; it serves for tests that were started without Cargo.
pub(crate) fn testbed() -> PathBuf {
    let compiled = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| compiled.to_owned(), PathBuf::from);
    let mut above = package.ancestors().chain(compiled.ancestors());
    let root = above.find(|directory| directory.join("testbed/postgres/package.json").is_file());
    root.expect("the sources of the testbed are part of the workspace").join("target/testbed")
}

/// A file of the testbed. Panics with the command that installs it when it is missing.
pub(crate) fn file(path: &str) -> PathBuf {
    let file = testbed().join(path);
    file.canonicalize().unwrap_or_else(|_| panic!("{path} is not installed: run `cargo xtask setup`"))
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "run `cargo xtask setup`")]
    fn what_is_missing_fails_with_the_command_that_installs_it() {
        super::file("no/such/thing");
    }
}
