//! The same sources give the same binary, wherever it is built.

use std::path::Path;
use std::process::Command;

use super::{Options, binary, release};
use crate::process::{Outcome, output, run};
use crate::say;

/// Two places whose paths are not of one length, so that a path in the binary shows.
const PLACES: [&str; 2] = ["one", "another-place/with-a-longer-path"];

/// Builds the release twice from the last commit, in two places with nothing built in them, and fails unless the two binaries
/// are one, byte by byte.
pub(super) fn reproduce(root: &Path, options: &Options) -> Outcome {
    let home = root.join("target/image/reproduce");
    let built = PLACES.map(|place| build_at(root, &home.join(place), options));
    let [first, second] = built.map(|hash| hash.inspect(|hash| say(&format!("sha256: {hash}"))));
    if first? == second? { Ok(()) } else { Err("the two binaries are not the same".to_owned()) }
}

fn build_at(root: &Path, place: &Path, options: &Options) -> Outcome<String> {
    if place.exists() {
        std::fs::remove_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
    }
    let sources = place.join("sources");
    run(Command::new("git").args(["clone", "--quiet", "--no-hardlinks"]).arg(root).arg(&sources))?;
    let commit = output(Command::new("git").arg("-C").arg(&sources).args(["rev-parse", "HEAD"]))?;
    say(&format!("image: commit {}, in {}", commit.trim(), sources.display()));
    let binary = binary::build_into(&sources, &place.join("target"), options)?;
    let hash = release::hash(&binary)?;
    std::fs::remove_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
    Ok(hash)
}
