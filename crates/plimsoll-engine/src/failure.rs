//! What every backend says about a script that failed.

use plimsoll_core::{Code, Diagnostic, Migration};

use crate::error::{Error, Kind};

/// The next step after a script whose transaction was rolled back.
pub(crate) const UNTOUCHED: &str = "nothing of it is in the database: correct the script and start again";

/// The script is through, and its history row is not what we have written.
pub(crate) fn changed_by_others(migration: &Migration) -> Error {
    let message = format!(
        "migration `{}` took effect, but somebody changed its history row meanwhile",
        migration.name()
    );
    Error::never(Diagnostic::new(Code::TransactionEnded, message).help("look at `_prisma_migrations`"))
}

/// The script began a transaction and did not end it.
pub(crate) fn left_open(migration: &Migration) -> Error {
    let message = format!(
        "migration `{}` began a transaction and did not end it: it was rolled back",
        migration.name()
    );
    let diagnostic = Diagnostic::new(Code::TransactionLeftOpen, message);
    Error::new(
        Kind::Script,
        diagnostic
            .help("add the missing COMMIT, or leave BEGIN out: Plimsoll makes a transaction of the script"),
    )
}
