//! The statements of a shell script, as far as they are surely understood.
//!
//! Only a flat sequence is: simple commands with `&&`, `;` or an end of line between them. Words are split by `shlex`;
//! which operators end a statement, and which make it something else, is looked at here.

use std::ops::Range;

/// One simple command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its bytes in the script, without the blanks around it.
    pub(crate) span: Range<usize>,
    /// Its words; or what in it is not understood.
    pub(crate) words: Result<Vec<String>, &'static str>,
    /// What stands behind it.
    pub(crate) end: End,
}

/// What ends a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// `&&`: the next one runs only if this one succeeds.
    And,
    /// `;` or an end of line: the next one runs in any case, unless `set -e` is on.
    Then,
    /// The end of the script.
    Last,
}

/// Words that begin, divide or end what is more than a simple command.
const COMPOUND: [&str; 17] = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "{", "}",
    "function", "!", "[[",
];

/// Reads a script; `Err` says what makes it more than a sequence of simple commands.
pub(crate) fn statements(script: &str) -> Result<Vec<Statement>, &'static str> {
    let mut reader = Reader { script, at: 0, start: 0, odd: None, found: Vec::new() };
    while let Some(c) = reader.peek() {
        reader.step(c)?;
    }
    reader.end(End::Last, script.len());
    for statement in &reader.found {
        let first = statement.words.as_ref().ok().and_then(|words| words.first());
        if first.is_some_and(|word| COMPOUND.contains(&word.as_str())) {
            return Err("a loop, a condition or a block");
        }
    }
    Ok(reader.found)
}

