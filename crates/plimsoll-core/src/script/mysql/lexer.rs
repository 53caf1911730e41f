//! The tokens of a text as the server's own lexer cuts them (`sql/sql_lex.cc` of both servers).

use std::ops::Range;

use super::server::{Backslash, DoubleQuoted, Flavour, Quoting, Server};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword without quotes.
    Word,
    /// A name in quotes.
    Name,
    /// A string.
    Text,
    Number,
    /// `@name`, with or without quotes.
    UserVariable,
    /// `@@name`, with its scope if it has one.
    SystemVariable,
    /// The `@host` of an account.
    Host,
    Semicolon,
    Open,
    Close,
    Symbol,
    /// A backslash outside of quotes, which only a client understands.
    Backslash,
    /// The start of a version comment whose content is code: `/*!50001`.
    CommentStart,
    /// The end of such a comment.
    CommentEnd,
    /// A quote or comment that does not end.
    Unterminated,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// Cuts a text into tokens; white space and comments are left out.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    flavour: Flavour,
    version: u32,
    quoting: Quoting,
    comment: Comment,
}

/// Whether the lexer is inside of a version comment whose content is code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comment {
    Outside,
    Inside,
}

/// Whether something that was begun also ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Yes,
    No,
}

/// What stands where a token may begin.
enum Ahead {
    Blank,
    Token(Token),
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl<'a> Lexer<'a> {
    /// Reads `text` from the offset `at` on.
    pub(super) fn new(text: &'a str, at: usize, server: Server, quoting: Quoting) -> Self {
        let (flavour, version) = (server.flavour, server.version);
        Self { text, at, flavour, version, quoting, comment: Comment::Outside }
    }

    /// Whether what comes next stands inside of a version comment.
    pub(super) fn is_inside_comment(&self) -> bool {
        self.comment == Comment::Inside
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.rest().get(ahead).copied()
    }

    fn skip_while(&mut self, is: fn(u8) -> bool) {
        let rest = self.rest();
        self.at += rest.iter().position(|byte| !is(*byte)).unwrap_or(rest.len());
    }

    /// Takes what is neither white space nor a comment, if that is what stands here.
    fn ahead(&mut self) -> Option<Ahead> {
        let start = self.at;
        match self.peek(0)? {
            byte if is_blank(byte) => self.skip_while(is_blank),
            b'#' => self.skip_while(|byte| byte != b'\n'),
            b'-' if self.begins_line_comment() => self.skip_while(|byte| byte != b'\n'),
            b'/' if self.peek(1) == Some(b'*') => return Some(self.comment()),
            b'*' if self.comment == Comment::Inside && self.peek(1) == Some(b'/') => {
                self.comment = Comment::Outside;
                self.at += 2;
                return Some(self.token(Kind::CommentEnd, start));
            }
            byte => {
                let kind = self.kind(byte);
                return Some(self.token(kind, start));
            }
        }
        Some(Ahead::Blank)
    }

    fn token(&self, kind: Kind, start: usize) -> Ahead {
        Ahead::Token(Token { kind, span: start..self.at })
    }

    /// `--` is a comment only before white space, a control character or the end.
    fn begins_line_comment(&self) -> bool {
        let third = self.peek(2);
        self.peek(1) == Some(b'-') && third.is_none_or(|byte| is_blank(byte) || byte.is_ascii_control())
    }

    /// Skips a comment, or only its start if its content is code.
    fn comment(&mut self) -> Ahead {
        let start = self.at;
        let maria = self.flavour == Flavour::Mariadb && self.rest().starts_with(b"/*M!");
        let ended = if maria || self.peek(2) == Some(b'!') {
            self.at += if maria { 4 } else { 3 };
            let (version, digits) = self.comment_version();
            if version.is_none_or(|version| self.takes_for_code(version, maria)) {
                self.at += digits;
                self.comment = Comment::Inside;
                return self.token(Kind::CommentStart, start);
            }
            // What another version would run may hold one level of comments.
            self.skip_comment(1)
        } else {
            self.at += 2;
            self.skip_comment(0)
        };
        if ended == Ended::Yes { Ahead::Blank } else { self.token(Kind::Unterminated, start) }
    }

    /// The version at the start of a comment, and of how many digits it is.
    fn comment_version(&self) -> (Option<u32>, usize) {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = match digits {
            0..5 => return (None, 0),
            5 => 5,
            _ if self.reads_six_digits() => 6,
            _ => 5,
        };
        (self.text[self.at..self.at + digits].parse().ok(), digits)
    }

    /// MariaDB takes six digits wherever they are; MySQL since 8.1, and only before white space.
    fn reads_six_digits(&self) -> bool {
        let blank = self.peek(6).is_some_and(is_blank);
        self.flavour == Flavour::Mariadb || (self.version >= 80_100 && blank)
    }

    /// MariaDB takes nothing for code that was written for MySQL 5.7 and later.
    fn takes_for_code(&self, version: u32, maria: bool) -> bool {
        let foreign = self.flavour == Flavour::Mariadb && !maria && (50_700..=99_999).contains(&version);
        version <= self.version && !foreign
    }

    /// Skips to the end of a comment in which this many levels of other comments may stand.
    fn skip_comment(&mut self, levels: usize) -> Ended {
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'*', Some(b'/')) => {
                    self.at += 2;
                    return Ended::Yes;
                }
                (b'/', Some(b'*')) if levels > 0 => {
                    self.at += 2;
                    if self.skip_comment(levels - 1) == Ended::No {
                        return Ended::No;
                    }
                }
                _ => self.at += 1,
            }
        }
        Ended::No
    }

    /// Moves behind the token that begins here.
    fn kind(&mut self, byte: u8) -> Kind {
        match byte {
            b'`' => self.quoted(byte, Kind::Name),
            b'"' if self.quoting.double_quoted == DoubleQuoted::Name => self.quoted(byte, Kind::Name),
            b'\'' | b'"' => self.quoted(byte, Kind::Text),
            b'@' => self.at_sign(),
            b'\\' if self.peek(1) == Some(b'N') => self.symbol(2, Kind::Symbol),
            b'\\' => self.symbol(1, Kind::Backslash),
            b';' => self.symbol(1, Kind::Semicolon),
            b'(' => self.symbol(1, Kind::Open),
            b')' => self.symbol(1, Kind::Close),
            byte if is_word(byte) => self.word(),
            _ => self.symbol(1, Kind::Symbol),
        }
    }

    fn symbol(&mut self, bytes: usize, kind: Kind) -> Kind {
        self.at += bytes;
        kind
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        self.skip_while(is_word);
        let word = &self.text[start..self.at];
        if is_number(word) { Kind::Number } else { Kind::Word }
    }

    /// A variable, or the host of an account, which follows its user without a blank.
    fn at_sign(&mut self) -> Kind {
        let bytes = self.text.as_bytes();
        let follows = self.at.checked_sub(1).is_some_and(|before| {
            let byte = bytes[before];
            is_word(byte) || matches!(byte, b'\'' | b'"' | b'`')
        });
        self.at += 1;
        if self.peek(0) == Some(b'@') {
            self.at += 1;
            self.skip_while(|byte| is_word(byte) || byte == b'.' || byte == b'`');
            return Kind::SystemVariable;
        }
        let kind = if follows { Kind::Host } else { Kind::UserVariable };
        match self.peek(0) {
            Some(quote @ (b'\'' | b'"' | b'`')) => self.quoted(quote, kind),
            Some(byte) if is_word(byte) || byte == b'.' => {
                self.skip_while(|byte| is_word(byte) || byte == b'.');
                kind
            }
            _ => Kind::Symbol,
        }
    }

    /// Moves behind the quote that ends what begins here.
    fn quoted(&mut self, quote: u8, kind: Kind) -> Kind {
        let name = quote == b'`' || (quote == b'"' && self.quoting.double_quoted == DoubleQuoted::Name);
        let backslash = if name { Backslash::Plain } else { self.quoting.backslash };
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            let escape = byte == b'\\' && backslash == Backslash::Escapes;
            let doubled = byte == quote && self.peek(1) == Some(quote);
            // The byte behind a backslash may be the first of several: the others are no quotes.
            self.at = (self.at + if escape || doubled { 2 } else { 1 }).min(self.text.len());
            if byte == quote && !doubled {
                return kind;
            }
        }
        self.at = self.text.len();
        Kind::Unterminated
    }
}

/// Digits, `0x…`, `0b…` or `1e9`: whatever else begins with a digit is a name.
fn is_number(word: &str) -> bool {
    let all = |text: &str, is: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| is(&byte));
    let exponent = |text: &str| {
        text.split_once(['e', 'E']).is_some_and(|(mantissa, exponent)| {
            all(mantissa, u8::is_ascii_digit) && (exponent.is_empty() || all(exponent, u8::is_ascii_digit))
        })
    };
    all(word, u8::is_ascii_digit)
        || word.strip_prefix("0x").is_some_and(|digits| all(digits, u8::is_ascii_hexdigit))
        || word.strip_prefix("0b").is_some_and(|digits| all(digits, |byte| matches!(byte, b'0' | b'1')))
        || exponent(word)
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            match self.ahead()? {
                Ahead::Blank => {}
                Ahead::Token(token) => return Some(token),
            }
        }
    }
}
