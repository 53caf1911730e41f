//! The list of everything that is compiled into the binary, as `CycloneDX`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Arch, tools};
use crate::process::{Outcome, cargo, output, run};

/// The `CycloneDX` project's own tool.
const TOOL: (&str, &str) = ("cargo-cyclonedx", "0.5.9");

/// Makes the list for one processor. The same sources give the same text.
pub(super) fn make(root: &Path, arch: Arch, epoch: i64) -> Outcome<String> {
    let program = need_tool(root)?;
    // The tool writes beside each manifest that it reads: it gets a copy.
    let copy = root.join("target/image").join(arch.name()).join("sources");
    copy_sources(root, &copy)?;
    let mut command = Command::new(program);
    command.args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--no-build-deps", "--quiet"]);
    command.args(["--target", arch.target(), "--override-filename", "sbom", "--manifest-path"]);
    command.arg(copy.join("crates/plimsoll-cli/Cargo.toml"));
    // Told a date, it adds no random number either: both would make two of the same sources differ.
    run(command.env("SOURCE_DATE_EPOCH", epoch.to_string()))?;
    let file = copy.join("crates/plimsoll-cli/sbom.json");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(without_place(&text, &copy))
}

fn need_tool(root: &Path) -> Outcome<PathBuf> {
    let (name, version) = TOOL;
    let home = tools(root);
    let program = home.join("bin").join(name);
    if output(Command::new(&program).args(["cyclonedx", "--version"]))
        .is_ok_and(|text| text.contains(version))
    {
        return Ok(program);
    }
    run(cargo(root).args(["install", "--locked", name, "--version", version, "--root"]).arg(&home))?;
    Ok(program)
}

fn copy_sources(root: &Path, to: &Path) -> Outcome {
    if to.exists() {
        std::fs::remove_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    }
    std::fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    let entries = std::fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let is_made = |path: &PathBuf| path.ends_with("target") || path.ends_with(".git");
    let parts = entries.flatten().map(|entry| entry.path()).filter(|path| !is_made(path));
    run(Command::new("cp").arg("--recursive").args(parts).arg(to))
}

/// Where the sources were is nobody's business, and differs from machine to machine.
fn without_place(text: &str, place: &Path) -> String {
    text.replace(&format!("{}/", place.display()), "/")
}
