//! What of a script is sent and recorded together.
//!
//! Consecutive statements that only read and change rows become one transaction with the record of them, together with the
//! user variables among them. A transaction of the script's own ends where the script ends it. Everything that commits by
//! itself is a unit of its own.

use std::ops::Range;

use plimsoll_core::script::mysql::{Control, Effect, Statement};
use plimsoll_core::{Code, Diagnostic, Migration};

use super::role::{Role, role};

/// A part of a script that is recorded as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Rows: one transaction, with its record in it.
    Rows(Range<usize>),
    /// A statement that changes nothing but the session: it needs no record, and is sent again on a resume.
    Session(usize),
    /// A statement that commits by itself, or may.
    Single(usize),
}

impl Unit {
    /// Its statements.
    pub(super) fn statements(&self) -> Range<usize> {
        match self {
            Self::Rows(range) => range.clone(),
            Self::Session(at) | Self::Single(at) => *at..*at + 1,
        }
    }
}

/// Cuts a script into units, from this statement on. Transaction control is part of none: the record takes its place.
///
/// Fails where the script controls its transactions in a way that cannot be recorded, or leaves one open.
pub(super) fn units(
    migration: &Migration,
    statements: &[Statement<'_>],
    from: usize,
) -> Result<Vec<Unit>, Diagnostic> {
    let mut cutter = Cutter { migration, units: Vec::new(), rows: None, block: None, locked: false };
    for (at, statement) in statements.iter().enumerate() {
        cutter.take(at, statement)?;
    }
    cutter.ended(statements)?;
    Ok(cutter.units.into_iter().filter_map(|unit| behind(unit, from)).collect())
}

/// What of a unit is left from this statement on.
fn behind(unit: Unit, from: usize) -> Option<Unit> {
    let range = unit.statements();
    match unit {
        _ if range.end <= from => None,
        Unit::Rows(range) if range.start < from => Some(Unit::Rows(from..range.end)),
        unit => Some(unit),
    }
}

struct Cutter<'a> {
    migration: &'a Migration,
    units: Vec<Unit>,
    /// Rows that have been begun.
    rows: Option<Range<usize>>,
    /// The statement that began a transaction of the script's own, until it ends.
    block: Option<(usize, Block)>,
    /// Whether the script has locked tables, which beginning a transaction gives up.
    locked: bool,
}

/// How a script keeps statements from committing by themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// `START TRANSACTION`: up to the next commit, whatever brings it.
    Once,
    /// `SET autocommit = 0`: until it is switched on again.
    Always,
}

impl Cutter<'_> {
    fn take(&mut self, at: usize, statement: &Statement<'_>) -> Result<(), Diagnostic> {
        match role(statement) {
            // Inside a transaction some settings are refused: they begin the next one, unless the script wants it so.
            Role::Setting if self.block.is_none() => {
                self.cut();
                self.units.push(Unit::Session(at));
            }
            Role::State if self.rows.is_none() && self.block.is_none() => self.units.push(Unit::Session(at)),
            Role::Rows(_) | Role::Setting | Role::State => self.add(at),
            Role::Savepoint if self.block.is_some() => self.add(at),
            // Outside of a transaction it does nothing.
            Role::Savepoint => {}
            Role::Begin => {
                self.control(Some((at, Block::Once)));
                self.units.extend(self.locked.then_some(Unit::Session(at)));
            }
            Role::ManualCommit => self.control(Some((at, Block::Always))),
            Role::AutoCommit => self.control(None),
            Role::Commit => self.commit(),
            Role::Unrecordable(what) => return Err(unrecordable(self.migration, statement, what)),
            Role::Locks | Role::NextTransaction => {
                // The server commits before such a statement.
                self.commit();
                self.locked |= role(statement) == Role::Locks;
                self.units.push(Unit::Session(at));
            }
            Role::StateAlone
            | Role::Definition(_)
            | Role::Repeatable
            | Role::Opaque(_)
            | Role::Execute(_) => {
                // The server commits before such a statement.
                self.commit();
                self.units.push(Unit::Single(at));
            }
        }
        Ok(())
    }

    fn add(&mut self, at: usize) {
        let start = self.rows.as_ref().map_or(at, |rows| rows.start);
        self.rows = Some(start..at + 1);
    }

    fn cut(&mut self) {
        self.units.extend(self.rows.take().map(Unit::Rows));
    }

    fn control(&mut self, block: Option<(usize, Block)>) {
        self.cut();
        self.block = block;
    }

    fn commit(&mut self) {
        self.cut();
        self.block = self.block.filter(|(_, block)| *block == Block::Always);
    }

    /// Rows behind the last commit of a transaction of the script's own would have been rolled back with its session.
    fn ended(&mut self, statements: &[Statement<'_>]) -> Result<(), Diagnostic> {
        let open = self.block.filter(|_| self.rows.is_some());
        self.cut();
        match open {
            Some((at, _)) => Err(left_open(self.migration, &statements[at])),
            None => Ok(()),
        }
    }
}

fn left_open(migration: &Migration, begin: &Statement<'_>) -> Diagnostic {
    let message = format!("migration `{}` begins a transaction and does not end it", migration.name());
    let diagnostic = Diagnostic::new(Code::TransactionLeftOpen, message).help(
        "add the missing COMMIT, or leave this statement out: Plimsoll makes transactions of the script; nothing of it was executed",
    );
    at(migration, begin, diagnostic)
}

