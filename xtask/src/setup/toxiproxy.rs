//! The proxy through which tests make a network bad, compiled by Go.

use std::path::Path;

use crate::go::Go;
use crate::process::{Outcome, run};
use crate::say;

/// The program, whose name is `server`, and its version.
const PROGRAM: &str = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0";
/// Written last, with what was built in it.
const STAMP: &str = ".built";

/// Builds it in a directory, unless this version is there.
pub(super) fn install(root: &Path, place: &Path) -> Outcome {
    if std::fs::read_to_string(place.join(STAMP)).is_ok_and(|built| built == PROGRAM) {
        say("testbed: toxiproxy is built");
        return Ok(());
    }
    // It belongs to no module of ours.
    run(Go::find(root)?.command(Path::new("/"), place).args(["install", "-ldflags", "-s -w", PROGRAM]))?;
    std::fs::write(place.join(STAMP), PROGRAM).map_err(|error| format!("{}: {error}", place.display()))
}
