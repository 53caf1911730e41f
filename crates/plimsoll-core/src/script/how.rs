//! How a script would be run and why, in terms that every kind of database shares: what `plan` shows.

use std::ops::Range;

use super::mysql::{self, Effect, Server};
use super::{Reason, Shape, postgres, sqlite};
use crate::diagnostic::Diagnostic;
use crate::migration::Migration;
use crate::provider::Provider;

/// How a script would be run, and because of what.
#[derive(Clone, Debug)]
pub struct How {
    /// The way.
    pub manner: Manner,
    /// The statements that make it so, in their order; none for an ordinary script.
    pub because: Vec<Because>,
}

/// The ways to run a script.
#[derive(Clone, Debug)]
pub enum Manner {
    /// As one transaction with its history row.
    Transaction,
    /// The same, if all tables whose rows it changes have transactions; otherwise statement by statement.
    TransactionOfRows,
    /// In this many segments, each of which is recorded.
    Segments(usize),
    /// Statement by statement, this many of them, each of which is recorded.
    Statements(usize),
    /// As it is: it manages transactions by itself.
    SelfManaged,
    /// Not at all.
    Refused(Box<Diagnostic>),
}

/// A statement that decides how a script is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    /// Where it is in the script.
    pub span: Range<usize>,
    /// What it does, in the words of SQL.
    pub what: String,
}

impl From<&Reason> for Because {
    fn from(reason: &Reason) -> Self {
        Self { span: reason.span.clone(), what: reason.what.to_owned() }
    }
}

impl Manner {
    /// The word for it, for machines: it never changes.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Transaction | Self::TransactionOfRows => "atomic",
            Self::Segments(_) => "segmented",
            Self::Statements(_) => "statements",
            Self::SelfManaged => "self_managed",
            Self::Refused(_) => "refused",
        }
    }

    /// How many parts of it are recorded one by one.
    pub fn parts(&self) -> Option<usize> {
        match self {
            Self::Segments(parts) | Self::Statements(parts) => Some(*parts),
            Self::Transaction | Self::TransactionOfRows | Self::SelfManaged | Self::Refused(_) => None,
        }
    }
}

impl How {
    /// On PostgreSQL.
    pub fn on_postgres(migration: &Migration, text: &str) -> Self {
        Self::of(migration, postgres::shape(text))
    }

    /// On SQLite.
    pub fn on_sqlite(migration: &Migration, text: &str) -> Self {
        Self::of(migration, sqlite::shape(text).0)
    }

    /// On this MySQL or MariaDB.
    pub fn on_mysql(migration: &Migration, text: &str, server: &Server) -> Self {
        let statements = match mysql::split(text, server) {
            Ok(statements) => statements,
            Err(refusal) => return Self::refused(refusal.diagnostic(migration)),
        };
        let because: Vec<Because> =
            mysql::refusing_a_transaction(&statements).into_iter().map(because).collect();
        let changes_rows = statements.iter().any(|statement| matches!(statement.effect, Effect::Data(_)));
        let manner = match (because.is_empty(), changes_rows) {
            (false, _) => Manner::Statements(statements.len()),
            (true, true) => Manner::TransactionOfRows,
            (true, false) => Manner::Transaction,
        };
        Self { manner, because }
    }

    /// On a database of this kind that nobody has looked at: of a MySQL server its usual settings are assumed.
    pub fn unseen(provider: Provider, migration: &Migration, text: &str) -> Self {
        match provider {
            Provider::Sqlite => Self::on_sqlite(migration, text),
            Provider::Mysql => Self::on_mysql(migration, text, &Server::parse("8.0.0", "")),
            _ => Self::on_postgres(migration, text),
        }
    }

    /// Not at all, for this reason.
    pub fn refused(why: Diagnostic) -> Self {
        Self::plain(Manner::Refused(Box::new(why)))
    }

