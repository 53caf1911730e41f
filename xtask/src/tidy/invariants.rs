//! Every invariant in ARCHITECTURE.md names the tests that hold it, and they exist.

use std::collections::HashSet;

use super::tree::{Finding, Source, Tree};

/// Checks the table under the heading `Invariants`. The last column of each row names tests, in backticks.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let file = match tree.need("ARCHITECTURE.md") {
        Ok(file) => file,
        Err(missing) => return missing,
    };
    let rows = rows(file);
    if rows.is_empty() {
        return vec![Finding::new(&file.path, 1, "there is no table of invariants")];
    }
    let known: HashSet<&str> = tree.rust().flat_map(|file| tests_in(&file.text)).collect();
    let rows = rows.into_iter();
    rows.flat_map(|(number, row)| check_row(file, number, row, &known, "an invariant without a test"))
        .collect()
}

/// The rows under the heading.
fn rows(file: &Source) -> Vec<(usize, &str)> {
    let is_heading = |line: &str| line.starts_with('#') && line.to_lowercase().contains("invariants");
    let mut section = file.lines().skip_while(|(_, line)| !is_heading(line));
    let first = section.next().map_or(usize::MAX, |(number, _)| number);
    let behind = section.find(|(_, line)| line.starts_with('#')).map_or(usize::MAX, |(number, _)| number);
    file.rows().filter(|(number, _)| (first..behind).contains(number)).collect()
}

/// What is wrong with the tests of a row, if there are some, and if they exist.
pub(super) fn check_row(
    file: &Source,
    number: usize,
    row: &str,
    known: &HashSet<&str>,
    without: &str,
) -> Vec<Finding> {
    let tests = named(row);
    if tests.is_empty() {
        return vec![Finding::new(&file.path, number, without)];
    }
    let missing = tests.into_iter().filter(|test| !known.contains(test));
    missing.map(|test| Finding::new(&file.path, number, format!("there is no test `{test}`"))).collect()
}

/// The names in backticks in the last column; a path before a name is for readers.
pub(super) fn named(row: &str) -> Vec<&str> {
    let column = row.trim().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    let quoted = column.split('`').skip(1).step_by(2);
    quoted.map(|name| name.rsplit("::").next().unwrap_or(name)).filter(|name| is_name(name)).collect()
}

pub(super) fn is_name(text: &str) -> bool {
    text.contains('_') && text.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// The functions of a text that are run as tests, in macros too: each has the attribute somewhere between the function before
/// it and itself. One that only looks like a test holds nothing.
pub(super) fn tests_in(text: &str) -> Vec<&str> {
    let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let (mut names, mut marked) = (Vec::new(), false);
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        marked |= ["#[test]", "#[tokio::test]", "#[tokio::test("].iter().any(|mark| line.contains(mark));
        let Some((before, rest)) = line.split_once("fn ") else { continue };
        if before.ends_with(is_word) {
            continue;
        }
        let name = rest.split(|c| !is_word(c)).next().unwrap_or_default();
        if std::mem::take(&mut marked) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: (&str, &str) = (
        "src/a.rs",
        "#[test]\nfn a_test() {}\nproptest! {\n    #[test]\n    /// Why.\n    fn another_one(x in 0..1) {} }\nfn no_test() {}\n// #[test]\nfn also_no_test() {}\n\
         #[tokio::test(flavor = \"multi_thread\")]\nasync fn one_more() {}\n",
    );

    fn findings(row: &str) -> Vec<String> {
        let text = format!(
            "# House\n| a_b | c |\n## The invariants\n\n| what | tests |\n|---|---|\n{row}\n## More\n"
        );
        check(&Tree::of(&[CODE, ("ARCHITECTURE.md", &text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        assert_eq!(
            findings("| a | `no_such_test` |"),
            ["ARCHITECTURE.md:7: there is no test `no_such_test`"]
        );
        assert_eq!(findings("| a | `a_test`, `missing_one` |").len(), 1);
        assert!(findings("| a | `a_test`, `module::another_one`, `one_more` |").is_empty());
    }

    #[test]
    fn a_function_that_is_not_run_is_no_test() {
        assert_eq!(findings("| a | `no_test`, `also_no_test` |").len(), 2);
    }

    #[test]
    fn an_invariant_without_a_test_is_found() {
        assert_eq!(findings("| `a_test` | none |"), ["ARCHITECTURE.md:7: an invariant without a test"]);
    }

    #[test]
    fn a_missing_table_or_document_is_found() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        assert_eq!(check(&Tree::of(&[("ARCHITECTURE.md", "## Invariants\n")])).len(), 1);
    }
}
