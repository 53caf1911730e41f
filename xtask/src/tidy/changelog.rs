//! What changes is written down while it changes, in lists that are one each.

use super::tree::{Finding, Source, Tree};

/// Checks that there is a place for the next release's changes, and that no list falls into pieces.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let file = match tree.need("CHANGELOG.md") {
        Ok(file) => file,
        Err(missing) => return missing,
    };
    let mut findings = gaps(file);
    if !file.text.lines().any(|line| line == "## Unreleased" || line == "## [Unreleased]") {
        findings.push(Finding::new(&file.path, 1, "there is no section `## Unreleased`"));
    }
    findings
}

/// Blank lines between two entries of a list: two branches that each added one leave them when they meet.
fn gaps(file: &Source) -> Vec<Finding> {
    let is_entry = |line: &str| line.starts_with("- ") || line.starts_with("  ");
    let mut findings = Vec::new();
    let (mut in_list, mut blank) = (false, None);
    for (number, line) in file.lines() {
        if line.trim().is_empty() {
            blank = Some(number);
            continue;
        }
        if let Some(number) = blank.take().filter(|_| in_list && is_entry(line)) {
            findings.push(Finding::new(&file.path, number, "a blank line inside a list"));
        }
        in_list = is_entry(line);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changelog_without_the_section_is_found() {
        assert_eq!(check(&Tree::of(&[("CHANGELOG.md", "# Changes\n## 0.1.0\n")])).len(), 1);
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        assert!(check(&Tree::of(&[("CHANGELOG.md", "# Changes\n\n## Unreleased\n")])).is_empty());
    }

    #[test]
    fn a_blank_line_inside_a_list_is_found() {
        let list =
            "## Unreleased\n\n### Added\n\n- a\n  and more\n\n- b\n\n  and more\n- c\n\n### Fixed\n\n- d\n";
        let found = check(&Tree::of(&[("CHANGELOG.md", list)]));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["CHANGELOG.md:7: a blank line inside a list", "CHANGELOG.md:9: a blank line inside a list"]
        );
    }
}
