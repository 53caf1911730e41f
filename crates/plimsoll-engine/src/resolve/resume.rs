//! `resolve --resume`: a failed attempt of ours is carried on by the next run, where it failed.
//!
//! The statements that are done stay done and are not sent again, so the script must still begin with them. Behind them it may
//! have been corrected.

use plimsoll_core::history::{Attempt, Progress, Row, RowState, Snapshot};
use plimsoll_core::plan::{self, Compared, WayOn, statements_done};
use plimsoll_core::secret::mask;
use plimsoll_core::{Code, Diagnostic, Migration, Migrations, Script};

use crate::backend::Session;
use crate::error::{Error, Result};

/// Has the failed attempt at a migration carried on. One that is carried on already is left as it is: saying it twice is no
/// error.
pub(super) async fn resume<S: Session>(
    session: &mut S,
    migrations: &Migrations,
    migration: &Migration,
    snapshot: &Snapshot,
) -> Result<()> {
    let Ok(script) = migration.script() else { return Ok(()) };
    let row = unfinished(migration, snapshot).map_err(Error::never)?;
    let progress = row.progress().ok_or_else(|| Error::never(unrecorded(migration)))?;
    let compared = Compared::of(migrations, row);
    if row.is_resumable() && compared == Compared::Same {
        return Ok(());
    }
    if progress.attempt == Attempt::ByHand {
        return Err(Error::never(by_hand(migration)));
    }
    if compared != Compared::Same && progress.under_way.is_some() {
        return Err(Error::never(unsettled(migration, &progress)));
    }
    check_statements(session, migration, script, &progress).map_err(Error::never)?;
    // What a statement found before it tells what it did, or what it left: the next run asks that first.
    let progress = Progress { attempt: Attempt::Running, ..progress };
    session.mark_resumable(row, migration, &progress).await
}

/// The only attempt at a migration that has neither finished nor been given up.
fn unfinished<'a>(migration: &Migration, snapshot: &'a Snapshot) -> std::result::Result<&'a Row, Diagnostic> {
    let name = migration.name();
    let rows = || snapshot.history().rows().iter().filter(|row| row.migration_name == name);
    if rows().any(|row| row.state() == RowState::Applied) {
        return Err(super::already_applied(name));
    }
    if rows().next().is_none() {
        return Err(super::never_applied(name, "resumed"));
    }
    let mut open = rows().filter(|row| row.state() == RowState::Started);
    match (open.next(), open.next()) {
        (Some(row), None) => Ok(row),
        (None, _) => Err(super::not_failed(name, "resumed").help(
            "its attempts were rolled back and left nothing: `plimsoll deploy` applies it from its beginning",
        )),
        (Some(_), Some(_)) => {
            let message = format!(
                "migration `{name}` has several attempts that have not finished: which of them to carry on is not known"
            );
            Err(Diagnostic::new(Code::NotResumable, message).helps(WayOn::ByHand.on(name)))
        }
    }
}

/// The statements that are done must be the first ones of the script, letter by letter.
fn check_statements<S: Session>(
    session: &S,
    migration: &Migration,
    script: &Script,
    progress: &Progress,
) -> std::result::Result<(), Diagnostic> {
    let statements = session.statements(script);
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    if progress.done.begins(&statements) {
        return Ok(());
    }
    let (name, count) = (migration.name(), progress.done.count);
    let message = match statements.get(..count) {
        Some(begun) => format!(
            "migration `{name}` cannot be carried on: {}, and the script begins with other text now:\n{}",
            statements_done(count),
            listed(begun)
        ),
        None => format!(
            "migration `{name}` cannot be carried on: {}, and the script has only {} now",
            statements_done(count),
            statements.len()
        ),
    };
    let diagnostic = Diagnostic::new(Code::NotResumable, message)
        .help("give the statements that are done their text back, and correct only what is behind them");
    Err(diagnostic.helps(plan::by_hand(name)))
}

/// The first line of each statement. A password is masked before that, since what is cut off may be what tells it.
fn listed(statements: &[&str]) -> String {
    const MOST: usize = 100;
    let first = |statement: &&str| {
        let statement = mask(statement);
        let line = statement.trim_start().lines().next().unwrap_or_default();
        line.chars().take(MOST).collect::<String>()
    };
    let lines =
        statements.iter().enumerate().map(|(at, statement)| format!("  {}. {}", at + 1, first(statement)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Prisma leaves such rows, and so does a script of ours that manages transactions by itself.
fn unrecorded(migration: &Migration) -> Diagnostic {
    let name = migration.name();
    let message = format!(
        "migration `{name}` cannot be carried on: nothing is recorded of how far it got (Prisma records nothing, and a \
         script that manages transactions by itself cannot be followed)"
    );
    Diagnostic::new(Code::NotResumable, message).helps(WayOn::ByHand.on(name))
}

/// Whether the statement took effect can be asked of the database only with the text that was sent.
fn unsettled(migration: &Migration, progress: &Progress) -> Diagnostic {
    let name = migration.name();
    let message = format!(
        "migration `{name}` cannot be carried on with a changed script: its statement {} was under way when it stopped, and \
         what it did or left is not known",
        progress.done.count + 1
    );
    let diagnostic = Diagnostic::new(Code::NotResumable, message).help(
        "give the script back as it was: what that statement did is then found out before it is carried on",
    );
    diagnostic.helps(plan::by_hand(name))
}

/// It would run again what is done, or come to the same stop again.
fn by_hand(migration: &Migration) -> Diagnostic {
    let name = migration.name();
    let message =
        format!("migration `{name}` cannot be carried on: it stopped where only a person can go on");
    Diagnostic::new(Code::NotResumable, message)
        .help("`plimsoll status` shows why it stopped")
        .helps(WayOn::ByHand.on(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_cut_off_before_its_end_is_not_listed() {
        let statement =
            format!("{}CONNECTION 'postgresql://u:hunter2-and-a-long-one@host/db'", "x".repeat(70));
        assert!(!listed(&[&statement]).contains("hunter"), "{}", listed(&[&statement]));
        let apart = "CREATE ROLE bob PASSWORD $$hunter2\nand more$$";
        assert!(!listed(&[apart]).contains("hunter"), "{}", listed(&[apart]));
    }
}
