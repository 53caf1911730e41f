//! Statements: where they are, and the words that they are made of.

use std::ops::Range;
use std::rc::Rc;

use super::lexer::{Dialect, Kind, Lexer, Token};

/// One statement of a script.
pub(crate) struct Statement<'a> {
    text: &'a str,
    /// The text of the whole script in lower case, byte for byte: put together once, because words are looked at often.
    lower: Rc<str>,
    tokens: Vec<Token>,
    end: usize,
}

impl<'a> Statement<'a> {
    /// From the first token to the last, the semicolon that ends it included.
    pub(crate) fn span(&self) -> Range<usize> {
        self.tokens.first().map_or(self.end, |token| token.span.start)..self.end
    }

    /// The `n`th token if it is a word, in lower case; otherwise an empty text.
    pub(crate) fn word(&self, n: usize) -> &str {
        self.tokens.get(n).map_or("", |token| self.lower(token))
    }

    /// Whether the statement begins with these words.
    pub(crate) fn begins_with(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(n, word)| self.word(n) == *word)
    }

    /// Whether it begins with these words and holds nothing else.
    pub(crate) fn is(&self, words: &[&str]) -> bool {
        self.tokens.len() == words.len() && self.begins_with(words)
    }

    /// Whether a word stands anywhere in it, outside of quotes and comments.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.tokens.iter().any(|token| self.lower(token) == word)
    }

    /// Whether one of these words does.
    pub(crate) fn has_any(&self, words: &[&str]) -> bool {
        self.tokens.iter().any(|token| words.contains(&self.lower(token)))
    }

    /// Whether these words stand in it one after the other, outside of parentheses.
    pub(crate) fn has_run(&self, words: &[&str]) -> bool {
        let runs = |start: usize| words.iter().enumerate().all(|(n, word)| self.word(start + n) == *word);
        (0..self.len()).any(|start| runs(start) && self.depth(start) == 0)
    }

    /// How many parentheses are open at the `n`th token.
    pub(crate) fn depth(&self, n: usize) -> usize {
        self.tokens.iter().take(n).fold(0_usize, |depth, token| match token.kind {
            Kind::Open => depth + 1,
            Kind::Close => depth.saturating_sub(1),
            _ => depth,
        })
    }

    /// The text of the `n`th token.
    pub(crate) fn token(&self, n: usize) -> Option<(Kind, &'a str)> {
        self.tokens.get(n).map(|token| (token.kind, &self.text[token.span.clone()]))
    }

    /// Where the `n`th token is.
    pub(crate) fn place(&self, n: usize) -> Option<Range<usize>> {
        self.tokens.get(n).map(|token| token.span.clone())
    }

    /// Where the first token of this kind and text is.
    pub(crate) fn find(&self, kind: Kind, text: &str) -> Option<Range<usize>> {
        let found =
            self.tokens.iter().find(|token| token.kind == kind && &self.text[token.span.clone()] == text);
        found.map(|token| token.span.clone())
    }

    /// The text of the whole script.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// How many tokens there are.
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    fn lower(&self, token: &Token) -> &str {
        if token.kind == Kind::Word { &self.lower[token.span.clone()] } else { "" }
    }
}

/// The statements of a script; empty ones are left out.
///
/// The second value is where something begins that does not end: a quote, or a comment.
pub(crate) fn statements(text: &str, dialect: Dialect) -> (Vec<Statement<'_>>, Option<Range<usize>>) {
    let lower: Rc<str> = text.to_ascii_lowercase().into();
    let mut statements = Vec::new();
    let mut unterminated = None;
    let mut scan = Scan::default();
    let mut tokens = Vec::new();
    for token in Lexer::new(text, dialect) {
        if token.kind == Kind::Unterminated {
            unterminated = Some(token.span.clone());
        }
        let end = token.span.end;
        let ends = scan.ends_statement(&lower[token.span.clone()], token.kind, dialect);
        if !ends {
            tokens.push(token);
        } else if !tokens.is_empty() {
            let tokens = std::mem::take(&mut tokens);
            statements.push(Statement { text, lower: lower.clone(), tokens, end });
        }
    }
    if let Some(last) = tokens.last() {
        let end = last.span.end;
        statements.push(Statement { text, lower: lower.clone(), tokens, end });
    }
    (statements, unterminated)
}

/// What has been seen of the statement under way, as far as it decides whether a semicolon ends it.
#[derive(Default)]
struct Scan<'a> {
    /// The first words; in the body of a routine those of the statement in the body.
    head: Vec<&'a str>,
    parentheses: usize,
    /// How many bodies of routines are open. The server lets none be in another one, its grammar does.
    bodies: usize,
    end_seen: bool,
    /// The token before this one, in lower case.
    before: &'a str,
}

/// As many words as tell a routine or a trigger.
const HEAD: usize = 4;

impl<'a> Scan<'a> {
    /// Takes the next token, in lower case.
    fn ends_statement(&mut self, lower: &'a str, kind: Kind, dialect: Dialect) -> bool {
        // A trigger's body ends with `END` right after the semicolon of its last statement.
        let end_seen = kind == Kind::Word && lower == "end" && self.before == ";";
        match kind {
            Kind::Open => self.parentheses += 1,
            Kind::Close => self.parentheses = self.parentheses.saturating_sub(1),
            Kind::Word if dialect == Dialect::Postgres => self.word_of_postgres(lower),
            Kind::Word => self.head_gets(lower),
            Kind::Semicolon if self.semicolon_ends(dialect) => {
                *self = Self::default();
                return true;
            }
            Kind::Semicolon if dialect == Dialect::Postgres && self.parentheses == 0 => self.head.clear(),
            _ => {}
        }
        self.end_seen = end_seen;
        self.before = lower;
        false
    }

