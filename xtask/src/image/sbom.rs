//! The list of everything that is compiled into the binary, as `CycloneDX`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

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
    with_sqlite(&without_place(&text, &copy), &sqlite_version(root)?)
}

/// The version of the C code that is linked: no crate is called SQLite, and the one that holds it has a version of its own.
fn sqlite_version(root: &Path) -> Outcome<String> {
    let text = output(cargo(root).args(["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|error| format!("`cargo metadata`: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let manifest =
        packages.filter(|it| it["name"] == HOLDS_SQLITE).find_map(|it| it["manifest_path"].as_str());
    let manifest = Path::new(manifest.ok_or(format!("there is no crate `{HOLDS_SQLITE}`"))?);
    let header = manifest.with_file_name("sqlite3").join("sqlite3.h");
    let text = std::fs::read_to_string(&header).map_err(|error| format!("{}: {error}", header.display()))?;
    version_in(&text).ok_or(format!("{}: there is no version in it", header.display()))
}

/// The crate whose C code is SQLite.
const HOLDS_SQLITE: &str = "libsqlite3-sys";

fn version_in(header: &str) -> Option<String> {
    let line = header.lines().find_map(|line| line.strip_prefix("#define SQLITE_VERSION "))?;
    Some(line.trim().trim_matches('"').to_owned())
}

/// Adds SQLite under the name that scanners know it by. (The C code of `ring` is the crate's own.)
fn with_sqlite(list: &str, version: &str) -> Outcome<String> {
    let mut list: Value = serde_json::from_str(list).map_err(|error| format!("the SBOM: {error}"))?;
    let components = list["components"].as_array_mut().ok_or("the SBOM has no components")?;
    components.push(json!({
        "type": "library",
        "bom-ref": format!("pkg:generic/sqlite@{version}"),
        "name": "sqlite",
        "version": version,
        "description": format!("Compiled from the sources in `{HOLDS_SQLITE}` and linked statically"),
        "scope": "required",
        "licenses": [{ "license": { "id": "blessing" } }],
        "cpe": format!("cpe:2.3:a:sqlite:sqlite:{version}:*:*:*:*:*:*:*"),
        "purl": format!("pkg:generic/sqlite@{version}"),
    }));
    serde_json::to_string_pretty(&list).map_err(|error| format!("the SBOM: {error}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_is_in_the_list_under_the_name_that_scanners_know() {
        let version = version_in("/* x */\n#define SQLITE_VERSION        \"3.51.1\"\n").unwrap();
        let list = with_sqlite(r#"{ "components": [] }"#, &version).unwrap();
        assert!(list.contains("cpe:2.3:a:sqlite:sqlite:3.51.1:*"), "{list}");
        assert!(with_sqlite("{}", "1").is_err());
    }
}