fn unrecordable(migration: &Migration, statement: &Statement<'_>, what: &str) -> Diagnostic {
    let message = format!(
        "migration `{}` uses `{what}`, which no record of what is done can be part of",
        migration.name()
    );
    let help = match statement.effect {
        Effect::Control(Control::AutocommitAmongOthers) => {
            "write them as two statements: `SET autocommit = …` alone; nothing of it was executed"
        }
        Effect::Control(Control::CallAmongSettings) => {
            "write the call as a statement of its own (`SET @value = …`), and set the variables of the session behind it; nothing of it was executed"
        }
        _ => {
            "write the script so that it only does what is to stay (START TRANSACTION and COMMIT are fine); nothing of it was executed"
        }
    };
    let diagnostic = Diagnostic::new(Code::CannotBeAtomic, message).help(help);
    at(migration, statement, diagnostic)
}

fn at(migration: &Migration, statement: &Statement<'_>, diagnostic: Diagnostic) -> Diagnostic {
    match migration.place(statement.span.clone()) {
        Some(place) => diagnostic.at(place),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::Script;
    use plimsoll_core::script::mysql::{Server, split};

    use super::*;

    fn try_cut(text: &str) -> Result<Vec<Unit>, Diagnostic> {
        let migration = Migration::new("1", "m/1/migration.sql", Script::new(text));
        units(&migration, &split(text, &Server::parse("8.0.36", "")).unwrap(), 0)
    }

    fn cut(text: &str) -> Vec<Unit> {
        try_cut(text).unwrap()
    }

    #[test]
    fn autocommit_among_other_assignments_is_refused_and_alone_it_is_not() {
        let refused =
            try_cut("SET autocommit = 0, foreign_key_checks = 0; DELETE FROM t; COMMIT").unwrap_err();
        assert_eq!(refused.code, Code::CannotBeAtomic);
        assert!(refused.to_string().contains("SET autocommit"), "{refused}");
        let two = "SET autocommit = 0; SET foreign_key_checks = 0; DELETE FROM t; COMMIT; SET autocommit = 1";
        assert_eq!(cut(two), vec![Unit::Rows(1..3)]);
    }

    /// It would be said again in another session, and the function would change its rows once more.
    #[test]
    fn a_stored_function_among_settings_is_refused_and_the_servers_own_is_not() {
        for refused in ["SET @a = f(), foreign_key_checks = 0", "SET SESSION sql_mode = app.modes()"] {
            let refused = try_cut(&format!("CREATE TABLE t (n INT); {refused}; DELETE FROM t")).unwrap_err();
            assert!(refused.to_string().contains("stored function"), "{refused}");
        }
        let own = "SET SESSION sql_mode = sys.list_add(@@sql_mode, 'ANSI_QUOTES'), sql_mode = CONCAT(@@sql_mode, ',ANSI')";
        assert_eq!(cut(own), vec![Unit::Session(0)]);
    }

    #[test]
    fn a_temporary_table_that_is_changed_as_if_it_were_a_lasting_one_parts_the_rows() {
        for change in ["ALTER TABLE x ADD b INT", "CREATE INDEX i ON x (a)", "TRUNCATE x", "DROP TABLE x"] {
            let text = format!(
                "CREATE TEMPORARY TABLE x (a INT); INSERT INTO t VALUES (1); {change}; INSERT INTO t VALUES (2)"
            );
            let expected = vec![Unit::Session(0), Unit::Rows(1..2), Unit::Single(2), Unit::Rows(3..4)];
            assert_eq!(cut(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_temporary_table_that_is_dropped_as_one_stays_among_the_rows() {
        let text = "INSERT INTO t VALUES (1); DROP TEMPORARY TABLE IF EXISTS x; INSERT INTO t VALUES (2)";
        assert_eq!(cut(text), vec![Unit::Rows(0..3)]);
    }
    #[test]
    fn a_savepoint_is_part_of_its_transaction_and_is_nothing_outside_of_one() {
        let back =
            "START TRANSACTION; INSERT INTO t VALUES (1); SAVEPOINT a; DELETE FROM t; ROLLBACK TO a; COMMIT";
        assert_eq!(cut(back), vec![Unit::Rows(1..5)]);
        assert_eq!(cut("SAVEPOINT a; INSERT INTO t VALUES (1)"), vec![Unit::Rows(1..2)]);
    }

    #[test]
    fn rows_that_are_done_are_no_part_of_what_is_left() {
        let text = "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)";
        let migration = Migration::new("1", "m/1/migration.sql", Script::new(text));
        let statements = split(text, &Server::parse("8.0.36", "")).unwrap();
        for (from, expected) in [(0, vec![Unit::Rows(0..3)]), (1, vec![Unit::Rows(1..3)]), (3, vec![])] {
            assert_eq!(units(&migration, &statements, from).unwrap(), expected, "{from}");
        }
    }

    #[test]
    fn rows_behind_the_last_commit_of_a_transaction_are_refused() {
        for open in [
            "START TRANSACTION; DELETE FROM t",
            "SET autocommit = 0; DELETE FROM t",
            "SET autocommit = 0; DELETE FROM t; COMMIT; DELETE FROM t",
            "SET autocommit = 0; DELETE FROM t; CREATE TABLE u (n INT); DELETE FROM t",
        ] {
            assert_eq!(try_cut(open).unwrap_err().code, Code::TransactionLeftOpen, "{open}");
        }
        for ended in [
            "START TRANSACTION; DELETE FROM t; COMMIT; DELETE FROM t",
            "SET autocommit = 0; DELETE FROM t; COMMIT",
        ] {
            assert!(try_cut(ended).is_ok(), "{ended}");
        }
    }
}