    /// A body begins with `BEGIN ATOMIC` and ends with an `END` where a statement could begin. Everywhere else these words
    /// are names, or the `END` of a `CASE`.
    fn word_of_postgres(&mut self, word: &'a str) {
        if self.parentheses > 0 {
            return;
        }
        if word == "atomic" && self.before == "begin" && self.is_routine() {
            self.bodies += 1;
            self.head.clear();
        } else if word == "end" && self.head.is_empty() && matches!(self.before, ";" | "atomic") {
            self.bodies = self.bodies.saturating_sub(1);
            self.head_gets(word);
        } else {
            self.head_gets(word);
        }
    }

    fn head_gets(&mut self, word: &'a str) {
        if self.head.len() < HEAD {
            self.head.push(word);
        }
    }

    fn semicolon_ends(&self, dialect: Dialect) -> bool {
        match dialect {
            Dialect::Postgres => self.parentheses == 0 && self.bodies == 0,
            Dialect::Sqlite => !self.is_trigger() || self.end_seen,
        }
    }

    fn head_is(&self, words: &[&str]) -> bool {
        self.head.len() >= words.len() && self.head.iter().zip(words).all(|(found, word)| found == word)
    }

    fn is_routine(&self) -> bool {
        ["function", "procedure"]
            .iter()
            .any(|kind| self.head_is(&["create", kind]) || self.head_is(&["create", "or", "replace", kind]))
    }

    fn is_trigger(&self) -> bool {
        self.head_is(&["create", "trigger"])
            || self.head_is(&["create", "temp", "trigger"])
            || self.head_is(&["create", "temporary", "trigger"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, dialect: Dialect) -> Vec<&str> {
        statements(text, dialect).0.iter().map(|statement| &text[statement.span()]).collect()
    }

    #[test]
    fn the_body_of_a_routine_is_part_of_its_statement() {
        let text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3";
        assert_eq!(split(text, Dialect::Postgres).len(), 2);
        let text = "CREATE OR REPLACE PROCEDURE p() AS $$ BEGIN COMMIT; END $$ LANGUAGE plpgsql; SELECT 1";
        assert_eq!(split(text, Dialect::Postgres).len(), 2);
    }

    #[test]
    fn names_that_look_like_keywords_do_not_open_or_close_a_body() {
        let text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT ev.begin, ev.case, 1 AS end FROM ev; END; COMMIT;";
        assert_eq!(split(text, Dialect::Postgres), [&text[..text.len() - 8], "COMMIT;"]);
        for text in [
            "CREATE FUNCTION f(begin int) RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMIT;",
            "CREATE FUNCTION f(begin atomic) RETURNS TABLE (begin atomic) LANGUAGE sql AS 'SELECT 1'; COMMIT;",
            "CREATE FUNCTION begin.atomic() RETURNS begin.atomic LANGUAGE sql RETURN begin; COMMIT;",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 end; SELECT begin atomic FROM t; END; COMMIT;",
            "CREATE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN a THEN CASE WHEN b THEN 1 END END; END; COMMIT;",
            "CREATE PROCEDURE p() BEGIN ATOMIC END; COMMIT",
            "CREATE PROCEDURE p() BEGIN ATOMIC ;; END; COMMIT",
            "CREATE TABLE function (begin atomic); COMMIT",
            "CREATE AGGREGATE begin(atomic) (sfunc = f); COMMIT",
        ] {
            assert_eq!(split(text, Dialect::Postgres).len(), 2, "{text}");
        }
    }

    #[test]
    fn semicolons_in_parentheses_and_comments_end_nothing() {
        for text in ["SELECT (1; 2)", "SELECT 1 /* ; /* ; */ ; */ + 1", "SELECT 1 -- ;\r + 1"] {
            assert_eq!(split(text, Dialect::Postgres), [text]);
        }
        assert_eq!(split("SELECT 1 -- ;\r; SELECT 2", Dialect::Postgres).len(), 2);
        assert_eq!(split("SELECT 1);\x0cSELECT\x0b2;", Dialect::Postgres), ["SELECT 1);", "SELECT\x0b2;"]);
    }

    #[test]
    fn the_actions_of_a_rule_are_part_of_its_statement() {
        let text =
            "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b); SELECT 1;";
        assert_eq!(split(text, Dialect::Postgres).len(), 2);
    }

    #[test]
    fn the_body_of_a_trigger_is_part_of_its_statement() {
        let text = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n UPDATE b SET x = CASE y WHEN 1 THEN 2 END; DELETE FROM c;\nEND; SELECT 1;";
        assert_eq!(split(text, Dialect::Sqlite).len(), 2);
    }

    #[test]
    fn empty_statements_and_comments_are_none() {
        assert_eq!(split(";; -- x;\n/* y; */ ;", Dialect::Postgres), Vec::<&str>::new());
        assert_eq!(split("SELECT 1; -- the end", Dialect::Postgres), ["SELECT 1;"]);
        assert_eq!(split("\u{feff}SELECT 1", Dialect::Postgres), ["SELECT 1"]);
    }
}
