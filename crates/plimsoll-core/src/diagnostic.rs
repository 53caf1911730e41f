//! What went wrong, where, and what to do next, as a value that somebody else renders.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::code::Code;
use crate::secret::{Secret, hide, mask};

/// An error that a person can see.
///
/// Holds no password: places and database messages are masked when they are made.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The stable code; it decides the exit code.
    pub code: Code,
    /// What happened, in one or two sentences, with the names of this case.
    pub message: String,
    /// Where in a file, if it is in a file.
    pub place: Option<Box<Place>>,
    /// What the database itself said.
    pub database: Option<Box<DatabaseMessage>>,
    /// What to do next, one step a line.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic with nothing but its code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: mask(&message.into()), place: None, database: None, help: Vec::new() }
    }

    /// The same, pointing at a place in a file.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(Box::new(place));
        self
    }

    /// The same, with what the database said.
    #[must_use]
    pub fn said_by(mut self, database: DatabaseMessage) -> Self {
        self.database = Some(Box::new(database));
        self
    }

    /// The same, with one more step to take.
    #[must_use]
    pub fn help(mut self, step: impl Into<String>) -> Self {
        self.help.push(mask(&step.into()));
        self
    }

    /// The same, without this password in anything that a server has said: it was told the password, and may say it back.
    #[must_use]
    pub fn hiding(mut self, password: &Secret) -> Self {
        self.message = hide(&self.message, password);
        if let Some(said) = self.database.as_deref_mut() {
            said.message = hide(&said.message, password);
            for part in [&mut said.code, &mut said.detail, &mut said.hint, &mut said.context] {
                *part = part.take().map(|text| hide(&text, password));
            }
        }
        // The words of an error behind the one that is shown stand there.
        self.help = self.help.iter().map(|step| hide(step, password)).collect();
        if let Some(place) = self.place.as_deref_mut() {
            place.label = place.label.take().map(|label| hide(&label, password));
        }
        self
    }

    /// The same, with several more, in their order.
    #[must_use]
    pub fn helps(self, steps: impl IntoIterator<Item = String>) -> Self {
        steps.into_iter().fold(self, Self::help)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if let Some(place) = &self.place {
            write!(f, " ({place})")?;
        }
        if let Some(database) = &self.database {
            write!(f, ": {}", database.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// A part of a text file, kept with the text so that it can be shown with a caret.
///
/// The text is masked: it holds no password that [`mask`] can recognise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: String,
    source: Arc<str>,
    span: Range<usize>,
    label: Option<String>,
}

impl Place {
    /// Points at the bytes `span` of `source`, which was read from `file`.
    ///
    /// A span outside the text, or one that cuts a character, is moved to the nearest place that exists.
    pub fn new(file: impl Into<String>, source: &str, span: Range<usize>) -> Self {
        let start = floor_char_boundary(source, span.start);
        let end = floor_char_boundary(source, span.end.max(start)).max(start);
        Self { file: file.into(), source: mask(source).into(), span: start..end, label: None }
    }

    /// The same, with a short remark for the marked part.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(mask(&label.into()));
        self
    }

    /// The file, as the user would name it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The masked text of the file.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The marked bytes.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The remark, if there is one.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The line of the first marked character, counted from 1.
    pub fn line(&self) -> usize {
        self.source[..self.span.start].matches('\n').count() + 1
    }

    /// The column of the first marked character, in characters, counted from 1.
    pub fn column(&self) -> usize {
        let before = &self.source[..self.span.start];
        before[before.rfind('\n').map_or(0, |n| n + 1)..].chars().count() + 1
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line(), self.column())
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What a database server said about a statement, or about a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseMessage {
    /// The primary message, in the server's language.
    pub message: String,
    /// `SQLSTATE` on PostgreSQL, the extended result code on SQLite.
    pub code: Option<String>,
    /// PostgreSQL's `DETAIL`.
    pub detail: Option<String>,
    /// PostgreSQL's `HINT`.
    pub hint: Option<String>,
    /// PostgreSQL's `CONTEXT`: the call stack inside functions.
    pub context: Option<String>,
}

impl DatabaseMessage {
    /// A message with nothing around it.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: said(&message.into()), ..Self::default() }
    }
}

/// A text of a server's as it is shown and stored: its beginning, if it is longer than anybody reads, with the passwords that can
/// be recognised masked.
pub fn said(text: &str) -> String {
    const MOST: usize = 16 * 1024;
    if text.len() <= MOST {
        return mask(text);
    }
    mask(&format!("{}…", &text[..floor_char_boundary(text, MOST)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = "ä\nöü SELECT";
        let place = Place::new("m.sql", source, 8..14);
        assert_eq!(place.to_string(), "m.sql:2:4");
    }

    #[test]
    fn of_a_text_that_nobody_reads_the_beginning_is_kept() {
        let text = DatabaseMessage::new("ä".repeat(1_000_000)).message;
        assert!(text.len() < 17_000 && text.ends_with("ä…"), "{}", text.len());
    }

    #[test]
    fn a_place_outside_the_text_is_its_end() {
        assert_eq!(Place::new("m.sql", "ab", 7..9).to_string(), "m.sql:1:3");
        assert_eq!(Place::new("m.sql", "ä", 1..1).to_string(), "m.sql:1:1");
    }

    #[test]
    fn a_server_that_says_the_password_back_is_not_repeated() {
        let said = DatabaseMessage {
            detail: Some("you said hunter2".to_owned()),
            ..DatabaseMessage::new("hunter2 is no good")
        };
        let diagnostic = Diagnostic::new(Code::Database, "failed: hunter2")
            .said_by(said)
            .help("it could not be recorded: hunter2")
            .at(Place::new("m.sql", "x", 0..1).labelled("hunter2"))
            .hiding(&Secret::new("hunter2"));
        let text = format!("{diagnostic:?}");
        assert!(!text.contains("hunter2") && text.contains("you said *******"), "{text}");
    }

    #[test]
    fn a_place_does_not_keep_the_password_of_a_url() {
        let place = Place::new("schema.prisma", "url = \"postgresql://a:hunter2@h/d\"", 0..3);
        assert!(!place.source().contains("hunter2"));
    }
}
