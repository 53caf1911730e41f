//! A lexer for SQL that is just good enough to find where statements end and which words they begin with.
//!
//! It never refuses a text: what it cannot understand is a symbol, and what does not end is reported as such. An own one,
//! because the published ones either refuse real migrations or need a C compiler and a megabyte of grammar.
//!
//! For PostgreSQL the rules are those of `src/backend/parser/scan.l`. A backslash in a plain string is a character, as it is
//! with `standard_conforming_strings = on`: a script that switches it off changes only how the server reads the next
//! message, and a script is one message. `psql`, which sends statement after statement, would read the rest otherwise.

use std::ops::Range;

/// Whose rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or keyword without quotes.
    Word,
    /// An identifier in quotes.
    Name,
    /// A string, dollar-quoted ones included.
    Text,
    Number,
    Semicolon,
    Open,
    Close,
    Symbol,
    /// A quote or comment that does not end.
    Unterminated,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// The tokens of a text; white space and comments are left out.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, dialect: Dialect) -> Self {
        // A byte order mark is white space to no server, but it must not hide the first word from us.
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self { text, bytes: text.as_bytes(), at, dialect }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Skips white space and comments; the start of a comment that does not end, if there is one.
    fn skip_blank(&mut self) -> Option<usize> {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, _) => self.at += 1,
                // Files that were put together have byte order marks in the middle, too. To PostgreSQL they are letters.
                (0xef, 0xbb) if self.byte(2) == 0xbf && self.dialect == Dialect::Sqlite => self.at += 3,
                (b'-', b'-') => self.skip_line(),
                (b'/', b'*') => {
                    let start = self.at;
                    if !self.skip_block() {
                        return Some(start);
                    }
                }
                _ => return None,
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.bytes[self.at..];
        // PostgreSQL ends a line comment at a carriage return too; SQLite only at a line feed.
        let ends = |byte: &u8| *byte == b'\n' || (*byte == b'\r' && self.dialect == Dialect::Postgres);
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }

    /// Skips a block comment; false if it does not end. PostgreSQL's nest; in SQLite the end of the text ends one.
    fn skip_block(&mut self) -> bool {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') if depth == 0 || self.dialect == Dialect::Postgres => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return true;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.dialect == Dialect::Sqlite
    }

    /// Moves behind the quote that ends what begins at `self.at`; false if there is none.
    fn skip_quoted(&mut self, quote: u8, escapes: Escapes) -> bool {
        self.at += 1;
        while self.at < self.bytes.len() {
            let byte = self.byte(0);
            let escape = byte == b'\\' && escapes == Escapes::Backslash;
            if escape || (byte == quote && self.byte(1) == quote) {
                self.at += 2;
            } else if byte == quote {
                self.at += 1;
                return true;
            } else {
                self.at += 1;
            }
        }
        self.at = self.bytes.len();
        false
    }

    /// PostgreSQL's `E'…'`: a string on one of the next lines is the rest of it, backslashes included.
    fn escape_string(&mut self, start: usize) -> Token {
        loop {
            let part = self.quoted(start, Kind::Text, b'\'', Escapes::Backslash);
            match self.continuation() {
                Some(at) if part.kind == Kind::Text => self.at = at,
                _ => return part,
            }
        }
    }

    /// Where the quote is that carries on the string before it: nothing but blanks and line comments between, and a new
    /// line among them.
    fn continuation(&self) -> Option<usize> {
        let (mut at, mut lines) = (self.at, 0);
        loop {
            match self.bytes.get(at..)? {
                [b'\n' | b'\r', ..] => (at, lines) = (at + 1, lines + 1),
                [b' ' | b'\t' | 0x0b | 0x0c, ..] => at += 1,
                [b'-', b'-', comment @ ..] => {
                    at += 2 + comment.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
                }
                [b'\'', ..] if lines > 0 => return Some(at),
                _ => return None,
            }
        }
    }

    fn quoted(&mut self, start: usize, kind: Kind, quote: u8, escapes: Escapes) -> Token {
        let kind = if self.skip_quoted(quote, escapes) { kind } else { Kind::Unterminated };
        Token { kind, span: start..self.at }
    }

    /// SQLite's `[name]`, as in SQL Server: nothing is an escape in it.
    fn bracketed(&mut self, start: usize) -> Token {
        let end = self.bytes[self.at..].iter().position(|byte| *byte == b']');
        self.at = end.map_or(self.bytes.len(), |end| self.at + end + 1);
        Token { kind: if end.is_some() { Kind::Name } else { Kind::Unterminated }, span: start..self.at }
    }

    /// The tag of a dollar quote that begins here, dollars included.
    fn dollar_tag(&self) -> Option<&'a str> {
        let rest = &self.bytes[self.at + 1..];
        let end = rest.iter().position(|byte| *byte == b'$')?;
        let tag = &rest[..end];
        let first_is_letter = tag.first().is_none_or(|byte| is_word_start(*byte));
        let whole = first_is_letter && tag.iter().all(|byte| is_word_start(*byte) || byte.is_ascii_digit());
        whole.then(|| &self.text[self.at..self.at + end + 2])
    }

    fn dollar(&mut self, start: usize) -> Token {
        let Some(tag) = self.dollar_tag() else {
            self.at += 1;
            return Token { kind: Kind::Symbol, span: start..self.at };
        };
        let body = self.at + tag.len();
        let end = self.text[body..].find(tag);
        self.at = end.map_or(self.bytes.len(), |end| body + end + tag.len());
        Token { kind: if end.is_some() { Kind::Text } else { Kind::Unterminated }, span: start..self.at }
    }

    fn word(&mut self, start: usize) -> Token {
        let part_of_word = |byte: &u8| is_word_start(*byte) || byte.is_ascii_digit() || *byte == b'$';
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|byte| !part_of_word(byte)).unwrap_or(rest.len());
        let word = &self.text[start..self.at];
        let escape_string = self.dialect == Dialect::Postgres && word.eq_ignore_ascii_case("e");
        if escape_string && self.byte(0) == b'\'' {
            return self.escape_string(start);
        }
        Token { kind: Kind::Word, span: start..self.at }
    }

    fn number(&mut self, start: usize) -> Token {
        // Only what cannot be confused with anything else: `1..2` or `1e5` need not be one token here.
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
        }
        Token { kind: Kind::Number, span: start..self.at }
    }

    fn symbol(&mut self, start: usize) -> Token {
        let length = self.text[self.at..].chars().next().map_or(1, char::len_utf8);
        self.at += length;
        let kind = match self.bytes[start] {
            b';' => Kind::Semicolon,
            b'(' => Kind::Open,
            b')' => Kind::Close,
            _ => Kind::Symbol,
        };
        Token { kind, span: start..self.at }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Doubled,
    Backslash,
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if let Some(start) = self.skip_blank() {
            return Some(Token { kind: Kind::Unterminated, span: start..self.at });
        }
        let start = self.at;
        if start >= self.bytes.len() {
            return None;
        }
        Some(match (self.byte(0), self.dialect) {
            (b'\'', _) => self.quoted(start, Kind::Text, b'\'', Escapes::Doubled),
            (b'"', _) => self.quoted(start, Kind::Name, b'"', Escapes::Doubled),
            (b'`', Dialect::Sqlite) => self.quoted(start, Kind::Name, b'`', Escapes::Doubled),
            (b'[', Dialect::Sqlite) => self.bracketed(start),
            (b'$', Dialect::Postgres) => self.dollar(start),
            (byte, _) if is_word_start(byte) => self.word(start),
            (byte, _) if byte.is_ascii_digit() => self.number(start),
            _ => self.symbol(start),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &str, dialect: Dialect) -> Vec<(Kind, &str)> {
        Lexer::new(text, dialect).map(|token| (token.kind, &text[token.span])).collect()
    }

    #[test]
    fn comments_of_postgresql_nest() {
        assert_eq!(tokens("/* a /* b */ ; */ x", Dialect::Postgres), [(Kind::Word, "x")]);
        assert_eq!(tokens("/* a /* b */ x", Dialect::Sqlite), [(Kind::Word, "x")]);
    }

    #[test]
    fn a_dollar_quote_ends_at_its_own_tag() {
        assert_eq!(
            tokens("$a$ ; $b$ ; $a$;", Dialect::Postgres),
            [(Kind::Text, "$a$ ; $b$ ; $a$"), (Kind::Semicolon, ";")]
        );
        assert_eq!(tokens("a$1$ ;", Dialect::Postgres)[1], (Kind::Semicolon, ";"));
        assert_eq!(tokens("$1 ;", Dialect::Postgres)[2], (Kind::Semicolon, ";"));
    }

    #[test]
    fn a_backslash_escapes_only_in_an_escape_string() {
        assert_eq!(tokens(r"E'\';' x", Dialect::Postgres)[0], (Kind::Text, r"E'\';'"));
        assert_eq!(tokens(r"'\';", Dialect::Postgres)[0], (Kind::Text, r"'\'"));
        assert_eq!(tokens(r"type'\';", Dialect::Postgres)[1], (Kind::Text, r"'\'"));
    }

    #[test]
    fn an_escape_string_goes_on_behind_a_new_line() {
        let whole = |text: &str| assert_eq!(tokens(text, Dialect::Postgres), [(Kind::Text, text)]);
        whole("E'a'\n'\\'; b'");
        whole("e'a' -- ' ;\r\n\t-- ;\n'\\'; b'");
        assert_eq!(tokens("E'a' '\\'", Dialect::Postgres).len(), 2);
        assert_eq!(tokens("E'a' /*\n*/ '\\'", Dialect::Postgres).len(), 2);
        assert_eq!(tokens("'a'\n'\\'", Dialect::Postgres).len(), 2);
        assert_eq!(tokens("E'a'\n'b", Dialect::Postgres), [(Kind::Unterminated, "E'a'\n'b")]);
    }

    #[test]
    fn dollars_and_letters_of_any_alphabet_are_parts_of_names() {
        for name in ["a$b$", "größe", "\u{a0}x", "_1$$", "表$$"] {
            assert_eq!(tokens(name, Dialect::Postgres), [(Kind::Word, name)], "{name}");
        }
        assert_eq!(tokens("$é$;$é$", Dialect::Postgres), [(Kind::Text, "$é$;$é$")]);
        assert_eq!(tokens("$1a$;", Dialect::Postgres).last(), Some(&(Kind::Semicolon, ";")));
        assert_eq!(tokens("1$$;$$", Dialect::Postgres).last(), Some(&(Kind::Text, "$$;$$")));
    }

    #[test]
    fn unicode_strings_and_names_know_no_backslash() {
        let text = "U&'\\';u&\"\\\";";
        let semicolons =
            tokens(text, Dialect::Postgres).into_iter().filter(|(kind, _)| *kind == Kind::Semicolon);
        assert_eq!(semicolons.count(), 2);
    }

    #[test]
    fn a_comment_begins_inside_of_an_operator() {
        assert_eq!(tokens("a+--;\n-/*;*/*b", Dialect::Postgres).len(), 5);
    }

    #[test]
    fn a_byte_order_mark_hides_no_word() {
        assert_eq!(tokens("\u{feff}a", Dialect::Postgres), [(Kind::Word, "a")]);
        assert_eq!(tokens("a;\n\u{feff}b", Dialect::Sqlite)[2], (Kind::Word, "b"));
    }

    #[test]
    fn names_in_each_kind_of_quotes_hide_semicolons() {
        assert_eq!(
            tokens("\"a;\"\"b\" [c;] `d;`", Dialect::Sqlite),
            [(Kind::Name, "\"a;\"\"b\""), (Kind::Name, "[c;]"), (Kind::Name, "`d;`")]
        );
    }

    #[test]
    fn what_does_not_end_is_reported_with_its_start() {
        for text in ["x 'abc", "x \"abc", "x $a$ abc $b$", "x /* abc /* */", "x E'abc\\'"] {
            let last = tokens(text, Dialect::Postgres).pop().unwrap();
            assert_eq!(last, (Kind::Unterminated, &text[2..]), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_cut_into_tokens_that_do_not_overlap(text in "\\PC*|[-/*'\"$eE;a\\\\ \n]{0,24}") {
            for dialect in [Dialect::Postgres, Dialect::Sqlite] {
                let mut end = 0;
                for token in Lexer::new(&text, dialect) {
                    prop_assert!(token.span.start >= end && token.span.end > token.span.start);
                    prop_assert!(text.get(token.span.clone()).is_some());
                    end = token.span.end;
                }
            }
        }
    }
}
