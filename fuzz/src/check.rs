//! The checks themselves. They know the blanks of each dialect, and nothing else of SQL.

use std::ops::Range;

use crate::blank::{Dialect, first_token};

/// Panics unless these spans are in order, and at characters.
pub(crate) fn order(text: &str, spans: &[Range<usize>]) {
    let mut end = 0;
    for span in spans {
        assert!(span.start >= end && span.end > span.start, "{spans:?} overlap");
        assert!(text.get(span.clone()).is_some(), "{span:?} is not at characters");
        end = span.end;
    }
}

/// Panics unless these spans are the statements of the text, as far as that can be said without knowing SQL.
///
/// They are in order; between them is nothing but blanks, comments and semicolons; each is one statement by itself, with
/// one of `ends` behind it: what ends a statement may be no part of its span.
pub(crate) fn statements(
    text: &str,
    spans: &[Range<usize>],
    dialect: Dialect,
    ends: &[&str],
    split: impl Fn(&str) -> Vec<Range<usize>>,
) {
    order(text, spans);
    let mut done = 0;
    for span in spans {
        gap(text, done..span.start, dialect);
        alone(&text[span.clone()], ends, &split);
        done = span.end;
    }
    gap(text, done..text.len(), dialect);
}

fn gap(text: &str, gap: Range<usize>, dialect: Dialect) {
    let token = first_token(text, gap.clone(), dialect);
    assert_eq!(token, None, "a statement was left out: {:?} of {text:?}", &text[gap]);
}

/// A blank before it, because a byte order mark counts only at the very start.
fn alone(statement: &str, ends: &[&str], split: impl Fn(&str) -> Vec<Range<usize>>) {
    let whole = 1..1 + statement.len();
    let is_one = ends.iter().any(|end| split(&format!(" {statement}{end}")) == std::slice::from_ref(&whole));
    assert!(is_one, "not one statement by itself: {statement:?}");
}

/// Panics if what is shown of a statement holds a value in it, whatever stands behind that.
pub(crate) fn shown(text: &str, without_values: impl Fn(&str) -> String) {
    const VALUE: &str = "ANNS_SECRET";
    let statement = format!("SELECT '{VALUE}' {text}");
    let shown = without_values(&statement);
    assert!(text.contains(VALUE) || !shown.contains(VALUE), "{statement:?} is shown as {shown:?}");
    let _ = without_values(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "is shown as")]
    fn a_value_that_is_shown_is_found_out() {
        shown("", str::to_owned);
    }

    #[test]
    #[should_panic(expected = "a statement was left out")]
    fn a_splitter_that_is_blind_for_a_statement_beside_a_comment_is_found_out() {
        statements("SELECT 1; -- a\nSELECT 2", &[], Dialect::Postgres, &[""], |_| Vec::new());
    }
}
