//! What has to be true of any text that others write: of its statements, whoever is going to run it, and of whatever else is read.

mod blank;
mod check;
pub mod histories;
pub mod manifests;
pub mod projects;
pub mod seeds;
pub mod urls;

use std::ops::Range;

use plimsoll_core::script::mysql::{Server, split, without_values};
use plimsoll_core::script::{postgres as for_postgres, sqlite as for_sqlite};

use blank::Dialect;

/// Versions as servers say them, each with an `sql_mode`: all that decides how a script is read.
const SERVERS: [(&str, &str, Dialect); 4] = [
    ("8.0.36", "", Dialect::Mysql { version: 80_036 }),
    ("8.0.36", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", Dialect::Mysql { version: 80_036 }),
    ("10.11.6-MariaDB", "", Dialect::Mariadb { version: 101_106 }),
    ("10.11.6-MariaDB", "ANSI", Dialect::Mariadb { version: 101_106 }),
];

/// What changes how the rest of the script is read: then a statement says another thing by itself.
const CHANGES_THE_REST: [&str; 2] = ["delimiter", "sql_mode"];

/// Panics unless a text is cut for PostgreSQL as it may be.
pub fn postgres(text: &str) {
    check::statements(
        text,
        &for_postgres::statement_spans(text),
        Dialect::Postgres,
        &[""],
        for_postgres::statement_spans,
    );
    let _ = for_postgres::shape(text);
    check::shown(text, for_postgres::without_values);
}

/// Panics unless a text is cut for SQLite as it may be.
pub fn sqlite(text: &str) {
    check::statements(
        text,
        &for_sqlite::statement_spans(text),
        Dialect::Sqlite,
        &[""],
        for_sqlite::statement_spans,
    );
    let _ = for_sqlite::shape(text);
}

/// Panics unless a text is cut for MySQL and for MariaDB as it may be, under each of the settings.
pub fn mysql(text: &str) {
    let lower = text.to_ascii_lowercase();
    for (version, sql_mode, dialect) in SERVERS {
        let server = Server::parse(version, sql_mode);
        check::shown(text, |text| without_values(text, &server));
        let Some(found) = mysql_spans(text, server) else { continue };
        if CHANGES_THE_REST.iter().any(|word| lower.contains(word)) {
            check::order(text, &found);
        } else {
            // At the very end of a text `--` is a comment, before anything else it is two signs; in a body that does
            // not end, a semicolon is a part of it.
            check::statements(text, &found, dialect, &[";", "", "--"], |text| {
                mysql_spans(text, server).unwrap_or_default()
            });
        }
    }
}

fn mysql_spans(text: &str, server: Server) -> Option<Vec<Range<usize>>> {
    Some(split(text, &server).ok()?.into_iter().map(|statement| statement.span).collect())
}