struct Reader<'s> {
    script: &'s str,
    at: usize,
    start: usize,
    /// What in the statement under way is not understood.
    odd: Option<&'static str>,
    found: Vec<Statement>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.script[self.at..].chars().next()
    }

    fn follows(&self, text: &str) -> bool {
        self.script[self.at..].starts_with(text)
    }

    fn step(&mut self, c: char) -> Result<(), &'static str> {
        match c {
            '\\' => {
                self.at += 1;
                self.at += self.peek().map_or(0, char::len_utf8);
            }
            '\'' => self.skip_single()?,
            '"' => self.skip_double()?,
            '#' if self.at_word() => self.skip_comment(),
            '\n' | ';' => self.separate(End::Then, 1),
            '&' if self.follows("&&") => self.separate(End::And, 2),
            '|' if self.follows("||") => return Err("`||`"),
            '|' => self.note("a pipe"),
            '&' => self.note("a background command or a redirection"),
            '<' if self.follows("<<") => return Err("a here-document"),
            '<' | '>' => self.note("a redirection"),
            '(' | ')' => return Err("a subshell or a function"),
            '`' => return Err("a command substitution"),
            '$' if self.follows("$(") => return Err("a command substitution"),
            '$' => self.note("a variable"),
            '*' | '?' | '[' if !self.in_assignment() => self.note("a pattern"),
            '{' if !self.in_assignment() && !self.is_alone() => self.note("a pattern"),
            '~' if self.at_word() || self.script[..self.at].ends_with(['=', ':']) => {
                self.note("a home directory");
            }
            _ => self.at += c.len_utf8(),
        }
        Ok(())
    }

    /// Whether a word begins here: only then `#` begins a comment.
    fn at_word(&self) -> bool {
        self.script[..self.at].chars().next_back().is_none_or(|c| c.is_whitespace() || c == ';' || c == '&')
    }

    /// Whether the character here is a word by itself, as the brace of a block is.
    fn is_alone(&self) -> bool {
        let rest = &self.script[self.at + 1..];
        self.at_word() && rest.chars().next().is_none_or(char::is_whitespace)
    }

    /// Whether the word here is `NAME=…`, where a shell takes patterns as they are.
    fn in_assignment(&self) -> bool {
        let before = &self.script[self.start..self.at];
        let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        word.split_once('=').is_some_and(|(name, _)| {
            name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) && !name.is_empty()
        })
    }

    fn note(&mut self, odd: &'static str) {
        self.odd.get_or_insert(odd);
        self.at += 1;
    }

    fn skip_single(&mut self) -> Result<(), &'static str> {
        let length = self.script[self.at + 1..].find('\'').ok_or("a quote that does not end")?;
        self.at += length + 2;
        Ok(())
    }

    fn skip_double(&mut self) -> Result<(), &'static str> {
        self.at += 1;
        loop {
            let Some(c) = self.peek() else { return Err("a quote that does not end") };
            match c {
                '"' => break,
                '\\' => self.at += 1 + self.script[self.at + 1..].chars().next().map_or(0, char::len_utf8),
                '`' => return Err("a command substitution"),
                '$' if self.follows("$(") => return Err("a command substitution"),
                '$' => self.note("a variable"),
                _ => self.at += c.len_utf8(),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// A comment belongs to no statement, but its line's end does.
    fn skip_comment(&mut self) {
        let at = self.at;
        self.at += self.script[at..].find('\n').unwrap_or(self.script.len() - at);
        if self.script[self.start..at].trim().is_empty() {
            self.start = self.at;
        } else {
            self.end(End::Then, at);
        }
    }

    fn separate(&mut self, end: End, length: usize) {
        // After `&&` the command may stand on the next line.
        let is_empty = self.script[self.start..self.at].trim().is_empty();
        let at = self.at;
        self.at += length;
        if is_empty {
            self.start = self.at;
        } else {
            self.end(end, at);
        }
    }

    fn end(&mut self, end: End, at: usize) {
        let text = &self.script[self.start..at];
        let trimmed = text.trim();
        if !trimmed.is_empty() {
            let start = self.start + text.find(trimmed).unwrap_or_default();
            let words = match self.odd {
                Some(odd) => Err(odd),
                None => shlex::split(trimmed).ok_or("a quote that does not end"),
            };
            self.found.push(Statement { span: start..start + trimmed.len(), words, end });
        }
        self.odd = None;
        self.start = self.at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(script: &str) -> Vec<Result<String, &'static str>> {
        statements(script).unwrap().into_iter().map(|s| s.words.map(|words| words.join("|"))).collect()
    }

    #[test]
    fn a_sequence_is_read_with_its_quotes() {
        assert_eq!(
            words("set -e; cd '/a b' && npx prisma \"migrate\" deploy\n# done; really\nexec node x # now"),
            [
                Ok("set|-e".to_owned()),
                Ok("cd|/a b".to_owned()),
                Ok("npx|prisma|migrate|deploy".to_owned()),
                Ok("exec|node|x".to_owned())
            ]
        );
    }

    #[test]
    fn a_line_that_goes_on_is_one_statement() {
        assert_eq!(words("a &&\n  b \\\n  c").len(), 2);
        let ends: Vec<End> = statements("a && b; c\n").unwrap().iter().map(|s| s.end).collect();
        assert_eq!(ends, [End::And, End::Then, End::Then]);
    }

    #[test]
    fn a_statement_that_is_not_simple_says_why() {
        assert_eq!(words("a | b && c"), [Err("a pipe"), Ok("c".to_owned())]);
        assert_eq!(words("a > b"), [Err("a redirection")]);
        assert_eq!(words("a $B \"$C\""), [Err("a variable")]);
        assert_eq!(words("a &"), [Err("a background command or a redirection")]);
        assert_eq!(words("a '$B'"), [Ok("a|$B".to_owned())]);
    }

    #[test]
    fn a_script_that_is_no_sequence_is_refused() {
        for script in [
            "a || b",
            "if a; then b; fi",
            "until a; do b; done",
            "(a)",
            "a $(b)",
            "a `b`",
            "a <<E\nE",
            "a 'b",
            "a \"b",
        ] {
            assert!(statements(script).is_err(), "{script}");
        }
    }

    #[test]
    fn a_span_is_the_statement_and_nothing_else() {
        let script = "  ä && b ;c";
        let spans: Vec<_> =
            statements(script).unwrap().iter().map(|s| script[s.span.clone()].to_owned()).collect();
        assert_eq!(spans, ["ä", "b", "c"]);
    }
}