    fn of(migration: &Migration, shape: Shape<'_>) -> Self {
        match shape {
            Shape::Atomic(_) => Self::plain(Manner::Transaction),
            Shape::Segmented(segmented) => Self {
                manner: Manner::Segments(segmented.segments.len()),
                because: segmented.because.iter().map(Because::from).collect(),
            },
            Shape::SelfManaged { because } => {
                Self { manner: Manner::SelfManaged, because: vec![Because::from(&because)] }
            }
            Shape::Refused(refusal) => Self::refused(refusal.diagnostic(migration)),
        }
    }

    fn plain(manner: Manner) -> Self {
        Self { manner, because: Vec::new() }
    }
}

/// A statement that cannot share a transaction with its record, in the words that it begins with.
fn because(statement: &mysql::Statement<'_>) -> Because {
    let what = match &statement.effect {
        Effect::Opaque(opaque) => opaque.what.clone(),
        _ => first_words(statement.text),
    };
    Because { span: statement.span.clone(), what }
}

/// `CREATE TABLE`, whatever is between the words.
fn first_words(text: &str) -> String {
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_alphabetic());
    let words: Vec<String> =
        text.split_whitespace().take_while(is_word).take(2).map(str::to_ascii_uppercase).collect();
    if words.is_empty() { "a definition".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::Script;

    fn migration(text: &str) -> Migration {
        Migration::new("1", "m/1/migration.sql", Script::new(text))
    }

    fn told(how: &How, text: &str) -> (&'static str, Option<usize>, Vec<String>) {
        let because =
            how.because.iter().map(|because| format!("{}: {}", because.what, &text[because.span.clone()]));
        (how.manner.word(), how.manner.parts(), because.collect())
    }

    #[test]
    fn what_refuses_a_transaction_cuts_a_script_into_segments() {
        for (text, expected) in [
            ("SELECT 1; SELECT 2;", ("atomic", None, vec![])),
            ("VACUUM a", ("segmented", Some(1), vec!["VACUUM: VACUUM a"])),
            (
                "SELECT 1;\nCREATE INDEX CONCURRENTLY i ON a (b);\nSELECT 2; SELECT 3;",
                (
                    "segmented",
                    Some(3),
                    vec!["CREATE INDEX CONCURRENTLY: CREATE INDEX CONCURRENTLY i ON a (b);"],
                ),
            ),
            ("SELECT 1; ROLLBACK;", ("self_managed", None, vec!["transaction control: ROLLBACK;"])),
            ("BEGIN; SELECT 1;", ("refused", None, vec![])),
        ] {
            let (word, parts, because) = told(&How::on_postgres(&migration(text), text), text);
            let because: Vec<&str> = because.iter().map(String::as_str).collect();
            assert_eq!((word, parts, because), expected, "{text}");
        }
    }

    #[test]
    fn a_definition_makes_mysql_commit_statement_by_statement() {
        let server = Server::parse("8.0.36", "");
        for (text, expected) in [
            ("", ("atomic", None, vec![])),
            ("SET @a = 1;", ("atomic", None, vec![])),
            ("INSERT INTO a VALUES (1); UPDATE a SET b = 1;", ("atomic", None, vec![])),
            (
                "INSERT INTO a VALUES (1);\nalter  table a ADD b INT;",
                ("statements", Some(2), vec!["ALTER TABLE: alter  table a ADD b INT".to_owned()]),
            ),
            (
                "INSERT INTO a VALUES (1);\nSET sql_log_bin = 0;\nINSERT INTO a VALUES (2);",
                ("statements", Some(3), vec!["SET: SET sql_log_bin = 0".to_owned()]),
            ),
            ("SET sql_log_bin = 0; INSERT INTO a VALUES (2);", ("atomic", None, vec![])),
            ("DELETE FROM a; SET foreign_key_checks = 1; DELETE FROM b;", ("atomic", None, vec![])),
            (
                "LOCK TABLES a WRITE;",
                ("statements", Some(1), vec!["LOCK TABLES: LOCK TABLES a WRITE".to_owned()]),
            ),
            (
                "SET autocommit = 1; DELETE FROM a;",
                ("statements", Some(2), vec!["SET AUTOCOMMIT: SET autocommit = 1".to_owned()]),
            ),
        ] {
            assert_eq!(told(&How::on_mysql(&migration(text), text, &server), text), expected, "{text}");
        }
    }
}
