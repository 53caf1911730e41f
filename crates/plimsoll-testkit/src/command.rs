//! The program under test.

use std::path::PathBuf;

use crate::program::Program;
use crate::project::Project;

/// `plimsoll` as this workspace has built it, in the directory of a project and with its URL as `DATABASE_URL`.
///
/// Cargo builds it before the tests of the package that it belongs to; the tests of another one find it only if it has
/// been built before, as `cargo test --workspace` does.
pub fn plimsoll(project: &Project) -> Program {
    Program::new("plimsoll", binary(), project)
}

/// Tests are built into `deps`, programs beside that directory.
fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("the system knows what it has started");
    let place =
        test.ancestors().skip(1).map(|directory| directory.join("plimsoll")).find(|path| path.is_file());
    place.expect(
        "plimsoll is not built: run `cargo build -p plimsoll-cli`, or all tests with `cargo xtask test`",
    )
}
