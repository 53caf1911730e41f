//! What a statement does to the database and to its session.

use std::collections::BTreeSet;
use std::fmt;

/// What a statement does, as far as a run has to know that may be cut short at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It reads or changes rows and commits nothing by itself: if all its tables are transactional, it can share a
    /// transaction with the record that it was done.
    Data(Data),
    /// It changes the catalog and commits by itself.
    Definition(Definition),
    /// It changes the session, and has to be said again in another one.
    Setting,
    /// It does nothing but to leave something in the session for later statements (see `Statement::leaves`), or to take
    /// it away again.
    Carried,
    /// The same, but it commits what is open before it: it changes a temporary table without the word `TEMPORARY`
    /// (`ALTER TABLE`, `CREATE INDEX`, `TRUNCATE`, `DROP TABLE`).
    CarriedAlone,
    /// It controls transactions.
    Control(Control),
    /// It may have any effect on the server, but having run it twice is the same as once. It may commit by itself.
    Repeatable,
    /// Nobody can tell afterwards whether it took effect, and running it again may do harm. It may commit by itself.
    Opaque(Opaque),
}

/// A statement that reads or changes rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// Every word and name in it, in lower case and without quotes: the tables that it names are among them.
    pub names: BTreeSet<String>,
}

/// A statement that changes the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it does to its objects.
    pub verb: Verb,
    /// What it changes.
    pub objects: Objects,
    /// What keeps a look at the catalog from settling whether it took effect.
    pub caveats: Vec<Caveat>,
}

/// What a definition does to its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Makes it, or replaces what is there.
    Create,
    /// Changes it, or a part of it: an index is a part of its table.
    Alter,
    /// Deletes it.
    Drop,
    /// Gives it another name.
    Rename,
    /// Deletes all rows of a table, and leaves the table as it is (`TRUNCATE`).
    Empty,
}

/// The objects of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objects {
    /// These and no others, in the order of the statement; a new name is one of them.
    Named(Vec<Object>),
    /// They cannot be told from the text.
    Unknown,
}

/// Something in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// The database that the statement, or a `USE` before it, names. `None` is the one that was connected to.
    pub database: Option<String>,
    /// Its name without quotes, in the case in which it was written.
    pub name: String,
}

/// What an object of the catalog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A table with its columns, indexes and constraints.
    Table,
    /// A view.
    View,
    /// A stored procedure.
    Procedure,
    /// A stored function.
    Function,
    /// A trigger; it has the database of its table.
    Trigger,
    /// An event.
    Event,
    /// A sequence of MariaDB.
    Sequence,
    /// A database, in `name`.
    Database,
}

/// What keeps a look at the catalog from settling whether a definition took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// It has several objects, and a server may change some of them and not the others: MySQL 8.0 does all or nothing with
    /// tables of `InnoDB`, MariaDB takes them one after the other.
    Several,
    /// It fills the table that it makes. Before MySQL 8.0.21 the table can be there without its rows.
    Rows,
    /// It replaces a table or a sequence: MariaDB drops the old one first, and the new one begins anew.
    Replaces,
    /// It makes something anew that the catalog may show as it was: a column that it drops and adds, two that change their
    /// names and places, a sequence that it restarts.
    Remade,
    /// It makes an event that the server drops by itself when its time is over.
    Passes,
    /// It changes the partitions of a table. `MariaDB` adds some by itself, for the history of rows.
    Partitions,
    /// The new names were old ones of other objects: the catalog may look the same afterwards.
    Swaps,
}

/// What a statement does to transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// `BEGIN` or `START TRANSACTION`.
    Begin,
    /// `COMMIT` and nothing else.
    Commit,
    /// `ROLLBACK` and nothing else.
    Rollback,
    /// `SAVEPOINT`, `RELEASE SAVEPOINT` or `ROLLBACK TO`: it stays inside of the transaction.
    Savepoint,
    /// `SET autocommit` switches it off.
    AutocommitOff,
    /// `SET autocommit` switches it on, which commits what is open.
    AutocommitOn,
    /// `SET autocommit` together with other assignments: it could neither be sent nor left out.
    AutocommitAmongOthers,
    /// `SET` of session variables that calls a stored function: it has to be said again in another session, and what the
    /// function does to rows must not be done again.
    CallAmongSettings,
    /// `SET TRANSACTION`, for the next one only.
    Next,
    /// `COMMIT` or `ROLLBACK` with `CHAIN` or `RELEASE`, or `SET autocommit` to what cannot be told.
    Other,
    /// `XA`: its transactions outlive their session.
    Xa,
}

/// A statement of which nobody can tell afterwards whether it took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opaque {
    /// What it does, in the words of SQL.
    pub what: String,
    /// The objects that it names, if they can be told: the table of an `ALTER TABLE … TRUNCATE PARTITION`.
    pub objects: Vec<Object>,
    /// Every word and name in it, in lower case and without quotes.
    pub names: BTreeSet<String>,
}

/// Something that a statement leaves in its session for later ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A user variable, in lower case and without `@`.
    Variable(String),
    /// Any user variables: what a routine sets cannot be told from its call.
    AnyVariable,
    /// A temporary table, in lower case.
    TemporaryTable(String),
    /// A prepared statement, in lower case.
    Prepared(String),
    /// The tables that `LOCK TABLES` has locked.
    Locks,
    /// A table that `HANDLER` has opened, and where it stands in it.
    Handler(String),
    /// What `LAST_INSERT_ID()` says.
    LastInsertId,
    /// What `ROW_COUNT()`, `FOUND_ROWS()` and the diagnostics say about the statement before.
    Outcome,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the user variable `@{name}`"),
            Self::AnyVariable => f.write_str("user variables of a routine"),
            Self::TemporaryTable(name) => write!(f, "the temporary table `{name}`"),
            Self::Prepared(name) => write!(f, "the prepared statement `{name}`"),
            Self::Locks => f.write_str("the locks of `LOCK TABLES`"),
            Self::Handler(name) => write!(f, "the open handler `{name}`"),
            Self::LastInsertId => f.write_str("what `LAST_INSERT_ID()` says"),
            Self::Outcome => f.write_str("the outcome of the statement before"),
        }
    }
}
