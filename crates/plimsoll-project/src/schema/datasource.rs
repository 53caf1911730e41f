//! The `datasource` block: found among everything else, and its values.

use std::ops::Range;

use super::lexer::{Kind, Token, unquote};

/// Deeper than any real list or call.
const DEPTH: usize = 32;

/// One `datasource name { … }`.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) name: String,
    /// From the word `datasource` to the closing brace.
    pub(crate) span: Range<usize>,
    /// The bytes of `datasource name`.
    pub(crate) head: Range<usize>,
    pub(crate) assignments: Vec<Assignment>,
}

/// `name = value`.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    /// The bytes of the whole assignment.
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

/// A value in a schema.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) span: Range<usize>,
    pub(crate) shape: Shape,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// A string, escapes resolved.
    Text(String),
    /// `[a, b]`.
    List(Vec<Value>),
    /// `name(a, b)`.
    Call(String, Vec<Value>),
    /// A word, or anything else that no property that Plimsoll needs can hold.
    Other,
}

/// A place that cannot be understood.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
}

/// The datasource blocks of a schema. Everything outside of them is skipped by its braces only.
pub(crate) fn blocks(source: &str, tokens: &[Token]) -> (Vec<Block>, Vec<Fault>) {
    let tokens: Vec<&Token> = tokens.iter().filter(|token| token.kind != Kind::Comment).collect();
    let mut parser = Parser { source, tokens: &tokens, at: 0, faults: Vec::new() };
    let mut blocks = Vec::new();
    let mut depth = 0_usize;
    while let Some(token) = parser.peek() {
        match token.kind {
            Kind::Sign('{') => depth += 1,
            Kind::Sign('}') => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && parser.text(token) == "datasource" => {
                blocks.extend(parser.block());
                continue;
            }
            _ => {}
        }
        parser.at += 1;
    }
    (blocks, parser.faults)
}

struct Parser<'a> {
    source: &'a str,
    tokens: &'a [&'a Token],
    at: usize,
    faults: Vec<Fault>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    fn text(&self, token: &Token) -> &'a str {
        &self.source[token.span.clone()]
    }

    fn skip_lines(&mut self) {
        while self.peek().is_some_and(|token| token.kind == Kind::NewLine) {
            self.at += 1;
        }
    }

    fn eat(&mut self, sign: char) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == Kind::Sign(sign));
        self.at += usize::from(found);
        found
    }

    /// Where the parser stands, or the end of what it has read.
    fn here(&self) -> Range<usize> {
        let last = || self.tokens.last().map_or(0..0, |token| token.span.end..token.span.end);
        self.peek().map_or_else(last, |token| token.span.clone())
    }

    fn fault(&mut self, message: impl Into<String>, span: Range<usize>) {
        self.faults.push(Fault { message: message.into(), span });
    }

    /// Reads from the word `datasource`; anything that does not go on as a block is no block.
    fn block(&mut self) -> Option<Block> {
        let start = self.next()?.span.start;
        let name = self.peek().filter(|token| token.kind == Kind::Word)?;
        self.at += 1;
        self.skip_lines();
        if !self.eat('{') {
            return None;
        }
        let mut assignments = Vec::new();
        loop {
            self.skip_lines();
            if self.peek().is_none() {
                self.fault("The `datasource` block is not closed: a `}` is missing.", start..name.span.end);
                break;
            }
            if self.eat('}') {
                break;
            }
            assignments.extend(self.assignment());
        }
        let end = self.at.checked_sub(1).map_or(name.span.end, |last| self.tokens[last].span.end);
        let head = start..name.span.end;
        Some(Block { name: self.text(name).to_owned(), span: start..end, head, assignments })
    }

    fn assignment(&mut self) -> Option<Assignment> {
        let first = self.next()?;
        // `@@attribute(…)` and whatever else stands there: not ours.
        if first.kind != Kind::Word {
            self.skip_to_line_end();
            return None;
        }
        let name = self.text(first).to_owned();
        if !self.eat('=') {
            self.fault(format!("`{name}` is followed by no `=`."), first.span.clone());
            self.skip_to_line_end();
            return None;
        }
        self.skip_lines();
        let Some(value) = self.value(DEPTH) else {
            self.fault(format!("`{name}` has no value that can be read."), first.span.start..self.here().end);
            self.skip_to_line_end();
            return None;
        };
        let span = first.span.start..value.span.end;
        self.skip_to_line_end();
        Some(Assignment { name, span, value })
    }

    fn skip_to_line_end(&mut self) {
        while self.peek().is_some_and(|token| !matches!(token.kind, Kind::NewLine | Kind::Sign('}'))) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let first = self.peek()?;
        self.at += 1;
        let start = first.span.start;
        let shape = match first.kind {
            Kind::Text => Shape::Text(unquote(self.text(first))),
            Kind::OpenText => {
                self.fault("The string is not closed: a `\"` is missing.", first.span.clone());
                Shape::Other
            }
            Kind::Sign('[') => Shape::List(self.values(']', depth)),
            Kind::Word if self.eat('(') => Shape::Call(self.text(first).to_owned(), self.values(')', depth)),
            Kind::Word => Shape::Other,
            _ => {
                self.at -= 1;
                return None;
            }
        };
        Some(Value { span: start..self.tokens[self.at - 1].span.end, shape })
    }

    /// The values up to a closing sign, over as many lines as they take; names before them (`map: "x"`) are left out.
    fn values(&mut self, end: char, depth: usize) -> Vec<Value> {
        let mut values = Vec::new();
        loop {
            self.skip_lines();
            if self.eat(end) {
                return values;
            }
            if self.peek().is_none_or(|token| token.kind == Kind::Sign('}')) {
                let here = self.here();
                self.fault(format!("A `{end}` is missing."), here);
                return values;
            }
            match self.value(depth) {
                Some(_) if self.eat(':') => {}
                Some(value) => values.push(value),
                None => self.at += 1,
            }
        }
    }
}
