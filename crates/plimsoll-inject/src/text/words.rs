//! Strings as YAML scalars: plain where every reader agrees, quoted otherwise.

use serde_json::Value;

use super::{render, scalar};

/// A string in block style.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// A string inside of brackets.
pub(super) fn flow(text: &str) -> String {
    let is_plain = is_plain(text) && !text.contains([',', '[', ']', '{', '}', ':', '?']);
    if is_plain { text.to_owned() } else { quoted(text) }
}

/// A string as a key.
pub(super) fn key(text: &str) -> String {
    // Quotes alone do not keep Kubernetes' reader from merging.
    if text == "<<" { "!!str \"<<\"".to_owned() } else { scalar(text) }
}

/// A string as a key inside of brackets.
pub(super) fn flow_key(text: &str) -> String {
    if text == "<<" { key(text) } else { flow(text) }
}

/// A string in double quotes, on one line.
fn quoted(text: &str) -> String {
    printable(&Value::from(text).to_string())
}

/// The same JSON with escapes for what YAML does not allow to stand as it is.
pub(super) fn printable(json: &str) -> String {
    let is_refused =
        |c| matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    let mut result = String::with_capacity(json.len());
    for c in json.chars() {
        if is_refused(c) {
            // Rust writes the code in braces: `\u{7f}`.
            let code = c.escape_unicode().to_string().replace(['\\', 'u', '{', '}'], "");
            result.extend(["\\u", &"0000"[code.len()..], &code]);
        } else {
            result.push(c);
        }
    }
    result
}

/// What stands behind a colon or a dash for a string of several lines, if `|` says it exactly.
pub(super) fn literal(text: &str, column: usize) -> Option<String> {
    let (body, indicator) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let is_exact = text.contains('\n')
        && !body.is_empty()
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\n', '\t'])
        && body.chars().all(|c| c == '\n' || is_ordinary(c))
        && body.lines().all(|line| line.is_empty() || !line.ends_with(' ') && !line.starts_with('\t'));
    let indent = render::spaces(column);
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("{indent}{line}") };
    is_exact.then(|| format!(" {indicator}\n{}", body.split('\n').map(line).collect::<Vec<_>>().join("\n")))
}

fn is_ordinary(c: char) -> bool {
    c.is_ascii_graphic() || c == ' ' || c == '\t' || c.is_alphanumeric() && c > '\u{9f}'
}

/// Whether YAML 1.1 and 1.2 both read these characters, without quotes, as this string.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c != '\t' && is_ordinary(c))
        && !text.starts_with(' ')
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && has_plain_start(text)
        && scalar::plain(text) == text
        && !scalar::is_not_finite(text)
        && !looks_numeric(text)
        && !matches!(text, "=" | "<<")
}

fn has_plain_start(text: &str) -> bool {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some('-'), Some(next)) => next != ' ' && !text.starts_with("---"),
        (Some('.'), Some('.')) => !text.starts_with("..."),
        (Some(first), _) => !"-?:,[]{}#&*!|>'\"%@`".contains(first),
        (None, _) => false,
    }
}

/// Whether some reader may take it for a number, a date or a time: it begins like one and has no other characters.
fn looks_numeric(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        && text.chars().any(|c| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_hexdigit() || "xXoO_.,:+-TtZz ".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_reader_would_take_for_something_else_is_quoted() {
        let words = [
            "",
            "yes",
            "No",
            "on",
            "y",
            "null",
            "~",
            "0123",
            "1e3",
            "0x1f",
            "12:30",
            "2001-01-01",
            "1_000",
            ".5",
            "=",
            "<<",
            " a",
            "a ",
            "a: b",
            "a #b",
            "a:",
            "- a",
            "-",
            "?a",
            ":a",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "'a",
            "\"a",
            "{a",
            "[a",
            "#a",
            "|a",
            ">a",
            "---",
            "--- a",
            "...",
            "a\tb",
            "a\u{7f}",
            "\u{feff}a",
            ".inf",
            "10",
        ];
        for word in words {
            assert!(scalar(word).starts_with('"'), "{word}");
        }
    }

    #[test]
    fn ordinary_words_are_not_quoted() {
        for word in [
            "plimsoll",
            "--schema=./x",
            "-c",
            "app:1.2",
            "a#b",
            "500m",
            "128Mi",
            "/bin/sh",
            "größe",
            "$(A)",
            "a b",
        ] {
            assert_eq!(scalar(word), word);
        }
    }

    #[test]
    fn what_yaml_does_not_allow_is_escaped() {
        assert_eq!(scalar("a\u{7f}\u{2028}\u{feff}\u{1}"), r#""a\u007f\u2028\ufeff\u0001""#);
    }

    #[test]
    fn inside_of_brackets_their_characters_are_quoted() {
        for word in ["a,b", "a]", "{a", "app:1"] {
            assert!(flow(word).starts_with('"'), "{word}");
        }
        assert_eq!(flow("a/b"), "a/b");
    }

    #[test]
    fn several_lines_are_literal_where_that_is_exact() {
        assert_eq!(literal("a\n\n  b\n", 2).unwrap(), " |\n  a\n\n    b");
        assert_eq!(literal("a\nb", 2).unwrap(), " |-\n  a\n  b");
        for text in ["a", " a\nb", "a\n\n", "a \nb", "a\r\nb", "\na", "a\n\tb", "\n"] {
            assert_eq!(literal(text, 2), None, "{text:?}");
        }
    }
}
