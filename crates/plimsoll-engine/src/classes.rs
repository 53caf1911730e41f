//! What the run loop does about every error that a database can send, as tables: one line for each error of the servers' own
//! lists. The backends decide by them, and `docs/database-errors.md` is made from them.
//!
//! A retry is only right for what is known to have been rolled back; a class promises that for each of its errors. What is said
//! of the classes to people is not here, but where that document is made.

use plimsoll_core::{Code, Diagnostic};

use crate::error::Kind;

/// What kind of trouble an error is: its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server is starting, stopping, recovering or full, or not the primary of its cluster yet.
    NotYet,
    /// The database does not exist.
    Missing,
    /// The connection is gone.
    Lost,
    /// The server does not know itself what became of a transaction.
    Unclear,
    /// It was rolled back for a reason that passes: a deadlock, a lock timeout, a conflict with another transaction.
    Again,
    /// Another process keeps the database file locked.
    Busy,
    /// A replica, or a primary that is about to be one: after a failover the same address may lead elsewhere.
    Replica,
    /// Only reading is allowed, and nothing says that this will pass.
    ReadOnly,
    /// Disk, memory, or another limit of the server is used up.
    NoRoom,
    /// Somebody has cancelled the statement, or a time limit of the server's has.
    Cancelled,
    /// Whoever logs in is not who he says he is, or may not log in at the moment.
    Credentials,
    /// The rights are not enough.
    Denied,
    /// TLS is demanded, and was not asked for.
    Tls,
    /// The files of the database are damaged, or cannot be read and written.
    Damaged,
    /// The file cannot be opened, or is no database.
    Unusable,
    /// The server refuses the connection for a reason that stays.
    Refused,
    /// The statement is wrong for this database.
    Script,
}

impl Trouble {
    /// Every class, in the order of the documentation.
    pub const ALL: [Self; 17] = [
        Self::NotYet,
        Self::Missing,
        Self::Replica,
        Self::Lost,
        Self::Unclear,
        Self::Again,
        Self::Busy,
        Self::Cancelled,
        Self::NoRoom,
        Self::ReadOnly,
        Self::Credentials,
        Self::Denied,
        Self::Tls,
        Self::Damaged,
        Self::Unusable,
        Self::Refused,
        Self::Script,
    ];

    /// What the run loop does.
    pub fn kind(self) -> Kind {
        match self {
            Self::NotYet | Self::Replica => Kind::NotYet,
            Self::Missing => Kind::Missing,
            Self::Lost | Self::Unclear => Kind::Lost,
            Self::Again => Kind::Again,
            Self::Busy => Kind::Busy,
            Self::Cancelled => Kind::Cancelled,
            Self::ReadOnly
            | Self::NoRoom
            | Self::Credentials
            | Self::Denied
            | Self::Tls
            | Self::Damaged
            | Self::Unusable
            | Self::Refused
            | Self::Script => Kind::Never,
        }
    }

    /// The code of an error of Plimsoll's own statements, and so its exit code, once it ends a run.
    pub fn code(self) -> Code {
        match self {
            Self::NotYet => Code::Unreachable,
            Self::Missing => Code::DatabaseMissing,
            Self::Lost | Self::Unclear => Code::ConnectionLost,
            Self::Again => Code::MigrationBlocked,
            Self::Busy => Code::LockTimeout,
            Self::Replica | Self::ReadOnly => Code::ReadOnly,
            Self::NoRoom => Code::NoRoom,
            Self::Credentials => Code::AuthenticationFailed,
            Self::Denied => Code::AccessDenied,
            Self::Tls => Code::Tls,
            Self::Unusable => Code::FileUnusable,
            Self::Cancelled | Self::Damaged | Self::Refused | Self::Script => Code::Database,
        }
    }

    /// Whether an error of this class, met by a statement of a script, says something about the script.
    pub fn blames_script(self) -> bool {
        matches!(
            self,
            Self::Again
                | Self::Cancelled
                | Self::Credentials
                | Self::Denied
                | Self::Missing
                | Self::Refused
                | Self::Script
                | Self::Tls
        )
    }

    /// The code with which a script ends a run whose statement met an error of this class.
    pub fn code_of_script(self) -> Code {
        if self.blames_script() && self != Self::Again { Code::MigrationFailed } else { self.code() }
    }
}

/// Which servers have an error under its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Every one of the backend.
    Any,
    /// MySQL, not MariaDB.
    Mysql,
    /// MariaDB, not MySQL.
    Mariadb,
}

/// Whether a test has provoked an error with a real server, and compared how Plimsoll ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It has.
    Yes,
    /// It cannot be done at will, or not cheaply.
    No,
}

/// One error of a server's list, and its class.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The SQLSTATE, number or result code. One that ends in `***` stands for whatever else begins so.
    pub code: &'static str,
    /// The list's name for it.
    pub name: &'static str,
    /// What it is while connecting.
    pub connecting: Trouble,
    /// What it is in a session.
    pub session: Trouble,
    /// Words that the message has to contain; without them it is the script's fault.
    pub saying: Option<&'static str>,
    /// Who has it.
    pub server: Server,
    /// Whether a test has met it.
    pub tried: Tried,
}

/// An error: its code, its name, and what it is while connecting and in a session.
pub(crate) const fn row(
    code: &'static str,
    name: &'static str,
    connecting: Trouble,
    session: Trouble,
) -> Known {
    Known { code, name, connecting, session, saying: None, server: Server::Any, tried: Tried::No }
}

/// An error of what a statement says: nothing that a server refuses a connection with, as far as anybody knows.
pub(crate) const fn script(code: &'static str, name: &'static str) -> Known {
    row(code, name, Trouble::Refused, Trouble::Script)
}

impl Known {
    /// The same, if the message contains these words.
    pub(crate) const fn saying(self, words: &'static str) -> Self {
        Self { saying: Some(words), ..self }
    }

    /// The same, of MySQL alone.
    pub(crate) const fn of_mysql(self) -> Self {
        Self { server: Server::Mysql, ..self }
    }

    /// The same, of MariaDB alone.
    pub(crate) const fn of_mariadb(self) -> Self {
        Self { server: Server::Mariadb, ..self }
    }

    /// The same, met by a test.
    pub(crate) const fn tried(self) -> Self {
        Self { tried: Tried::Yes, ..self }
    }

    /// Whether a message has the words that this row asks for.
    pub(crate) fn fits(&self, message: &str) -> bool {
        self.saying.is_none_or(|words| message.contains(words))
    }
}

/// No script is to blame, and nothing is tried again.
pub(crate) fn damaged() -> Diagnostic {
    Diagnostic::new(
        Trouble::Damaged.code(),
        "the server cannot read or write its own files, or they are damaged",
    )
    .help("look into the server's log, and at its disk, before anything else is written")
}
