//! `.env` files, in the grammar of the npm package `dotenv`, which both Prisma and the configs of its users load.
//!
//! The grammar is line-based and forgiving: what is not an assignment is skipped, a quote that is not closed is an
//! ordinary character, and nothing is an error.

use std::collections::BTreeMap;

use crate::environment::Environment;

/// How deep one variable may refer to another. Prisma has no limit, and does not come back from a circle.
const EXPANSION_DEPTH: usize = 16;
/// How many references one file may make; it bounds what variables that double each other can grow to.
const EXPANSION_REFERENCES: usize = 10_000;

/// The assignments of a `.env` file; the last one of a name counts.
///
/// `export `, comments, `KEY: value`, the three kinds of quotes and values over several lines are understood; `\n` and
/// `\r` are escapes in double quotes only.
pub(crate) fn parse(text: &str) -> BTreeMap<String, String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut assignments = BTreeMap::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while !rest.is_empty() {
        rest = match assignment(rest) {
            Some((name, value, after)) => {
                assignments.insert(name.to_owned(), value);
                after
            }
            None => next_line(rest),
        };
    }
    assignments
}

fn next_line(text: &str) -> &str {
    text.find('\n').map_or("", |at| &text[at + 1..])
}

/// Reads one assignment at the start of a line: its name, its value and what comes behind it.
fn assignment(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start();
    let exported = text.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace));
    exported.and_then(|rest| named_assignment(rest.trim_start())).or_else(|| named_assignment(text))
}

fn named_assignment(text: &str) -> Option<(&str, String, &str)> {
    let end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    let after_equals = rest.trim_start().strip_prefix('=');
    let after_colon = rest.strip_prefix(':').and_then(|rest| rest.strip_prefix(char::is_whitespace));
    let (value, after) = value(after_equals.or(after_colon)?);
    Some((name, value, after))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

fn value(text: &str) -> (String, &str) {
    quoted(text).unwrap_or_else(|| {
        let line = &text[..text.find('\n').unwrap_or(text.len())];
        let value = line[..line.find('#').unwrap_or(line.len())].trim();
        // Quotes around a value that has the same ones inside; one that only opens is part of the value. Both kinds of
        // double quotes make escapes of `\n`.
        let inner =
            ['"', '\'', '`'].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        let bare = inner.unwrap_or(value);
        let bare = if value.starts_with('"') { unescape(bare) } else { bare.to_owned() };
        (bare, next_line(text))
    })
}

/// A value in quotes, which may start on a later line than its name, with at most a comment behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let inner = &text[1..];
    let end = closing_quotes(inner, quote).into_iter().find(|end| ends_the_line(&inner[end + 1..]))?;
    let value = &inner[..end];
    let value = if quote == '"' { unescape(value) } else { value.to_owned() };
    Some((value, next_line(&inner[end + 1..])))
}

/// Where the value may end: at the first quote that is not escaped, else (if that one does not end the line) at an
/// escaped one before it, the last one first.
fn closing_quotes(inner: &str, quote: char) -> Vec<usize> {
    let mut candidates = Vec::new();
    for (at, _) in inner.match_indices(quote) {
        candidates.push(at);
        if !inner[..at].ends_with('\\') {
            candidates.reverse();
            return candidates;
        }
    }
    candidates.reverse();
    candidates
}

fn ends_the_line(text: &str) -> bool {
    let line = &text[..text.find('\n').unwrap_or(text.len())];
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn unescape(value: &str) -> String {
    value.replace("\\n", "\n").replace("\\r", "\r")
}

/// Replaces each `${NAME}` in the values by the value of that name, as Prisma 6 does.
///
/// A variable of the process wins over one of the file, one that nobody has is empty, and `\${` stays a `${`.
pub(crate) fn expand(
    assignments: &BTreeMap<String, String>,
    environment: &Environment,
) -> BTreeMap<String, String> {
    let mut expansion = Expansion { assignments, environment, references: EXPANSION_REFERENCES };
    let mut expanded = BTreeMap::new();
    for (name, value) in assignments {
        expanded.insert(name.clone(), expansion.of(value, EXPANSION_DEPTH));
    }
    expanded
}

struct Expansion<'a> {
    assignments: &'a BTreeMap<String, String>,
    environment: &'a Environment,
    /// How many references may still be followed.
    references: usize,
}

