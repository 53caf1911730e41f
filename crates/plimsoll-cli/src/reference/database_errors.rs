//! `docs/database-errors.md`: every error of the servers' lists, and what is done about it.

use std::fmt::Write as _;

use plimsoll_core::Code;
use plimsoll_engine::classes::{Known, Server, Tried, Trouble};
use plimsoll_engine::{mysql, postgres, sqlite};

use super::classes::{explanation, name as name_of, word};
use crate::exit::Exit;

/// The whole document, but for the errors of MySQL and MariaDB that are the script's: `cargo xtask docs` adds them.
pub(super) fn document() -> String {
    let mut text = HEAD.to_owned();
    classes(&mut text);
    for (title, about, rows) in [
        ("PostgreSQL", ABOUT_POSTGRES, postgres::ERRORS),
        ("SQLite", ABOUT_SQLITE, sqlite::ERRORS),
        ("MySQL and MariaDB", ABOUT_MYSQL, mysql::ERRORS),
    ] {
        let _infallible = write!(text, "\n## {title}\n\n{about}\n");
        let mut rows: Vec<&Known> = rows.iter().collect();
        // To be looked up by a number; an SQLSTATE is none, and those are in their order already.
        rows.sort_by_key(|row| row.code.parse::<u32>().ok().filter(|_| title != "PostgreSQL"));
        table(&mut text, &rows);
        others(&mut text, &rows);
    }
    text
}

const HEAD: &str = "\
# Errors of the databases

Made from the code by `cargo xtask docs`: change `errors.rs` in `crates/plimsoll-engine/src/postgres`, `mysql` or `sqlite`. Plimsoll
decides by the same tables, and tests compare them with the lists of the servers.

The table of classes says what is done, and with which code and exit code a run ends: at once, or when its patience is over.
*Never* means: not in this run. What each code means is in [errors.md](errors.md), what Kubernetes does with the exit codes in
[exit-codes.md](exit-codes.md).

Tests have real PostgreSQL, MySQL and MariaDB servers raise, in a script, every error that is not the script's in a session, and
compare how the run ends. *Met* is what a test has brought about by its cause.

";

const ABOUT_POSTGRES: &str = "\
By SQLSTATE, of versions 13 to 18. A code that is not in the table is what the line of its first two characters says, or else the
script's. Whatever ends a session (`FATAL`, `PANIC`) is a lost connection, whichever code it has. 55006 is the script's where its own
session still uses the table (deferred constraints to be checked, an open cursor): that does not pass.";

const ABOUT_SQLITE: &str = "\
By extended result code. One that is not in the table is what its result code (its lowest eight bits) is. It makes no
difference whether the file is being opened.";

const ABOUT_MYSQL: &str = "\
By number, of MySQL 8.0 and MariaDB 10.11. From 1880 on one number can be two errors: Plimsoll knows which server it speaks to.
What words are named for is only that if they are in the message, and the script's otherwise.";

fn classes(text: &mut String) {
    text.push_str("| class | in a word | the run ends with | by a statement of a script | what is done |\n|---|---|---|---|---|\n");
    for class in Trouble::ALL {
        let _infallible = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            name_of(class),
            word(class),
            ending(class.code()),
            ending(class.code_of_script()),
            explanation(class)
        );
    }
}

fn ending(code: Code) -> String {
    format!("[{code}](errors.md), {}", Exit::Class(code.class()).code())
}

/// The errors about which there is something to say.
fn table(text: &mut String, rows: &[&Known]) {
    text.push_str("\n| code | name | while connecting | in a session | met |\n|---|---|---|---|---|\n");
    for row in rows.iter().filter(|row| !is_plain(row)) {
        let tried = if row.tried == Tried::Yes { "yes" } else { "" };
        let _infallible = writeln!(
            text,
            "| {} | {} | {} | {} | {tried} |",
            row.code,
            name(row),
            name_of(row.connecting),
            name_of(row.session)
        );
    }
}

fn name(row: &Known) -> String {
    let server = match row.server {
        Server::Any => "",
        Server::Mysql => ", MySQL",
        Server::Mariadb => ", MariaDB",
    };
    let saying = row.saying.map(|words| format!(", saying “{words}”")).unwrap_or_default();
    format!("`{}`{server}{saying}", row.name)
}

/// Whether a line would say no more than that it is the script's.
fn is_plain(row: &Known) -> bool {
    row.session == Trouble::Script
        && matches!(row.connecting, Trouble::Refused | Trouble::Script)
        && row.tried == Tried::No
}

fn others(text: &mut String, rows: &[&Known]) {
    let names: Vec<_> =
        rows.iter().filter(|row| is_plain(row)).map(|row| format!("{} {}", row.code, name(row))).collect();
    let _infallible = write!(text, "\nThe script's, and refused while connecting: {}.\n", names.join(", "));
}
