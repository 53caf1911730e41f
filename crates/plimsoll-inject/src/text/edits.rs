//! Changes of a text, collected first and made all at once.

use std::ops::Range;

/// Replacements of parts of one text.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Writes `text` instead of the bytes in `range`. Insertions at one place keep the order in which they were made.
    pub(super) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        let text = text.into();
        if !range.is_empty() || !text.is_empty() {
            self.0.push((range, text));
        }
    }

    /// Writes `text` before the byte `at`.
    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// The text with all changes made; nothing if two of them contradict each other.
    pub(super) fn apply(mut self, text: &str) -> Option<String> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut result =
            String::with_capacity(text.len() + self.0.iter().map(|(_, new)| new.len()).sum::<usize>());
        let mut at = 0;
        for (range, new) in &self.0 {
            result.push_str(text.get(at..range.start)?);
            result.push_str(new);
            at = range.end;
        }
        result.push_str(text.get(at..)?);
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_made_in_the_order_of_the_text() {
        let mut edits = Edits::default();
        edits.replace(4..5, "E");
        edits.insert(1, "x");
        edits.insert(1, "y");
        edits.replace(1..2, "");
        assert_eq!(edits.apply("abcde").unwrap(), "axycdE");
    }

    #[test]
    fn changes_that_contradict_each_other_make_no_text() {
        let mut edits = Edits::default();
        edits.replace(0..3, "x");
        edits.replace(2..4, "y");
        assert_eq!(edits.apply("abcde"), None);
    }
}
