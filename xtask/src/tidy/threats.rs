//! Whatever docs/security.md says that nobody can do stands in a table, and each row names the tests that try it; they exist.

use std::collections::HashSet;

use super::invariants::{check_row, is_name, tests_in};
use super::tree::{Finding, Source, Tree};

const DOCUMENT: &str = "docs/security.md";

/// Checks each row, that there is a table behind each "Cannot", and that no test is named where nothing would check it.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let file = match tree.need(DOCUMENT) {
        Ok(file) => file,
        Err(missing) => return missing,
    };
    let known: HashSet<&str> = tree.rust().flat_map(|file| tests_in(&file.text)).collect();
    let rows = file.rows();
    let mut findings: Vec<Finding> = rows
        .flat_map(|(number, row)| check_row(file, number, row, &known, "a threat without a test"))
        .collect();
    findings.extend(without_a_table(file));
    let prose = file.lines().filter(|(_, line)| !line.starts_with('|') && names_a_test(line));
    findings.extend(prose.map(|(number, _)| Finding::new(DOCUMENT, number, "a test that is in no table")));
    findings
}

fn without_a_table(file: &Source) -> impl Iterator<Item = Finding> {
    let next = |at: usize| file.lines().find(|(number, line)| *number > at && !line.trim().is_empty());
    let cannot = file.lines().filter(|(_, line)| line.starts_with("**Cannot"));
    let alone = cannot.filter(move |(number, line)| {
        *line != "**Cannot**" || !next(*number).is_some_and(|(_, line)| line.starts_with('|'))
    });
    alone.map(|(number, _)| Finding::new(DOCUMENT, number, "what nobody can do has no table"))
}

/// A test's name is a claim of several words; other names are shorter, or begin with `_`.
fn names_a_test(line: &str) -> bool {
    let is_claim = |text: &str| is_name(text) && !text.starts_with('_') && text.matches('_').count() > 1;
    line.split('`').skip(1).step_by(2).any(is_claim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: (&str, &str) = ("a.rs", "#[test]\nfn it_is_so() {}\n");

    fn findings(text: &str) -> Vec<String> {
        check(&Tree::of(&[CODE, (DOCUMENT, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_threat_that_no_test_wards_off_is_found() {
        assert!(findings("**Cannot**\n\n| | test |\n|---|---|\n| a | `it_is_so` |\n").is_empty());
        assert_eq!(
            findings("**Cannot**\n\n| | test |\n|---|---|\n| a | |\n| b | `no_such_test` |\n"),
            [
                "docs/security.md:5: a threat without a test",
                "docs/security.md:6: there is no test `no_such_test`"
            ]
        );
    }

    #[test]
    fn what_nobody_can_do_is_not_said_in_prose() {
        let none = ": what nobody can do has no table";
        assert_eq!(findings("**Cannot** see it.\n"), [format!("docs/security.md:1{none}")]);
        assert_eq!(findings("**Cannot**\n\nsee it.\n"), [format!("docs/security.md:1{none}")]);
        assert_eq!(findings("It is so (`it_is_so`).\n"), ["docs/security.md:1: a test that is in no table"]);
        assert!(findings("`_prisma_migrations` and `socket_timeout`\n").is_empty());
    }

    #[test]
    fn a_missing_document_is_found() {
        assert_eq!(check(&Tree::of(&[CODE])).len(), 1);
    }
}
