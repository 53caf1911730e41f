//! Who may import whom. ARCHITECTURE.md says why.

use toml::{Table, Value};

use super::tree::{Finding, Source, Tree};

/// The crates of the workspace and what of ours each may import.
const ARROWS: [(&str, &[&str]); 14] = [
    ("plimsoll-core", &[]),
    ("plimsoll-project", &["plimsoll-core"]),
    ("plimsoll-engine", &["plimsoll-core"]),
    ("plimsoll-inject", &["plimsoll-core"]),
    ("plimsoll-otel", &["plimsoll-core", "plimsoll-engine"]),
    ("plimsoll-heap", &[]),
    (
        "plimsoll-cli",
        &[
            "plimsoll-core",
            "plimsoll-project",
            "plimsoll-engine",
            "plimsoll-inject",
            "plimsoll-otel",
            "plimsoll-heap",
        ],
    ),
    ("plimsoll-testkit", &["plimsoll-core"]),
    ("plimsoll-bench", &["plimsoll-testkit"]),
    ("plimsoll-e2e", &["plimsoll-core", "plimsoll-testkit"]),
    ("plimsoll-e2e-backend", &[]),
    ("plimsoll-oracle", &["plimsoll-core"]),
    ("plimsoll-fuzz", &["plimsoll-core", "plimsoll-project", "plimsoll-inject"]),
    ("xtask", &[]),
];

/// The one crate that every other may import for its tests, and never for anything else.
const FOR_TESTS: &str = "plimsoll-testkit";

/// Checks the `Cargo.toml` of every crate, and that ARCHITECTURE.md draws the same arrows.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let is_crate = |file: &&Source| file.path.ends_with("/Cargo.toml");
    let wrong = tree.files().iter().filter(is_crate).flat_map(check_crate);
    let undrawn = tree.files().iter().filter(|file| file.path == "ARCHITECTURE.md").flat_map(check_drawing);
    wrong.chain(undrawn).collect()
}

fn check_drawing(file: &Source) -> Vec<Finding> {
    let text = file.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let missing = ARROWS.iter().map(arrow).filter(|arrow| !text.contains(arrow.as_str()));
    missing.map(|arrow| Finding::new(&file.path, 1, format!("does not say `{arrow}`"))).collect()
}

/// An arrow as ARCHITECTURE.md has it, such as `cli → core, engine`.
fn arrow((name, allowed): &(&str, &[&str])) -> String {
    let short = |name: &str| name.strip_prefix("plimsoll-").unwrap_or(name).to_owned();
    let to = match allowed {
        [] => "nothing".to_owned(),
        allowed => allowed.iter().map(|name| short(name)).collect::<Vec<_>>().join(", "),
    };
    format!("{} → {to}", short(name))
}

fn check_crate(file: &Source) -> Vec<Finding> {
    let Ok(manifest) = file.text.parse::<Table>() else {
        return vec![Finding::new(&file.path, 1, "is not TOML")];
    };
    let Some(name) = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str)
    else {
        return Vec::new();
    };
    let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
        return vec![Finding::new(
            &file.path,
            1,
            format!("`{name}` has no arrows yet: say in xtask what it may import"),
        )];
    };
    let wrong = ours(&manifest, name).into_iter().filter(|(section, dependency)| {
        let is_for_tests = dependency == FOR_TESTS && section == "dev-dependencies";
        !is_for_tests && !allowed.contains(&dependency.as_str())
    });
    wrong.map(|(section, dependency)| forbidden(file, name, &section, &dependency)).collect()
}

/// The dependencies on crates of this workspace, each with the section that it stands in.
fn ours(manifest: &Table, name: &str) -> Vec<(String, String)> {
    let is_ours =
        |dependency: &str| ARROWS.iter().any(|(known, _)| *known == dependency) && dependency != name;
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    let mut found = Vec::new();
    for table in tables {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let names = table.get(section).and_then(Value::as_table).into_iter().flat_map(Table::keys);
            found.extend(names.filter(|name| is_ours(name)).map(|name| (section.to_owned(), name.clone())));
        }
    }
    found
}

fn forbidden(file: &Source, name: &str, section: &str, dependency: &str) -> Finding {
    let line = file.lines().find(|(_, line)| line.starts_with(dependency)).map_or(1, |(number, _)| number);
    Finding::new(&file.path, line, format!("`{name}` must not import `{dependency}` ({section})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, rest: &str) -> Vec<String> {
        let manifest = format!("[package]\nname = \"{name}\"\n{rest}");
        check(&Tree::of(&[("crates/x/Cargo.toml", &manifest)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_found() {
        assert_eq!(
            findings("plimsoll-core", "[dependencies]\nplimsoll-engine.workspace = true\n"),
            ["crates/x/Cargo.toml:4: `plimsoll-core` must not import `plimsoll-engine` (dependencies)"]
        );
        assert_eq!(
            findings("plimsoll-engine", "[dev-dependencies]\nplimsoll-project = { path = \"x\" }\n").len(),
            1
        );
        assert_eq!(findings("xtask", "[target.'cfg(unix)'.dependencies]\nplimsoll-core = \"1\"\n").len(), 1);
    }

    #[test]
    fn a_drawing_without_an_arrow_is_found() {
        let all = ARROWS.iter().map(arrow).collect::<Vec<_>>().join(" ·\n");
        let found = |text: &str| check(&Tree::of(&[("ARCHITECTURE.md", text)])).len();
        assert_eq!(found(&all), 0);
        assert_eq!(found(&all.replace("project → core", "project → engine")), 1);
    }

    #[test]
    fn the_testkit_is_for_tests() {
        assert_eq!(findings("plimsoll-cli", "[dependencies]\nplimsoll-testkit.workspace = true\n").len(), 1);
        assert!(
            findings("plimsoll-cli", "[dev-dependencies]\nplimsoll-testkit.workspace = true\n").is_empty()
        );
    }

    #[test]
    fn a_crate_without_arrows_is_found_and_those_drawn_are_not() {
        assert_eq!(findings("plimsoll-new", "").len(), 1);
        assert!(
            findings("plimsoll-engine", "[dependencies]\nplimsoll-core.workspace = true\nserde = \"1\"\n")
                .is_empty()
        );
    }
}