impl Expansion<'_> {
    fn of(&mut self, value: &str, depth: usize) -> String {
        let mut result = String::new();
        let mut rest = value;
        while let Some((before, name, after)) = reference(rest) {
            rest = after;
            if let Some(before) = before.strip_suffix('\\') {
                result = result + before + "${" + name + "}";
                continue;
            }
            result.push_str(before);
            if depth > 0 && self.references > 0 {
                self.references -= 1;
                let found = self.environment.get(name);
                let found = found.or_else(|| self.assignments.get(name).map(String::as_str));
                result += &self.of(found.unwrap_or_default(), depth - 1);
            }
        }
        result + rest
    }
}

/// The first `${NAME}` with what stands before and behind it.
fn reference(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices("${").find_map(|(at, _)| {
        let name_and_rest = &text[at + 2..];
        let end = name_and_rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let after = name_and_rest[end..].strip_prefix('}')?;
        Some((&text[..at], &name_and_rest[..end], after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> String {
        parse(text).remove("A").unwrap_or_else(|| "(none)".to_owned())
    }

    fn expanded(text: &str, process: &[(&str, &str)]) -> BTreeMap<String, String> {
        let process = process.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        expand(&parse(text), &Environment::new(process.collect()))
    }

    #[test]
    fn a_plain_value_is_trimmed_and_ends_at_a_comment() {
        assert_eq!(one("A=b"), "b");
        assert_eq!(one("  A =  b c  # d"), "b c");
        assert_eq!(one("A=b#c"), "b");
        assert_eq!(one("A="), "");
        assert_eq!(one("A=\nB=1"), "");
        assert_eq!(one("export A=b"), "b");
        assert_eq!(parse("export=1").get("export").map(String::as_str), Some("1"));
        assert_eq!(one("A: b"), "b");
        assert_eq!(one("A:b"), "(none)");
        assert_eq!(one("A:\nb"), "b");
        assert_eq!(one("\u{feff}A=b"), "b");
        assert_eq!(one("A=b\r\nB=c\r\n"), "b");
        assert_eq!(one("A=1\nA=2"), "2");
    }

    #[test]
    fn quotes_keep_blanks_hashes_and_line_ends() {
        assert_eq!(one("A=' b # c '"), " b # c ");
        assert_eq!(one("A=\"b#c\" # d"), "b#c");
        assert_eq!(one("A=`it's \"b\"`"), "it's \"b\"");
        assert_eq!(one("A=\"b\nc\"\nB=1"), "b\nc");
        assert_eq!(parse("A=\"b\nc\"\nB=1").len(), 2);
        assert_eq!(one("A=\n  'next line'"), "next line");
    }

    #[test]
    fn line_ends_are_escapes_in_double_quotes_only() {
        assert_eq!(one("A=\"b\\nc\""), "b\nc");
        assert_eq!(one("A='b\\nc'"), "b\\nc");
        assert_eq!(one("A=b\\nc"), "b\\nc");
    }

    #[test]
    fn a_quote_that_is_not_closed_is_a_character() {
        assert_eq!(one("A=\"b"), "\"b");
        assert_eq!(one("A='b' c"), "'b' c");
        assert_eq!(one("A='b' c 'd'"), "b' c 'd");
        assert_eq!(one("A=it's"), "it's");
        assert_eq!(one("A=\"b\\\"c\""), "b\\\"c");
    }

    #[test]
    fn lines_that_assign_nothing_are_skipped() {
        assert_eq!(one("# A=1\nnothing here\n=x\n\nA=2"), "2");
    }

    #[test]
    fn references_are_expanded_and_the_process_wins() {
        let values = expanded("A=${B}/x\nB=file\nC=\\${B}\nD=$B\nE=${NOBODY}!", &[("B", "process")]);
        let values: Vec<_> = values.values().map(String::as_str).collect();
        assert_eq!(values, ["process/x", "file", "${B}", "$B", "!"]);
    }

    #[test]
    fn a_circle_of_references_ends() {
        assert_eq!(expanded("A=${B}\nB=x${A}", &[]).len(), 2);
        assert!(expanded("A=x${A}${A}${A}${A}${A}${A}", &[])["A"].len() <= 1 + EXPANSION_REFERENCES);
    }

    proptest! {
        #[test]
        fn any_text_can_be_read_and_expanded(text in "[A-C=:#'\"`${}\\\\\n\r ex]{0,60}|\\PC{0,40}") {
            let _ = expanded(&text, &[("A", "${B}")]);
        }

        #[test]
        fn a_value_in_single_quotes_is_itself(value in "[^'\r\\\\]{0,40}") {
            prop_assert_eq!(one(&format!("A='{value}' # c")), value);
        }
    }
}
