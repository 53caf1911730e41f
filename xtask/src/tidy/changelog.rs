//! What changes is written down while it changes.

use super::tree::{Finding, Tree};

/// Checks that there is a place for the next release's changes.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let file = match tree.need("CHANGELOG.md") {
        Ok(file) => file,
        Err(missing) => return missing,
    };
    if file.text.lines().any(|line| line == "## Unreleased" || line == "## [Unreleased]") {
        return Vec::new();
    }
    vec![Finding::new(&file.path, 1, "there is no section `## Unreleased`")]
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
}
