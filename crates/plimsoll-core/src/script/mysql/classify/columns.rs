//! Columns that an `ALTER TABLE` takes away and makes again under the same names: the definition may be the same as before
//! (the last column dropped and added, two that change places), and their values are not.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::lexer::Kind;
use super::super::phrase::Phrase;

/// Words behind `ADD` and `DROP` that say that something other than a column follows. They cannot be names without quotes.
const NO_COLUMN: [&str; 10] = [
    "index",
    "key",
    "unique",
    "fulltext",
    "spatial",
    "primary",
    "foreign",
    "constraint",
    "check",
    "partition",
];

/// The names of columns, in lower case, as a statement has them come and go.
#[derive(Default)]
struct Columns {
    gone: BTreeSet<String>,
    made: BTreeSet<String>,
    /// What becomes of their values.
    values: Values,
}

/// What becomes of the values of columns.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Values {
    /// They go with the name, and the order of the columns shows which.
    #[default]
    InOrder,
    /// They are lost, or the columns are put into another order.
    Moved,
}

/// Whether the names of the columns may be the same behind an `ALTER TABLE`, and their values others. What it does to its
/// table begins at `from`.
pub(super) fn are_made_again(phrase: &Phrase<'_>, from: usize) -> bool {
    let mut columns = Columns::default();
    for action in actions(phrase, from..phrase.len()) {
        columns.take(phrase, &action);
    }
    !columns.gone.is_empty() && columns.gone == columns.made && columns.values == Values::Moved
}

/// What stands between the commas that are in no parentheses.
fn actions(phrase: &Phrase<'_>, tokens: Range<usize>) -> Vec<Range<usize>> {
    let (mut depth, mut start, mut found) = (0_usize, tokens.start, Vec::new());
    for n in tokens.clone() {
        match phrase.kind(n) {
            Some(Kind::Open) => depth += 1,
            Some(Kind::Close) => depth = depth.saturating_sub(1),
            _ if depth == 0 && phrase.text(n) == "," => {
                found.push(start..n);
                start = n + 1;
            }
            _ => {}
        }
    }
    found.push(start..tokens.end);
    found
}

impl Columns {
    fn take(&mut self, phrase: &Phrase<'_>, action: &Range<usize>) {
        let verb = phrase.word(action.start);
        let at = first_name(phrase, action.start + 1);
        if action.clone().any(|n| matches!(phrase.word(n).as_str(), "first" | "after")) {
            self.values = Values::Moved;
        }
        match verb.as_str() {
            "add" if phrase.kind(at) == Some(Kind::Open) => {
                self.values = Values::Moved;
                let listed = actions(phrase, at + 1..action.end);
                self.made.extend(listed.into_iter().filter_map(|column| name(phrase, column.start)));
            }
            "add" | "drop" if is_column(phrase, at) => {
                self.values = Values::Moved;
                let names = if verb == "add" { &mut self.made } else { &mut self.gone };
                names.extend(name(phrase, at));
            }
            "change" => self.renamed(name(phrase, at), name(phrase, at + 1)),
            "rename" if phrase.word(action.start + 1) == "column" => {
                self.renamed(name(phrase, at), name(phrase, at + 2));
            }
            _ => {}
        }
    }

    fn renamed(&mut self, old: Option<String>, new: Option<String>) {
        if old != new {
            self.gone.extend(old);
            self.made.extend(new);
        }
    }
}

/// Where the name stands, behind `COLUMN` and `IF EXISTS`.
fn first_name(phrase: &Phrase<'_>, mut at: usize) -> usize {
    for words in [&["column"][..], &["if", "not", "exists"], &["if", "exists"]] {
        if phrase.words_at(at, words) {
            at += words.len();
        }
    }
    at
}

/// Names of columns are the same in every case.
fn name(phrase: &Phrase<'_>, at: usize) -> Option<String> {
    phrase.name(at).map(|name| name.to_lowercase())
}

fn is_column(phrase: &Phrase<'_>, at: usize) -> bool {
    let clause = [("period", "for"), ("system", "versioning"), ("vector", "index"), ("vector", "key")];
    !NO_COLUMN.contains(&phrase.word(at).as_str())
        && !clause.iter().any(|(first, second)| phrase.words_at(at, &[first, second]))
}
