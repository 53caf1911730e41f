//! Plimsoll's splitter and PostgreSQL's own parser, side by side.
//!
//! The parser is that of PostgreSQL 18, as `libpg_query` brings it. Facts about it as an oracle:
//!
//! * it refuses a byte order mark, as the server does, while Plimsoll's splitter steps over one at the start;
//! * its other way to split, by scanning, is wrong for every `BEGIN ATOMIC` body and is not used here;
//! * it says nothing about a script that does not parse. Neither does the server run anything of one.

use std::ops::Range;
use std::sync::Mutex;

use plimsoll_core::script::postgres::statement_spans;

/// The parser redirects the stderr of the whole process while it works: one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Where the statements of a script are, without the semicolons that end them.
pub type Spans = Vec<Range<usize>>;

/// The statements as PostgreSQL sees them, from the first token of each to the last; nothing if the script is not SQL.
pub fn theirs(text: &str) -> Option<Spans> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let statements = pg_query::split_with_parser(text).ok()?;
    let tokens = tokens(text)?;
    let found = statements.iter().filter_map(|statement| {
        let start = statement.as_ptr() as usize - text.as_ptr() as usize;
        around(&tokens, &(start..start + statement.len()))
    });
    Some(found.collect())
}

/// The statements as Plimsoll sees them, in the same form; nothing if PostgreSQL's scanner cannot read the script.
pub fn ours(text: &str) -> Option<Spans> {
    let tokens = tokens(text)?;
    let without_semicolon = |span: Range<usize>| {
        let ends = text[span.clone()].ends_with(';');
        around(&tokens, &(span.start..span.end - usize::from(ends)))
    };
    Some(statement_spans(text).into_iter().filter_map(without_semicolon).collect())
}

/// Every token of PostgreSQL's scanner that is no comment.
fn tokens(text: &str) -> Option<Vec<Range<usize>>> {
    let comments = [pg_query::protobuf::Token::SqlComment as i32, pg_query::protobuf::Token::CComment as i32];
    let tokens = pg_query::scan(text).ok()?.tokens.into_iter();
    let tokens = tokens.filter(|token| !comments.contains(&token.token));
    tokens.map(|token| Some(usize::try_from(token.start).ok()?..usize::try_from(token.end).ok()?)).collect()
}

/// From the first token in a span to the last: what is blank around them does not count.
fn around(tokens: &[Range<usize>], span: &Range<usize>) -> Option<Range<usize>> {
    let mut inside = tokens.iter().filter(|token| token.start >= span.start && token.end <= span.end);
    let first = inside.next()?;
    Some(first.start..inside.next_back().unwrap_or(first).end)
}
