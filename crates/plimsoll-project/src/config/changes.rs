//! Which names a config assigns to after declaring them: their value cannot be read off their declaration.
//!
//! The scan goes over the tokens of the whole file, functions included, and rather takes one name too many than one too
//! few: such a name leads to an error that says what to do, a missed one would lead to the wrong database.

use std::collections::BTreeSet;

use oxc_parser::{Kind, Token};

/// Names that are assigned to, and variables of `process.env` that are.
#[derive(Default)]
pub(super) struct Changes {
    names: BTreeSet<String>,
    variables: BTreeSet<String>,
    every_variable: bool,
}

impl Changes {
    /// Finds the assignments; `declared` holds the offsets of the names in declarations, which are none.
    pub(super) fn find(source: &str, tokens: &[Token], declared: &BTreeSet<u32>) -> Self {
        let mut scan = Scan { source, tokens, declared, changes: Self::default() };
        for at in 0..tokens.len() {
            scan.token(at);
        }
        scan.changes
    }

    /// Whether the name, or a member of it, is assigned to.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether the file itself sets this environment variable.
    pub(super) fn has_variable(&self, name: &str) -> bool {
        self.every_variable || self.variables.contains(name)
    }
}

struct Scan<'a> {
    source: &'a str,
    tokens: &'a [Token],
    declared: &'a BTreeSet<u32>,
    changes: Changes,
}

impl Scan<'_> {
    fn token(&mut self, at: usize) {
        match self.kind(at) {
            Kind::Plus2 | Kind::Minus2 => {
                self.target_before(at);
                self.root_after(at);
            }
            Kind::Delete => self.root_after(at),
            kind if assigns(kind) => self.target_before(at),
            Kind::For if self.kind(at + 1) == Kind::LParen => self.loop_head(at + 2),
            _ if self.is_mutating_method(at) => self.target_before(at - 1),
            _ if self.text(at) == "assign" && self.kind(at + 1) == Kind::LParen => self.root_after(at + 1),
            _ => {}
        }
    }

    fn kind(&self, at: usize) -> Kind {
        self.tokens.get(at).map_or(Kind::Eof, Token::kind)
    }

    fn text(&self, at: usize) -> &str {
        let span = self.tokens.get(at).map(|token| token.start() as usize..token.end() as usize);
        span.and_then(|span| self.source.get(span)).unwrap_or_default()
    }

    fn is_name(&self, at: usize) -> bool {
        self.text(at).starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
    }

    fn is_mutating_method(&self, at: usize) -> bool {
        let methods = ["push", "unshift", "pop", "shift", "splice", "sort", "reverse", "fill", "copyWithin"];
        let called = self.kind(at + 1) == Kind::LParen;
        called && at > 0 && self.kind(at - 1) == Kind::Dot && methods.contains(&self.text(at))
    }

    /// What stands before the token `end`: `name`, `name.member["member"]`, or a pattern.
    fn target_before(&mut self, end: usize) {
        let mut members = Vec::new();
        let mut at = end;
        while at > 0 {
            at -= 1;
            match self.kind(at) {
                Kind::Bang => {}
                Kind::RBrack | Kind::RCurly | Kind::RParen => {
                    let open = self.opening(at);
                    if self.kind(at) != Kind::RBrack || open == 0 || !self.can_have_members(open - 1) {
                        return self.pattern(open, at);
                    }
                    members.push(self.member_in(open, at));
                    at = open;
                }
                _ if self.is_name(at) && at > 0 && self.is_dot(at - 1) => {
                    members.push(self.text(at).to_owned());
                    at -= 1;
                }
                _ if self.is_name(at) => return self.root(at, &members),
                _ => return,
            }
        }
    }

    fn is_dot(&self, at: usize) -> bool {
        matches!(self.kind(at), Kind::Dot | Kind::QuestionDot)
    }

    fn can_have_members(&self, at: usize) -> bool {
        let closing = matches!(self.kind(at), Kind::RBrack | Kind::RParen | Kind::Bang | Kind::QuestionDot);
        let keyword = matches!(self.kind(at), Kind::Const | Kind::Let | Kind::Var | Kind::Return | Kind::Of);
        closing || (self.is_name(at) && !keyword)
    }

    fn opening(&self, closing: usize) -> usize {
        let mut depth = 0_usize;
        for at in (0..=closing).rev() {
            match self.kind(at) {
                Kind::RBrack | Kind::RCurly | Kind::RParen | Kind::TemplateTail => depth += 1,
                Kind::LBrack | Kind::LCurly | Kind::LParen | Kind::TemplateHead => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        0
    }

    /// `for (name of …)` and `for ([name] of …)`, where nothing is declared.
    fn loop_head(&mut self, start: usize) {
        let ends = |kind| matches!(kind, Kind::Of | Kind::In | Kind::Semicolon | Kind::RParen | Kind::Eof);
        if matches!(self.kind(start), Kind::Const | Kind::Let | Kind::Var) {
            return;
        }
        let mut at = start;
        while !ends(self.kind(at)) {
            if self.is_name(at) {
                self.root(at, &[]);
            }
            at += 1;
        }
    }

    /// Every name in a pattern that is no declaration. Behind a colon it is no pattern, but the type of one.
    fn pattern(&mut self, open: usize, close: usize) {
        if open > 0 && matches!(self.kind(open - 1), Kind::Const | Kind::Let | Kind::Var | Kind::Colon) {
            return;
        }
        for at in open..close {
            if self.is_name(at) {
                self.root(at, &[]);
            }
        }
    }

    /// The member that brackets name; nothing, which is no name, if they hold more than a string.
    fn member_in(&self, open: usize, close: usize) -> String {
        let literal = close == open + 2 && self.kind(open + 1) == Kind::Str;
        if literal { self.text(open + 1).trim_matches(['"', '\'']).to_owned() } else { String::new() }
    }

    fn root_after(&mut self, at: usize) {
        let mut members = Vec::new();
        let mut end = at + 1;
        loop {
            if self.is_dot(end + 1) && self.kind(end + 2) != Kind::LBrack {
                members.push(self.text(end + 2).to_owned());
                end += 2;
            } else if self.kind(end + 1) == Kind::LBrack {
                members.push(self.member_in(end + 1, end + 3));
                end += 3;
            } else {
                break;
            }
        }
        members.reverse();
        if self.is_name(at + 1) {
            self.root(at + 1, &members);
        }
    }

    /// Notes a change of `name`, or of a member of it; `members` are those behind the name, the last one first.
    fn root(&mut self, at: usize, members: &[String]) {
        let declares = at > 0 && matches!(self.kind(at - 1), Kind::Const | Kind::Let | Kind::Var);
        let start = self.tokens.get(at).map_or(0, Token::start);
        if declares || self.declared.contains(&start) {
            return;
        }
        let name = self.text(at).to_owned();
        if name != "process" {
            self.changes.names.insert(name);
            return;
        }
        match members {
            [variable, env] if env == "env" && !variable.is_empty() => {
                self.changes.variables.insert(variable.clone());
            }
            _ => self.changes.every_variable = true,
        }
    }
}

fn assigns(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Eq
            | Kind::PlusEq
            | Kind::MinusEq
            | Kind::StarEq
            | Kind::Star2Eq
            | Kind::SlashEq
            | Kind::PercentEq
            | Kind::AmpEq
            | Kind::Amp2Eq
            | Kind::PipeEq
            | Kind::Pipe2Eq
            | Kind::CaretEq
            | Kind::Question2Eq
            | Kind::ShiftLeftEq
            | Kind::ShiftRightEq
            | Kind::ShiftRight3Eq
    )
}
