//! What has to be true of the statements of any text.

use std::ops::Range;

/// Panics unless these spans are in order, and at characters.
pub fn check_order(text: &str, spans: &[Range<usize>]) {
    let mut end = 0;
    for span in spans {
        assert!(span.start >= end && span.end > span.start, "{spans:?} overlap");
        assert!(text.get(span.clone()).is_some(), "{span:?} is not at characters");
        end = span.end;
    }
}

/// Panics unless these spans are the statements of the text, as far as that can be said without knowing SQL.
///
/// They are in order; between them is nothing that could be a statement; each is one statement by itself, with one
/// of `ends` behind it: what ends a statement may be no part of its span.
pub fn check(text: &str, spans: &[Range<usize>], ends: &[&str], split: impl Fn(&str) -> Vec<Range<usize>>) {
    check_order(text, spans);
    let mut done = 0;
    for span in spans {
        check_gap(&text[done..span.start], &split);
        check_alone(&text[span.clone()], ends, &split);
        done = span.end;
    }
    check_gap(&text[done..], &split);
}

fn check_gap(gap: &str, split: impl Fn(&str) -> Vec<Range<usize>>) {
    assert_eq!(split(gap), [], "a statement was left out: {gap:?}");
    let can_hold_comment = gap.contains("--") || gap.contains("/*") || gap.contains('#');
    let is_blank = |c: char| c.is_ascii_whitespace() || matches!(c, ';' | '\u{b}' | '\u{feff}');
    assert!(can_hold_comment || gap.chars().all(is_blank), "not blank: {gap:?}");
}

/// A blank before it, because a byte order mark counts only at the very start.
fn check_alone(statement: &str, ends: &[&str], split: impl Fn(&str) -> Vec<Range<usize>>) {
    let whole = [1..1 + statement.len()];
    let is_one = ends.iter().any(|end| split(&format!(" {statement}{end}")) == whole);
    assert!(is_one, "not one statement by itself: {statement:?}");
}
