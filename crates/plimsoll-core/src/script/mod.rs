//! How a script can be run: as one transaction, in segments, or by its own means.

mod how;
mod lexer;
pub mod mysql;
pub mod postgres;
mod segment;
pub mod sqlite;
mod statement;
mod values;

use std::borrow::Cow;
use std::ops::Range;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::migration::Migration;
pub use how::{Because, How, Manner};
pub use segment::{Effect, Reindexed, Segment, Segmented, Thing, Way};
use statement::Statement;

/// How a script has to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// Script and history row can be one transaction.
    Atomic(Atomic<'a>),
    /// It cannot be one transaction, but it can be cut: it is run part by part, and each part is recorded.
    Segmented(Segmented<'a>),
    /// It begins and ends transactions by itself in a way that cannot be cut for sure: it is sent as it is.
    SelfManaged {
        /// The first statement that says so.
        because: Reason,
    },
    /// It cannot be run.
    Refused(Refusal),
}

/// A fact about a script that decides how it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The statement that it is about, as bytes of the script.
    pub span: Range<usize>,
    /// The fact, in the words of SQL where there are some: `CREATE INDEX CONCURRENTLY`.
    pub what: &'static str,
}

/// A script that can be one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atomic<'a> {
    /// What to send between `BEGIN` and `COMMIT`: the script, with a `BEGIN` and `COMMIT` of its own blanked out. Offsets
    /// are those of the script.
    pub body: Cow<'a, str>,
    /// Something in the script does not end (a quote, a comment): it must not share a message with anything else.
    pub unterminated: Option<Range<usize>>,
    /// The script had several transactions of its own that were made one. If the database refuses that, it can be
    /// sent as it is.
    pub merged: bool,
    /// It begins with `SET TRANSACTION`, which has to come before any query.
    pub sets_transaction: bool,
    /// How many statements there are.
    pub statements: usize,
}

/// Why a script cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// One of several statements refuses to run inside a transaction, and the script cannot be cut for sure: it controls
    /// transactions by other means than `BEGIN` and `COMMIT`, or its database cannot run parts of a script (SQLite).
    Mixed(Reason),
    /// A statement that refuses to run inside a transaction stands between `BEGIN` and `COMMIT`.
    InsideBlock(Reason),
    /// A quote or a comment does not end, so that it is not known where the script would have to be cut.
    Unterminated {
        /// From its start to the end of the script.
        span: Range<usize>,
    },
    /// It begins a transaction and does not end it.
    LeftOpen {
        /// The `BEGIN`.
        span: Range<usize>,
    },
    /// `COPY` from or to the client.
    NeedsClient {
        /// The statement.
        span: Range<usize>,
    },
    /// A command of `psql`, such as `\i` or `\connect`: the server does not know it.
    MetaCommand {
        /// From the backslash to the end of the line.
        span: Range<usize>,
    },
}

impl Refusal {
    /// The error that people see.
    pub fn diagnostic(&self, migration: &Migration) -> Diagnostic {
        let (code, message, help) = self.words();
        let diagnostic = Diagnostic::new(code, format!("migration `{}` {message}", migration.name()))
            .help(format!("{help}; nothing of it was executed"));
        match migration.place(self.span()) {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        }
    }

    /// What is wrong with the migration, and what to do.
    fn words(&self) -> (Code, String, &'static str) {
        match self {
            Self::Mixed(Reason { what, .. }) => (
                Code::CannotBeAtomic,
                format!("has several statements, and `{what}` cannot run inside a transaction"),
                "put this statement alone into a migration of its own",
            ),
            Self::InsideBlock(Reason { what, .. }) => (
                Code::CannotBeAtomic,
                format!("has `{what}` between BEGIN and COMMIT, and it cannot run inside a transaction"),
                "move the statement behind the COMMIT: Plimsoll runs it there outside of any transaction",
            ),
            Self::Unterminated { .. } => (
                Code::MigrationFailed,
                "has a quote or a comment that does not end".to_owned(),
                "end it: a script that is run in parts must be cut at the right places",
            ),
            Self::LeftOpen { .. } => (
                Code::TransactionLeftOpen,
                "begins a transaction and does not end it".to_owned(),
                "add the missing COMMIT, or leave BEGIN out: Plimsoll makes a transaction of the script",
            ),
            Self::NeedsClient { .. } => (
                Code::NeedsClient,
                "copies data from or to the client, and there is none".to_owned(),
                "use INSERT statements, or COPY with a file on the server",
            ),
            Self::MetaCommand { .. } => (
                Code::MetaCommand,
                "has a command of psql, and the server knows none".to_owned(),
                "leave this line out, or write in SQL what it does",
            ),
        }
    }

    fn span(&self) -> Range<usize> {
        match self {
            Self::Mixed(Reason { span, .. })
            | Self::InsideBlock(Reason { span, .. })
            | Self::Unterminated { span }
            | Self::LeftOpen { span }
            | Self::NeedsClient { span }
            | Self::MetaCommand { span } => span.clone(),
        }
    }
}

/// A statement that controls transactions.
enum Control {
    /// `BEGIN` without modes.
    Begin,
    /// `COMMIT` without anything else.
    Commit,
    /// Anything else that does.
    Other,
}

/// What the transaction control of a script comes to.
enum Controlled {
    /// There is none.
    Not,
    /// Its blocks can be made one transaction by leaving these spans out.
    Blocks { blank: Vec<Range<usize>>, single: bool },
    /// Its last transaction does not end: what comes behind that `BEGIN` would never be committed.
    LeftOpen { span: Range<usize> },
    /// It has to be sent as it is.
    ByItself { because: Range<usize> },
}

/// Looks for `BEGIN` and `COMMIT` in pairs.
fn controlled(statements: &[Statement<'_>], control: fn(&Statement<'_>) -> Option<Control>) -> Controlled {
    let mut blank = Vec::new();
    let mut open = false;
    let mut last_is_commit = false;
    for statement in statements {
        let found = control(statement);
        last_is_commit = matches!(found, Some(Control::Commit));
        match found {
            None => continue,
            Some(Control::Begin) if !open => open = true,
            Some(Control::Commit) if open => open = false,
            Some(_) => return Controlled::ByItself { because: statement.span() },
        }
        blank.push(statement.span());
    }
    match blank.last().cloned() {
        None => Controlled::Not,
        Some(span) if open => Controlled::LeftOpen { span },
        Some(_) => Controlled::Blocks { single: blank.len() == 2 && last_is_commit, blank },
    }
}

/// The text with these spans replaced by blanks, so that offsets and lines stay.
fn blanked<'a>(text: &'a str, spans: &[Range<usize>]) -> Cow<'a, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        out.push_str(&text[at..span.start]);
        // Characters, not bytes, are what a server counts: a blank for each, and line feeds stay.
        out.extend(text[span.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        at = span.end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}
