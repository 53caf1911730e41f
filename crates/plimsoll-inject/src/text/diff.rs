//! Two texts side by side, for people.

use similar::TextDiff;

/// A unified diff with three lines of context; empty if the texts are the same.
///
/// `name` is the path that both sides are shown under, as `a/NAME` and `b/NAME`.
pub fn diff(name: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_shows_what_changed_and_nothing_if_nothing_did() {
        assert_eq!(
            diff("x.yaml", "a\nb\n", "a\nc\n"),
            "--- a/x.yaml\n+++ b/x.yaml\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        );
        assert_eq!(diff("x.yaml", "a\n", "a\n"), "");
    }
}
