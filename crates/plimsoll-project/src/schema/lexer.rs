//! Words of Prisma's schema language.
//!
//! The lexer never fails: what it does not know becomes a [`Kind::Other`], and whoever needs that place decides.

use std::ops::Range;

/// One word, number, string or sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// The bytes of the source, with the quotes of a string.
    pub(crate) span: Range<usize>,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a number; a dash may be in the middle, as Prisma allows it.
    Word,
    /// A string that is closed in its line.
    Text,
    /// A string that is not.
    OpenText,
    /// One of `{ } ( ) [ ] = , : . @ ?`.
    Sign(char),
    /// The end of a line, which ends an assignment.
    NewLine,
    /// A comment, to the end of its line or to `*/`.
    Comment,
    /// Anything else.
    Other,
}

/// All the tokens of a schema, comments and line ends among them.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let (kind, length) = match c {
            '\n' => (Kind::NewLine, 1),
            c if c.is_whitespace() || c == '\u{feff}' => {
                at += c.len_utf8();
                continue;
            }
            '/' if rest.starts_with("//") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (Kind::Comment, block_comment(rest)),
            '"' => string(rest),
            '{' | '}' | '(' | ')' | '[' | ']' | '=' | ',' | ':' | '.' | '@' | '?' => (Kind::Sign(c), 1),
            c if is_word(c) => (Kind::Word, word(rest)),
            c => (Kind::Other, c.len_utf8()),
        };
        tokens.push(Token { kind, span: at..at + length });
        at += length;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !is_word(c) && c != '-').unwrap_or(rest.len())
}

fn block_comment(rest: &str) -> usize {
    rest[2..].find("*/").map_or(rest.len(), |end| 2 + end + 2)
}

fn string(rest: &str) -> (Kind, usize) {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return (Kind::OpenText, at),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (Kind::Text, at + 1),
            _ => {}
        }
    }
    (Kind::OpenText, rest.len())
}

/// The value of a string with its quotes, its escapes resolved. An escape that Prisma does not know stands for itself.
pub(crate) fn unquote(raw: &str) -> String {
    let inner = raw.strip_prefix('"').unwrap_or(raw);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut result = String::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match (c, c == '\\') {
            (c, false) => result.push(c),
            (_, true) => match rest.next() {
                Some('n') => result.push('\n'),
                Some('r') => result.push('\r'),
                Some('t') => result.push('\t'),
                Some('u') => result.push(unicode(&mut rest)),
                Some(other) => result.push(other),
                None => result.push('\\'),
            },
        }
    }
    result
}

/// `\uXXXX`, and two of them for a character outside the basic plane.
fn unicode(rest: &mut std::str::Chars<'_>) -> char {
    let high = four_digits(rest).unwrap_or(0xfffd);
    let mut ahead = rest.clone();
    let low = (0xd800..0xdc00).contains(&high).then(|| {
        (ahead.next() == Some('\\') && ahead.next() == Some('u')).then(|| four_digits(&mut ahead)).flatten()
    });
    if let Some(low) = low.flatten().filter(|low| (0xdc00..0xe000).contains(low)) {
        *rest = ahead;
        let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    }
    char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn four_digits(rest: &mut std::str::Chars<'_>) -> Option<u32> {
    let digits = rest.as_str().get(..4).filter(|text| text.chars().all(|c| c.is_ascii_hexdigit()))?;
    *rest = rest.as_str()[4..].chars();
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(source: &str) -> Vec<Kind> {
        tokens(source).into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn a_comment_ends_at_the_line() {
        assert_eq!(kinds("/// a { \"\nb"), [Kind::Comment, Kind::NewLine, Kind::Word]);
        assert_eq!(kinds("/* a \n } */b"), [Kind::Comment, Kind::Word]);
        assert_eq!(kinds("/* a"), [Kind::Comment]);
    }

    #[test]
    fn a_string_holds_braces_comments_and_escaped_quotes() {
        assert_eq!(kinds(r#""{ // \" /*" x"#), [Kind::Text, Kind::Word]);
        assert_eq!(kinds("\"a\nb"), [Kind::OpenText, Kind::NewLine, Kind::Word]);
        assert_eq!(kinds(r#""a\"#), [Kind::OpenText]);
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(unquote(r#""a\"b\\c\n\u00e4\ud83d\ude00""#), "a\"b\\c\nä😀");
        assert_eq!(unquote(r#""\ud83d!\u12""#), "\u{fffd}!\u{fffd}12");
    }

    proptest! {
        #[test]
        fn tokens_follow_each_other_and_cut_no_character(source in "[\\PC\n\"/*\\\\{}]{0,80}") {
            let mut end = 0;
            for token in tokens(&source) {
                prop_assert!(token.span.start >= end && token.span.end > token.span.start);
                prop_assert!(source.get(token.span.clone()).is_some());
                let _ = unquote(&source[token.span.clone()]);
                end = token.span.end;
            }
        }
    }
}
