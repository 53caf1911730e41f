//! Texts of others, for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text without anything that a terminal would obey instead of showing it.
///
/// A database, a script, the name of a directory and an old row of the history are written by others: escape codes in them could
/// hide lines, change the title or what was printed before. Every control character but tab and line feed (and a carriage return
/// before one), DEL, the second set of control characters (U+0080 to U+009F), the separators of lines, and the characters
/// that turn the direction of a line become question marks, one for each byte, so that offsets stay.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.char_indices().any(|(at, c)| is_obeyed(c, &text[at..])) {
        return Cow::Borrowed(text);
    }
    let safe = |(at, c): (usize, char)| {
        if is_obeyed(c, &text[at..]) { "?".repeat(c.len_utf8()) } else { c.to_string() }
    };
    Cow::Owned(text.char_indices().map(safe).collect())
}

/// The JSON of a value on one line, in which whatever a terminal would obey is an escape: the same value for whoever reads it.
pub fn in_json(value: &serde_json::Value) -> String {
    let text = value.to_string();
    let mut safe = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if is_obeyed(c, &text[at..]) {
            let _infallible = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Whether a terminal does something else with this character than to show it; `rest` begins with it.
fn is_obeyed(c: char, rest: &str) -> bool {
    match c {
        '\n' | '\t' => false,
        '\r' => !rest.starts_with("\r\n"),
        // Line separators, embeddings, overrides and isolates, and the marks that belong to them.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left_and_offsets_stay() {
        let text = "a\u{1b}[2Jb\u{9b}1mc\u{7}\u{8}\rd\u{202e}e\u{7f}\0";
        let safe = shown(text);
        assert_eq!(safe, "a?[2Jb??1mc???d???e??");
        assert_eq!(safe.len(), text.len());
    }

    #[test]
    fn json_says_the_same_in_escapes() {
        let value = serde_json::json!({ "a\u{9b}": "\u{1b}\u{202e}\u{7f}\n\t🚢" });
        let text = in_json(&value);
        assert_eq!(text, r#"{"a\u009b":"\u001b\u202e\u007f\n\t🚢"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn ordinary_text_is_shown_as_it_is() {
        for text in ["", "a\tb\r\nc\n", "größer · ń · 漢字 · 🚢"] {
            assert!(matches!(shown(text), Cow::Borrowed(safe) if safe == text), "{text:?}");
        }
    }
}
