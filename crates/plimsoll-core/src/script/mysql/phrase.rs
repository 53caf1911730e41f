//! A statement as words, for those who want to know what it does.

use std::collections::BTreeSet;

use super::effect::{Object, ObjectKind};
use super::lexer::{Kind, Token};

/// The tokens of a statement without its version comments' marks.
pub(super) struct Phrase<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

impl<'a> Phrase<'a> {
    pub(super) fn new(text: &'a str, tokens: &[Token]) -> Self {
        let is_code = |token: &&Token| !matches!(token.kind, Kind::CommentStart | Kind::CommentEnd);
        Self { text, tokens: tokens.iter().filter(is_code).cloned().collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn kind(&self, n: usize) -> Option<Kind> {
        self.tokens.get(n).map(|token| token.kind)
    }

    /// The text of the `n`th token, or an empty one.
    pub(super) fn text(&self, n: usize) -> &'a str {
        self.tokens.get(n).map_or("", |token| &self.text[token.span.clone()])
    }

    /// The `n`th token in lower case if it is a word without quotes, or an empty text.
    pub(super) fn word(&self, n: usize) -> String {
        match self.kind(n) {
            Some(Kind::Word) => self.text(n).to_ascii_lowercase(),
            _ => String::new(),
        }
    }

    /// Whether these words stand at `n`.
    pub(super) fn words_at(&self, n: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.word(n + ahead) == *word)
    }

    /// Where these words stand first.
    pub(super) fn find(&self, words: &[&str]) -> Option<usize> {
        (0..self.len()).find(|n| self.words_at(*n, words))
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.find(&[word]).is_some()
    }

    /// The name at `n` without its quotes.
    pub(super) fn name(&self, n: usize) -> Option<String> {
        let text = self.text(n);
        match self.kind(n)? {
            Kind::Word | Kind::Number => Some(text.to_owned()),
            Kind::Name => Some(unquoted(text)),
            _ => None,
        }
    }

    /// The content of the string at `n`, if it is one.
    pub(super) fn string(&self, n: usize) -> Option<String> {
        (self.kind(n)? == Kind::Text).then(|| unquoted(self.text(n)))
    }

    /// The user variable at `n`, in lower case and without `@` and quotes.
    pub(super) fn variable(&self, n: usize) -> Option<String> {
        let name = || unquoted(&self.text(n)[1..]).to_lowercase();
        (self.kind(n)? == Kind::UserVariable).then(name)
    }

    /// The object whose name, with its database or without, begins at `n`; and where what follows begins.
    pub(super) fn object(&self, kind: ObjectKind, n: usize) -> Option<(Object, usize)> {
        let first = self.name(n)?;
        if self.text(n + 1) == "." {
            let object = Object { kind, database: Some(first), name: self.name(n + 2)? };
            return Some((object, n + 3));
        }
        Some((Object { kind, database: None, name: first }, n + 1))
    }

    /// The objects of a list that begins at `n`.
    pub(super) fn objects(&self, kind: ObjectKind, mut n: usize) -> Option<Vec<Object>> {
        let mut found = Vec::new();
        loop {
            let (object, next) = self.object(kind, n)?;
            found.push(object);
            if self.text(next) != "," {
                return Some(found);
            }
            n = next + 1;
        }
    }

    /// Every word and name, in lower case.
    pub(super) fn names(&self) -> BTreeSet<String> {
        (0..self.len()).filter_map(|n| self.name(n)).map(|name| name.to_lowercase()).collect()
    }

    /// The same from the `n`th token on.
    pub(super) fn from(&self, n: usize) -> Self {
        Self { text: self.text, tokens: self.tokens.get(n..).unwrap_or_default().to_vec() }
    }
}

/// What stands between quotes, with doubled ones read as one. Backslashes stay: nobody who looks here needs them.
fn unquoted(text: &str) -> String {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '`' | '"' | '\'')) else {
        return text.to_owned();
    };
    let inner = text[1..].strip_suffix(quote).unwrap_or(&text[1..]);
    inner.replace(&format!("{quote}{quote}"), &quote.to_string())
}
