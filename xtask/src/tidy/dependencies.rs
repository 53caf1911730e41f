//! Every dependency has its reason beside it, and all come from the usual place.

use super::tree::{Finding, Source, Tree};

/// The source that Cargo writes for the public registry.
const PUBLIC: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// Checks the manifest of the workspace and the lock files of Cargo and npm.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = match tree.need("Cargo.toml") {
        Ok(file) => reasons(file),
        Err(missing) => missing,
    };
    for file in tree.files() {
        match file.path.rsplit('/').next() {
            Some("package-lock.json") => findings.extend(npm_addresses(file)),
            Some("Cargo.lock") => findings.extend(cargo_sources(file)),
            _ => {}
        }
    }
    findings
}

fn reasons(file: &Source) -> Vec<Finding> {
    let inside = file.lines().skip_while(|(_, line)| *line != "[workspace.dependencies]").skip(1);
    let entries = inside.take_while(|(_, line)| !line.starts_with('['));
    let entries = entries.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    // Our own crates have ARCHITECTURE.md for a reason.
    let without = entries.filter(|(_, line)| !line.contains("path = \"") && !has_reason(line));
    without
        .map(|(number, _)| Finding::new(&file.path, number, "a dependency without its reason in a comment"))
        .collect()
}

fn has_reason(line: &str) -> bool {
    line.rsplit_once("# ").is_some_and(|(_, reason)| !reason.trim().is_empty())
}

fn npm_addresses(file: &Source) -> Vec<Finding> {
    let message = "the lock file names an address: make it with --omit-lockfile-registry-resolved";
    file.lines_that(|line| line.trim_start().starts_with("\"resolved\""), message)
}

fn cargo_sources(file: &Source) -> Vec<Finding> {
    file.lines_that(|line| line.starts_with("source = ") && line != PUBLIC, "a package from an unusual place")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let text = "[workspace.dependencies]\n# Each has a reason.\nplimsoll-core = { path = \"x\" }\n\
                    serde = \"1\"\ntoml = \"1\" # reads TOML\ntokio = \"1\" #\n[profile.dev]\nx = 1\n";
        let lines: Vec<_> =
            check(&Tree::of(&[("Cargo.toml", text)])).iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("Cargo.toml:4:") && lines[1].starts_with("Cargo.toml:6:"));
    }

    #[test]
    fn an_address_in_a_lock_file_is_found() {
        let npm = ("x/package-lock.json", "{\n  \"resolved\": \"somewhere\"\n}\n");
        let cargo = ("Cargo.lock", "source = \"git+https://example.org/x\"\n");
        let usual = ("sub/Cargo.lock", PUBLIC);
        assert_eq!(check(&Tree::of(&[("Cargo.toml", ""), npm, cargo, usual])).len(), 2);
    }
}
