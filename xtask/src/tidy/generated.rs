//! Documents that the program writes are as it writes them today.

use super::tree::{Finding, Tree};
use crate::docs::{DOCUMENTS, path_of};
use crate::process::Outcome;

/// Compares every generated document with what `generate` makes of it.
pub(super) fn check(tree: &Tree, generate: impl Fn(&str) -> Outcome<String>) -> Vec<Finding> {
    DOCUMENTS.iter().flat_map(|document| check_one(tree, document, &generate)).collect()
}

fn check_one(tree: &Tree, document: &str, generate: impl Fn(&str) -> Outcome<String>) -> Vec<Finding> {
    let path = path_of(document);
    let text = match generate(document) {
        Ok(text) => text,
        Err(why) => return vec![Finding::new(path, 1, why)],
    };
    let present = tree.file(&path).map_or("", |file| file.text.as_str());
    if present == text && !text.is_empty() {
        return Vec::new();
    }
    let line = 1 + present.lines().zip(text.lines()).take_while(|(left, right)| left == right).count();
    vec![Finding::new(path, line, "is not what the program writes: run `cargo xtask docs`")]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: &str = "one\ntwo\n";

    #[test]
    fn a_document_that_differs_is_found_at_its_first_line() {
        let tree = Tree::of(&[
            ("docs/database-errors.md", SAME),
            ("docs/errors.md", "one\nzwei\n"),
            ("docs/exit-codes.md", SAME),
            ("docs/reference.md", SAME),
        ]);
        let lines: Vec<_> = check(&tree, |_| Ok(SAME.into())).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["docs/errors.md:2: is not what the program writes: run `cargo xtask docs`"]);
    }

    #[test]
    fn a_missing_or_empty_document_and_a_program_that_fails_are_found() {
        assert_eq!(check(&Tree::of(&[]), |_| Ok(SAME.into())).len(), DOCUMENTS.len());
        assert_eq!(check(&Tree::of(&[]), |_| Ok(String::new())).len(), DOCUMENTS.len());
        assert_eq!(check(&Tree::of(&[]), |_| Err("broken".into())).len(), DOCUMENTS.len());
    }
}
