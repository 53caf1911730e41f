//! What people are told of the classes of errors: their names, what is done about each, and why that is right.

use plimsoll_engine::Kind;
use plimsoll_engine::classes::Trouble;

/// Its name, as the tables of the documentation have it.
pub(super) fn name(class: Trouble) -> &'static str {
    match class {
        Trouble::NotYet => "not there yet",
        Trouble::Missing => "no such database",
        Trouble::Lost => "connection lost",
        Trouble::Unclear => "outcome unknown",
        Trouble::Again => "blocked",
        Trouble::Busy => "file locked",
        Trouble::Replica => "replica",
        Trouble::ReadOnly => "read-only",
        Trouble::NoRoom => "no room",
        Trouble::Cancelled => "cancelled",
        Trouble::Credentials => "credentials",
        Trouble::Denied => "rights",
        Trouble::Tls => "TLS",
        Trouble::Damaged => "damaged",
        Trouble::Unusable => "file unusable",
        Trouble::Refused => "refused",
        Trouble::Script => "script",
    }
}

/// What is done about it, in a word.
pub(super) fn word(class: Trouble) -> &'static str {
    match class.kind() {
        Kind::NotYet | Kind::Missing => "not yet",
        Kind::Lost | Kind::Again | Kind::Busy => "try again",
        _ if class == Trouble::Script => "the script's fault",
        _ => "never",
    }
}

/// What is done about it, and why that is right, for the documentation.
pub(super) fn explanation(class: Trouble) -> &'static str {
    match class {
        Trouble::NotYet => {
            "It passes: Plimsoll connects again until `--wait` is over. A session that meets it is given up, and made again."
        }
        Trouble::Missing => {
            "`deploy` creates it, unless it was there a moment ago. In a script it is the script's fault."
        }
        Trouble::Lost => {
            "What was under way may be committed or not. Plimsoll connects again, and the history tells by the row's id: it is not done twice. A migration that loses its connection twice ends the run."
        }
        Trouble::Unclear => "As with a lost connection: Plimsoll connects again, and looks into the history.",
        Trouble::Again => {
            "What was under way has been rolled back: it is sent again for as long as `--lock-wait`. On MySQL and MariaDB a definition that is not a transaction is looked for in the catalog first."
        }
        Trouble::Busy => "Waited for as for the migration lock, until `--lock-wait` is over.",
        Trouble::Replica => {
            "After a failover the address leads to another server, or this one becomes the primary: Plimsoll connects again until `--wait` is over."
        }
        Trouble::ReadOnly => {
            "Nothing says that it will pass: somebody has to give another address, or to change a setting."
        }
        Trouble::NoRoom => {
            "Somebody has to make room, or to raise a limit. The exit code asks for another start, since that is often under way."
        }
        Trouble::Cancelled => {
            "By a person or by a time limit, which would end the next try as well: it is not tried again. A script that is not one transaction, and was cancelled by a person, ends with PLM222 and 75 where its row is still that of an attempt under way: the next start carries on."
        }
        Trouble::Credentials => {
            "The same password is refused the next time as well, and accounts are locked for trying. A URL in a file (`--url-file`) is read again, and waited for."
        }
        Trouble::Denied => {
            "A person has to grant what is missing. What a script may not do is the script's fault."
        }
        Trouble::Tls => "The URL has to ask for it.",
        Trouble::Damaged => {
            "The server's own files are. No script is to blame, no retry helps, and more writes may do harm: look into the server's log."
        }
        Trouble::Unusable => "Look at the path, its owner and its mode.",
        Trouble::Refused => "A setting of the server's, or of the URL, has to change.",
        Trouble::Script => {
            "The script is rolled back as far as its database can do that, and the message names the place in it."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_engine::{mysql, postgres, sqlite};
    use std::collections::BTreeSet;

    #[test]
    fn every_class_is_listed_once() {
        let names: BTreeSet<&str> = Trouble::ALL.into_iter().map(name).collect();
        assert_eq!(names.len(), Trouble::ALL.len());
        for known in [postgres::ERRORS, sqlite::ERRORS, mysql::ERRORS].into_iter().flatten() {
            for class in [known.connecting, known.session] {
                assert!(Trouble::ALL.contains(&class), "{class:?} of {}", known.code);
            }
        }
    }
}
