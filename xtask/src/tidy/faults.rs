//! Every row of `docs/faults.md` names the test that does it, and every test of a fault has its row.

use std::collections::HashSet;

use super::invariants::{check_row, named, tests_in};
use super::tree::{Finding, Source, Tree};

const DOCUMENT: &str = "docs/faults.md";
/// Where the tests are that the document is about; a row may name others too.
const TESTS: &str = "crates/plimsoll-cli/tests/faults/";

/// Checks the document and the tests against each other, both ways.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let file = match tree.need(DOCUMENT) {
        Ok(file) => file,
        Err(missing) => return missing,
    };
    let known: HashSet<&str> = tree.rust().flat_map(|file| tests_in(&file.text)).collect();
    let mut findings = Vec::new();
    let mut told = HashSet::new();
    for (number, row) in file.rows() {
        findings.extend(check_row(file, number, row, &known, "a fault without a test"));
        told.extend(named(row));
    }
    let tests = tree.rust().filter(|file| file.path.starts_with(TESTS));
    findings.extend(tests.flat_map(|source| untold(source, &told)));
    findings
}

fn untold(source: &Source, told: &HashSet<&str>) -> Vec<Finding> {
    let untold = tests_in(&source.text).into_iter().filter(|test| !told.contains(test));
    untold.map(|test| Finding::new(&source.path, 1, format!("`{test}` has no row in {DOCUMENT}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: (&str, &str) =
        ("crates/plimsoll-cli/tests/faults/a.rs", "#[test]\nfn a_cut() {}\n#[test]\nfn a_stop() {}\n");

    fn findings(rows: &str) -> Vec<String> {
        let text = format!("# Faults\n\n| what | test |\n|---|---|\n{rows}");
        check(&Tree::of(&[CODE, (DOCUMENT, &text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_row_names_tests_that_exist_and_every_test_has_a_row() {
        assert!(findings("| x | `a_cut` |\n| y | `a_stop` |\n").is_empty());
        assert_eq!(
            findings("| x | `a_cut`, `a_stop` |\n| y | none |\n"),
            ["docs/faults.md:6: a fault without a test"]
        );
        assert_eq!(
            findings("| x | `a_cut`, `a_stop`, `a_dream` |\n"),
            ["docs/faults.md:5: there is no test `a_dream`"]
        );
        assert_eq!(
            findings("| x | `a_cut` |\n"),
            ["crates/plimsoll-cli/tests/faults/a.rs:1: `a_stop` has no row in docs/faults.md"]
        );
    }

    #[test]
    fn a_missing_document_is_found() {
        assert_eq!(check(&Tree::of(&[CODE])).len(), 1);
    }
}
