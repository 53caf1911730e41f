//! Everything that is compiled into the binary has a licence of `deny.toml`, and nothing is that `deny.toml` bans.
//!
//! `cargo deny` looks closer, and at known vulnerabilities. It takes minutes to compile, so that this stands in for it here.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

use super::tree::{Finding, Tree};
use crate::process::{Outcome, cargo, output};

const RULES: &str = "deny.toml";

/// The package that is shipped, and the targets that it is shipped for.
const SHIPPED: &str = "plimsoll-cli";
const TARGETS: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// A crate that ends up in the binary, or is run while it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    name: String,
    version: String,
    license: String,
}

/// What Cargo says is compiled for the binary. Crates that only tests need are not among it.
pub(super) fn packages(root: &Path) -> Outcome<Vec<Package>> {
    let targets = TARGETS.iter().flat_map(|target| ["--filter-platform", target]);
    let text = output(cargo(root).args(["metadata", "--locked", "--format-version", "1"]).args(targets))?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|error| format!("`cargo metadata`: {error}"))?;
    Ok(reached(&metadata, SHIPPED))
}

/// Walks over plain JSON: `cargo_metadata` would give it types, and no walk.
fn reached(metadata: &Value, from: &str) -> Vec<Package> {
    let by_id = |list: &'static str| -> HashMap<&str, &Value> {
        let all = metadata.pointer(list).and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|it| Some((it["id"].as_str()?, it))).collect()
    };
    let (packages, nodes) = (by_id("/packages"), by_id("/resolve/nodes"));
    let first = packages.iter().find(|(_, package)| package["name"] == from).map(|(id, _)| *id);
    let (mut seen, mut open) = (HashSet::new(), Vec::from_iter(first));
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let needs = nodes.get(id).and_then(|node| node["deps"].as_array()).into_iter().flatten();
            open.extend(needs.filter(|need| is_compiled(need)).filter_map(|need| need["pkg"].as_str()));
        }
    }
    let text = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let package = |it: &&Value| Package {
        name: text(it, "name"),
        version: text(it, "version"),
        license: text(it, "license"),
    };
    seen.iter().filter_map(|id| packages.get(id)).map(package).collect()
}

/// Whether the crate is needed for anything but tests.
fn is_compiled(need: &Value) -> bool {
    need["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"] != "dev")
}

/// Checks these packages against the rules.
pub(super) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let rules = match tree.need(RULES) {
        Ok(rules) => rules,
        Err(missing) => return missing,
    };
    let Ok(table) = rules.text.parse::<toml::Table>() else {
        return vec![Finding::new(RULES, 1, "is not TOML")];
    };
    let texts = |section: &str, list: &str, key: Option<&str>| -> HashSet<String> {
        let entries = table.get(section).and_then(|it| it.get(list)).and_then(toml::Value::as_array);
        let text = |it: &toml::Value| key.map_or(Some(it), |key| it.get(key))?.as_str().map(str::to_owned);
        entries.into_iter().flatten().filter_map(text).collect()
    };
    let banned = texts("bans", "deny", Some("crate"));
    let allowed = texts("licenses", "allow", None).iter().map(|it| Licensee::parse(it)).collect();
    let Ok::<Vec<_>, _>(allowed) = allowed else {
        return vec![Finding::new(RULES, 1, "allows something that is no licence of SPDX")];
    };
    let said = |package: &Package, what: String| {
        Finding::new(RULES, 1, format!("`{} {}` {what}", package.name, package.version))
    };
    let unlicensed = packages.iter().filter(|it| !is_allowed(&it.license, &allowed));
    let unlicensed = unlicensed.map(|it| {
        said(it, format!("has the licence `{}`, which is not among those that are allowed", it.license))
    });
    let forbidden = packages.iter().filter(|it| banned.contains(&it.name));
    unlicensed.chain(forbidden.map(|it| said(it, "is banned".to_owned()))).collect()
}

/// Whether an SPDX expression can be fulfilled with these licences; the `/` of old crates is an `OR`.
fn is_allowed(expression: &str, allowed: &[Licensee]) -> bool {
    let mode = ParseMode { allow_slash_as_or_operator: true, ..ParseMode::STRICT };
    let read = Expression::parse_mode(expression, mode);
    read.is_ok_and(|read| read.evaluate(|license| allowed.iter().any(|ours| ours.satisfies(license))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[licenses]\nallow = [\"MIT\", \"ISC\", \"Apache-2.0 WITH LLVM-exception\"]\n[bans]\ndeny = [{ crate = \"evil\" }]\n";

    fn findings(name: &str, license: &str) -> usize {
        let package = Package { name: name.into(), version: "1.0.0".into(), license: license.into() };
        check(&Tree::of(&[(RULES, DENY)]), &[package]).len()
    }

    #[test]
    fn a_licence_counts_if_it_can_be_fulfilled_with_those_that_are_allowed() {
        for good in [
            "MIT",
            "GPL-3.0-only OR MIT",
            "MIT/GPL-3.0-only",
            "MIT AND (GPL-3.0-only OR ISC)",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert_eq!(findings("a", good), 0, "{good}");
        }
        for bad in [
            "",
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "Apache-2.0",
            "GPL-3.0-only OR MIT AND Zlib",
            "(MIT",
            "MIT ISC",
            "MIT OR Mine",
        ] {
            assert_eq!(findings("a", bad), 1, "{bad}");
        }
    }

    #[test]
    fn a_crate_that_is_banned_is_found() {
        assert_eq!(findings("evil", "MIT"), 1);
        assert_eq!(check(&Tree::of(&[]), &[]).len(), 1);
        assert_eq!(check(&Tree::of(&[(RULES, "[licenses]\nallow = [\"Mine\"]")]), &[]).len(), 1);
    }

    #[test]
    fn what_only_tests_need_is_not_shipped() {
        let metadata = serde_json::json!({
            "packages": [
                { "id": "a", "name": "ours", "version": "1", "license": "MIT" },
                { "id": "b", "name": "needed", "version": "1", "license": "MIT" },
                { "id": "c", "name": "tested", "version": "1", "license": "MIT" },
            ],
            "resolve": { "nodes": [
                { "id": "a", "deps": [
                    { "pkg": "b", "dep_kinds": [{ "kind": null }, { "kind": "dev" }] },
                    { "pkg": "c", "dep_kinds": [{ "kind": "dev" }] },
                ] },
                { "id": "b", "deps": [{ "pkg": "a", "dep_kinds": [{ "kind": "build" }] }] },
            ] },
        });
        let mut names: Vec<String> = reached(&metadata, "ours").into_iter().map(|it| it.name).collect();
        names.sort();
        assert_eq!(names, ["needed", "ours"]);
    }
}
