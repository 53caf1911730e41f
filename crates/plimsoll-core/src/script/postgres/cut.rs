//! Cuts a script that cannot be one transaction into segments.

use std::borrow::Cow;
use std::ops::Range;

use super::effect::effect;
use super::refusing::refuses_transaction;
use super::{control, sets_transaction};
use crate::script::lexer::Dialect;
use crate::script::statement::{Statement, statements};
use crate::script::{Control, Reason, Segment, Segmented, Way, blanked};

/// Whether neighbours that could be one transaction become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Neighbours {
    Together,
    Apart,
}

/// The statements of a script by which its progress is counted, with the line ends that they have on every system.
///
/// `BEGIN` and `COMMIT` count too. Comments between statements do not, so that they may be changed.
pub fn texts(text: &str) -> Vec<Cow<'_, str>> {
    let normalised = |statement: &Statement<'_>| -> Cow<'_, str> {
        let text = &text[statement.span()];
        if text.contains('\r') { text.replace("\r\n", "\n").into() } else { text.into() }
    };
    statements(text, Dialect::Postgres).0.iter().map(normalised).collect()
}

/// The segments of a script that was taken for one transaction, and that the server does not take as one: its own blocks,
/// and every other statement by itself.
pub fn apart(text: &str) -> Segmented<'_> {
    let (statements, _) = statements(text, Dialect::Postgres);
    Segmented { segments: cut(text, &statements, Neighbours::Apart), because: Vec::new() }
}

/// A segment whose statements the server does not take as one transaction, statement by statement.
///
/// It is left as it is if it has only one, or is a block of the script's own.
pub fn divided<'a>(text: &'a str, segment: &Segment<'a>) -> Vec<Segment<'a>> {
    if segment.way != Way::Together {
        return vec![segment.clone()];
    }
    let (statements, _) = statements(text, Dialect::Postgres);
    let single = |n: usize| together(text, &statements, n..n + 1);
    segment.statements.clone().map(single).collect()
}

/// The `n`th statement of a script, to be run outside of any transaction: the server says that it refuses one.
///
/// # Panics
/// If the script has no such statement.
pub fn outside(text: &str, n: usize) -> Segment<'_> {
    outside_of(text, &statements(text, Dialect::Postgres).0, n)
}

/// The segments of a script some of whose statements refuse a transaction, or that has blocks of its own.
pub(super) fn segmented<'a>(
    text: &'a str,
    statements: &[Statement<'_>],
    because: Vec<Reason>,
) -> Segmented<'a> {
    Segmented { segments: cut(text, statements, Neighbours::Together), because }
}

/// Every statement that refuses a transaction, and where it stands.
pub(super) fn refusing(statements: &[Statement<'_>]) -> Vec<Reason> {
    let reason = |statement: &Statement<'_>| {
        Some(Reason { span: statement.span(), what: refuses_transaction(statement)? })
    };
    statements.iter().filter_map(reason).collect()
}

/// The first statement that refuses a transaction and stands inside a block.
pub(super) fn inside_block(statements: &[Statement<'_>]) -> Option<Reason> {
    let mut at = 0;
    while at < statements.len() {
        let block = block(statements, at).unwrap_or(at..at);
        if let Some(reason) = refusing(&statements[block.clone()]).into_iter().next() {
            return Some(reason);
        }
        at = block.end.max(at + 1);
    }
    None
}

fn cut<'a>(text: &'a str, statements: &[Statement<'_>], neighbours: Neighbours) -> Vec<Segment<'a>> {
    let mut segments = Vec::new();
    let mut at = 0;
    while at < statements.len() {
        let segment = if let Some(block) = block(statements, at) {
            of_block(text, statements, block)
        } else if refuses_transaction(&statements[at]).is_some() {
            outside_of(text, statements, at)
        } else {
            let most = if neighbours == Neighbours::Apart { 1 } else { statements.len() - at };
            together(text, statements, at..at + run(&statements[at..], most))
        };
        at = segment.statements.end;
        segments.push(segment);
    }
    segments
}

/// How many statements from here on can be one transaction that neither holds a block nor what refuses one.
fn run(statements: &[Statement<'_>], most: usize) -> usize {
    let other = |n: &usize| block(statements, *n).is_some() || refuses_transaction(&statements[*n]).is_some();
    (1..statements.len()).find(other).unwrap_or(statements.len()).min(most)
}

/// The block that begins with the `n`th statement, `BEGIN` and `COMMIT` included.
fn block(statements: &[Statement<'_>], n: usize) -> Option<Range<usize>> {
    let begins = matches!(control(&statements[n]), Some(Control::Begin));
    let end =
        statements[n..].iter().position(|statement| matches!(control(statement), Some(Control::Commit)));
    end.filter(|_| begins).map(|end| n..n + end + 1)
}

fn span(statements: &[Statement<'_>], of: &Range<usize>) -> Range<usize> {
    statements[of.start].span().start..statements[of.end - 1].span().end
}

fn together<'a>(text: &'a str, statements: &[Statement<'_>], of: Range<usize>) -> Segment<'a> {
    let span = span(statements, &of);
    Segment {
        body: text[span.clone()].into(),
        span,
        way: Way::Together,
        sets_transaction: sets_transaction(&statements[of.clone()]),
        statements: of,
    }
}

fn of_block<'a>(text: &'a str, statements: &[Statement<'_>], of: Range<usize>) -> Segment<'a> {
    let span = span(statements, &of);
    let inside = |n: usize| {
        let span_of = statements[n].span();
        span_of.start - span.start..span_of.end - span.start
    };
    let body = blanked(&text[span.clone()], &[inside(of.start), inside(of.end - 1)]);
    let sets_transaction = sets_transaction(&statements[of.clone()]);
    Segment { body, way: Way::Block, sets_transaction, statements: of, span }
}

fn outside_of<'a>(text: &'a str, statements: &[Statement<'_>], n: usize) -> Segment<'a> {
    let span = statements[n].span();
    Segment {
        statements: n..n + 1,
        body: text[span.clone()].into(),
        span,
        way: Way::Outside(effect(&statements[n])),
        sets_transaction: false,
    }
}
