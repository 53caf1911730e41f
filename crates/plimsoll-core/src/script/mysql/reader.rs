//! Cuts a script into statements, as the server cuts a message that holds several.

use std::ops::Range;

use super::body::{Body, Semicolon};
use super::client::{DelimiterLine, delimiter_line, is_command, message};
use super::lexer::{Kind, Lexer, Token, is_blank};
use super::refusal::Refusal;
use super::server::{Flavour, Quoting, Server};

/// Reads one statement after the other.
pub(super) struct Reader<'a> {
    text: &'a str,
    server: &'a Server,
    /// How the session quotes by now.
    pub(super) quoting: Quoting,
    at: usize,
    /// The end of what the client would send as one message, and where it would go on behind it.
    message: Range<usize>,
    /// What a `DELIMITER` line has put in the semicolon's place.
    delimiter: Option<&'a str>,
}

/// A statement as it stands in the text.
pub(super) struct Raw {
    pub(super) tokens: Vec<Token>,
}

impl Raw {
    pub(super) fn span(&self) -> Range<usize> {
        let end = self.tokens.last().map_or(0, |token| token.span.end);
        self.tokens.first().map_or(end, |token| token.span.start)..end
    }
}

/// What reading has come to.
enum Found<'a> {
    Statement(Raw),
    Delimiter(DelimiterLine<'a>),
    End,
}

/// What is known of the statement that is being read.
struct Draft {
    raw: Raw,
    /// How many of the tokens are more than the marks of a version comment.
    code: usize,
    body: Body,
}

impl Draft {
    fn new() -> Self {
        Self { raw: Raw { tokens: Vec::new() }, code: 0, body: Body::default() }
    }

    /// Takes a token that is no semicolon; the words are those that it and the one before it are.
    fn take(&mut self, token: Token, text: &str, flavour: Flavour) {
        let word = lower(&token, text);
        let is_compound = flavour == Flavour::Mariadb
            && match self.code {
                0 => matches!(word.as_str(), "if" | "case" | "loop" | "while" | "repeat" | "for"),
                1 => word == "not" && self.raw.tokens.iter().any(|first| lower(first, text) == "begin"),
                _ => false,
            };
        if is_compound {
            self.body = Body::compound();
            if word == "not" {
                self.body.take(Kind::Word, "begin", "begin");
            }
        }
        self.body.take(token.kind, &word, &text[token.span.clone()]);
        self.code += 1;
        self.raw.tokens.push(token);
    }
}

fn lower(token: &Token, text: &str) -> String {
    match token.kind {
        Kind::Word => text[token.span.clone()].to_ascii_lowercase(),
        _ => String::new(),
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, server: &'a Server) -> Self {
        // An editor's byte order mark is no part of the first word, which is what the servers take it for.
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let message = text.len()..text.len();
        Self { text, server, quoting: server.quoting, at, message, delimiter: None }
    }

    /// The next statement that holds more than comments.
    pub(super) fn next(&mut self) -> Result<Option<Raw>, Refusal> {
        loop {
            match self.find()? {
                Found::Statement(raw) => return Ok(Some(raw)),
                Found::Delimiter(line) => {
                    self.at = line.end;
                    self.delimiter = Some(line.delimiter).filter(|delimiter| *delimiter != ";");
                    self.message = self.text.len()..self.text.len();
                    self.begin_message()?;
                }
                Found::End if self.message.end == self.text.len() && self.at >= self.message.end => {
                    return Ok(None);
                }
                Found::End => {
                    self.at = self.message.end;
                    self.begin_message()?;
                }
            }
        }
    }

    /// Finds out how far the client's next message goes, if its delimiter is not the server's.
    fn begin_message(&mut self) -> Result<(), Refusal> {
        while let Some(delimiter) = self.delimiter {
            let rest = &self.text.as_bytes()[self.at..];
            self.at += rest.iter().position(|byte| !is_blank(*byte)).unwrap_or(rest.len());
            let Some(line) = delimiter_line(self.text, self.at).transpose()? else {
                let found = message(self.text, self.at, delimiter, self.quoting);
                self.message = found.span.end..found.next;
                return Ok(());
            };
            self.at = line.end;
            self.delimiter = Some(line.delimiter).filter(|delimiter| *delimiter != ";");
        }
        self.message = self.text.len()..self.text.len();
        Ok(())
    }

    fn find(&mut self) -> Result<Found<'a>, Refusal> {
        let text = &self.text[..self.message.start];
        if self.at >= text.len() {
            self.at = self.at.max(self.message.start);
            return Ok(Found::End);
        }
        let mut lexer = Lexer::new(text, self.at, *self.server, self.quoting);
        let mut draft = Draft::new();
        let mut comment = 0;
        while let Some(token) = lexer.next() {
            match token.kind {
                Kind::Unterminated => return Err(Refusal::Unterminated { span: token.span }),
                Kind::Backslash => return Err(self.client_command(token.span.start)),
                Kind::Semicolon if draft.body.semicolon() == Semicolon::Ends => {
                    if lexer.is_inside_comment() {
                        return Err(Refusal::EndsInComment { span: token.span });
                    }
                    self.at = token.span.end;
                    if draft.code > 0 {
                        return Ok(Found::Statement(draft.raw));
                    }
                    draft = Draft::new();
                }
                Kind::Semicolon | Kind::CommentEnd => draft.raw.tokens.push(token),
                Kind::CommentStart => {
                    comment = token.span.start;
                    draft.raw.tokens.push(token);
                }
                _ if draft.code == 0 => {
                    if let Some(line) = self.first(&token)? {
                        return Ok(Found::Delimiter(line));
                    }
                    draft.take(token, text, self.server.flavour);
                }
                _ => draft.take(token, text, self.server.flavour),
            }
        }
        if lexer.is_inside_comment() {
            return Err(Refusal::Unterminated { span: comment..text.len() });
        }
        self.at = text.len();
        Ok(if draft.code > 0 { Found::Statement(draft.raw) } else { Found::End })
    }

    /// Looks at the first word of a statement, which may be one of the client's.
    fn first(&self, token: &Token) -> Result<Option<DelimiterLine<'a>>, Refusal> {
        if token.kind != Kind::Word {
            return Ok(None);
        }
        if is_command(&lower(token, self.text)) {
            return Err(self.client_command(token.span.start));
        }
        delimiter_line(self.text, token.span.start).transpose()
    }

    /// Refuses the command of the client that begins here.
    fn client_command(&self, at: usize) -> Refusal {
        let rest = &self.text[at..];
        let line = rest.split('\n').next().unwrap_or("").trim_end();
        let command = match rest.strip_prefix('\\') {
            Some(command) => {
                let letter = command.chars().next().map_or(0, char::len_utf8);
                rest.split_at('\\'.len_utf8() + letter).0
            }
            None => line.split(|c: char| c.is_ascii_whitespace() || c == ';').next().unwrap_or(line),
        };
        Refusal::ClientCommand { span: at..at + line.len().max(command.len()), command: command.to_owned() }
    }
}
