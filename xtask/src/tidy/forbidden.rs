//! Words that have no place in this code. They are put together here so that this file does not hold them.

use super::tree::{Finding, Source, Tree};

/// A text that must not occur, in which files, and what to do instead.
struct Word {
    text: &'static str,
    applies: fn(&Source) -> bool,
    instead: &'static str,
}

const WORDS: [Word; 5] = [
    Word {
        text: concat!("#[al", "low("),
        applies: Source::is_rust,
        instead: "use `#[expect(…, reason = \"…\")]`, which tells when it is not needed any more",
    },
    Word {
        text: concat!("#![al", "low("),
        applies: Source::is_rust,
        instead: "use `#![expect(…, reason = \"…\")]`, which tells when it is not needed any more",
    },
    Word {
        text: concat!("#[ig", "nore"),
        applies: Source::is_rust,
        instead: "a test that is not run proves nothing: make it run, or delete it",
    },
    Word {
        text: concat!("thread::sl", "eep"),
        applies: is_rust_test,
        instead: "wait for what the test needs, not for time to pass",
    },
    Word {
        text: concat!("time::sl", "eep"),
        applies: is_rust_test,
        instead: "wait for what the test needs, not for time to pass",
    },
];

/// Checks every file for every word.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(check_file).collect()
}

fn check_file(file: &Source) -> Vec<Finding> {
    let words = WORDS.iter().filter(|word| (word.applies)(file));
    words.flat_map(|word| file.lines_that(|line| line.contains(word.text), &message(word))).collect()
}

fn message(word: &Word) -> String {
    format!("`{}`: {}", word.text, word.instead)
}

fn is_rust_test(file: &Source) -> bool {
    file.is_rust() && file.is_test()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_where_it_applies() {
        for word in WORDS {
            let text = format!("fn a() {{}}\n    {}\n", word.text);
            let found = check(&Tree::of(&[("crates/x/tests/a.rs", &text)]));
            assert!(found.iter().all(|finding| finding.to_string().starts_with("crates/x/tests/a.rs:2:")));
            assert_eq!(found.len(), 1, "{}", word.text);
            assert!(check(&Tree::of(&[("README.md", &text)])).is_empty());
        }
    }

    #[test]
    fn only_tests_must_not_sleep() {
        let text = format!("std::{}(limit);", WORDS[3].text);
        assert!(check(&Tree::of(&[("crates/x/src/a.rs", &text)])).is_empty());
    }
}
