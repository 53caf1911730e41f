//! What the `mysql` client understands and no server does: `DELIMITER` lines and its own commands.

use std::ops::Range;

use super::lexer::is_blank;
use super::refusal::Refusal;
use super::server::{Backslash, Quoting};

/// Commands of the client that no statement begins with.
const COMMANDS: [&str; 22] = [
    "charset",
    "clear",
    "connect",
    "edit",
    "ego",
    "exit",
    "go",
    "nopager",
    "notee",
    "nowarning",
    "pager",
    "print",
    "query_attributes",
    "quit",
    "rehash",
    "resetconnection",
    "source",
    "ssl_session_data_print",
    "status",
    "system",
    "tee",
    "warnings",
];

/// Whether this first word of a statement, in lower case, is a command of the client.
pub(super) fn is_command(word: &str) -> bool {
    COMMANDS.contains(&word)
}

/// A `DELIMITER` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DelimiterLine<'a> {
    pub(super) delimiter: &'a str,
    /// Where the next line begins.
    pub(super) end: usize,
}

/// The length of the word `DELIMITER` if the text begins with it and a blank or an end follows.
fn delimiter_word(text: &[u8]) -> Option<usize> {
    const WORD: &[u8] = b"delimiter";
    let word = text.get(..WORD.len())?;
    let ends = text.get(WORD.len()).is_none_or(|byte| is_blank(*byte));
    (word.eq_ignore_ascii_case(WORD) && ends).then_some(WORD.len())
}

/// Reads the `DELIMITER` line that begins at `at`, if one does.
///
/// As in the client, the delimiter is one word or stands in quotes, and the rest of the line is ignored.
pub(super) fn delimiter_line(text: &str, at: usize) -> Option<Result<DelimiterLine<'_>, Refusal>> {
    let word = delimiter_word(&text.as_bytes()[at..])?;
    let line = text[at..].split('\n').next().unwrap_or("");
    let end = (at + line.len() + 1).min(text.len());
    let rest = line[word..].trim_start_matches([' ', '\t', '\r']);
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'));
    let delimiter = match quote {
        Some(quote) => rest[1..].split(quote).next(),
        None => rest.split(|c: char| c.is_ascii_whitespace()).next(),
    };
    let delimiter = delimiter.unwrap_or("");
    if delimiter.is_empty() || delimiter.contains('\\') {
        let span = at..at + line.trim_end().len();
        return Some(Err(Refusal::ClientCommand { span, command: "DELIMITER".to_owned() }));
    }
    Some(Ok(DelimiterLine { delimiter, end }))
}

/// What the client sends as one message: up to its delimiter, or up to the next `DELIMITER` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) span: Range<usize>,
    /// Where reading goes on: behind the delimiter, or at the line.
    pub(super) next: usize,
}

/// Finds the end of the message that begins at `from`.
pub(super) fn message(text: &str, from: usize, delimiter: &str, quoting: Quoting) -> Message {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(delimiter.as_bytes()) {
            return Message { span: from..at, next: at + delimiter.len() };
        }
        if delimiter_word(rest).is_some() && begins_line(bytes, at) {
            return Message { span: from..at, next: at };
        }
        at += passed(rest, quoting);
    }
    Message { span: from..bytes.len(), next: bytes.len() }
}

/// Whether nothing but blanks stands before this on its line.
fn begins_line(bytes: &[u8], at: usize) -> bool {
    let before = bytes[..at].iter().rev().find(|byte| **byte == b'\n' || !is_blank(**byte));
    before.is_none_or(|byte| *byte == b'\n')
}

/// How long the quote, the comment or the character is that the text begins with.
fn passed(rest: &[u8], quoting: Quoting) -> usize {
    let line = || rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    match rest {
        [quote @ (b'\'' | b'"' | b'`'), ..] => quoted(rest, *quote, quoting),
        [b'#', ..] | [b'-', b'-'] => line(),
        [b'-', b'-', third, ..] if is_blank(*third) => line(),
        // What a version comment holds may be code, and hints are read by the server.
        [b'/', b'*', b'!' | b'+', ..] | [b'/', b'*', b'M', b'!', ..] => 2,
        [b'/', b'*', inside @ ..] => {
            inside.windows(2).position(|two| two == b"*/").map_or(rest.len(), |end| end + 4)
        }
        _ => 1,
    }
}

fn quoted(rest: &[u8], quote: u8, quoting: Quoting) -> usize {
    let escapes = quote != b'`' && quoting.backslash == Backslash::Escapes;
    let mut at = 1;
    while at < rest.len() {
        if rest[at] == quote {
            return at + 1;
        }
        at += if escapes && rest[at] == b'\\' { 2 } else { 1 };
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_line_is_read_as_the_client_reads_it() {
        let cases = [
            ("DELIMITER //\nx", Some("//")),
            ("delimiter   $$ -- the rest is ignored\nx", Some("$$")),
            ("Delimiter ';;'\r\nx", Some(";;")),
            ("DELIMITER `go`", Some("go")),
            ("DELIMITER\t//\r\n", Some("//")),
            ("DELIMITER //", Some("//")),
            ("DELIMITERS //", None),
            ("SELECT 1", None),
        ];
        for (text, expected) in cases {
            let found = delimiter_line(text, 0).map(|line| line.unwrap().delimiter);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_delimiter_line_without_a_delimiter_is_refused() {
        for text in ["DELIMITER", "DELIMITER \nSELECT 1", "DELIMITER ''", "DELIMITER \\"] {
            assert!(delimiter_line(text, 0).unwrap().is_err(), "{text}");
        }
    }

    #[test]
    fn a_message_ends_at_its_delimiter_outside_of_quotes_and_comments() {
        let cases = [
            ("a // b", "a "),
            ("'//' // b", "'//' "),
            ("`//` -- // \n # //\n /* // */ x// b", "`//` -- // \n # //\n /* // */ x"),
            ("/*! x // */", "/*! x "),
            ("'it\\'s //' //", "'it\\'s //' "),
            ("a\nDELIMITER ;", "a\n"),
            ("a delimiter b", "a delimiter b"),
        ];
        for (text, expected) in cases {
            let message = message(text, 0, "//", Quoting::parse(""));
            assert_eq!(&text[message.span], expected, "{text}");
        }
    }
}
