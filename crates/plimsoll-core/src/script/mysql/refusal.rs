//! Why a script cannot be sent.

use std::ops::Range;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::migration::Migration;

/// Why a script cannot be read, or needs more than a server. Nothing of it has been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A command of the `mysql` client.
    ClientCommand {
        /// Where it is.
        span: Range<usize>,
        /// The command as written.
        command: String,
    },
    /// `LOAD DATA LOCAL`: the client would have to send the file.
    FileOfTheClient {
        /// The statement.
        span: Range<usize>,
    },
    /// A quote or a comment that does not end.
    Unterminated {
        /// From where it begins to the end of the text.
        span: Range<usize>,
    },
    /// A statement ends inside of a version comment, whose end no server would understand then.
    EndsInComment {
        /// The semicolon.
        span: Range<usize>,
    },
}

impl Refusal {
    /// The error that people see.
    pub fn diagnostic(&self, migration: &Migration) -> Diagnostic {
        let name = migration.name();
        let (diagnostic, span) = match self {
            Self::ClientCommand { span, command } => (
                Diagnostic::new(
                    Code::NeedsClient,
                    format!("migration `{name}` has `{command}`, a command of the mysql client that no server understands"),
                )
                .help(if command.eq_ignore_ascii_case("delimiter") {
                    "give it a delimiter (`DELIMITER //`), or leave such lines out: a body of a routine needs none; nothing of it was executed"
                } else {
                    "leave it out, or write what it stands for as SQL; nothing of it was executed"
                }),
                span,
            ),
            Self::FileOfTheClient { span } => (
                Diagnostic::new(
                    Code::NeedsClient,
                    format!("migration `{name}` loads a file of the client, and there is none"),
                )
                .help("use INSERT statements, or LOAD DATA with a file on the server; nothing of it was executed"),
                span,
            ),
            Self::Unterminated { span } => (
                Diagnostic::new(
                    Code::ScriptUnreadable,
                    format!("migration `{name}` has a quote or a comment that does not end"),
                )
                .help("end it where it should end; nothing of the script was executed"),
                span,
            ),
            Self::EndsInComment { span } => (
                Diagnostic::new(
                    Code::ScriptUnreadable,
                    format!("a statement of migration `{name}` ends inside of a version comment"),
                )
                .help("put the semicolon behind the `*/`, and each statement into a comment of its own; nothing of the script was executed"),
                span,
            ),
        };
        match migration.place(span.clone()) {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        }
    }
}
