//! What a statement means for how a script is carried out.

use std::collections::BTreeSet;

use plimsoll_core::script::mysql::{Control, Definition, Effect, Statement, Thing};

/// What has to be done about a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role<'a> {
    /// It reads or changes rows of what has these names.
    Rows(&'a BTreeSet<String>),
    /// It changes the catalog.
    Definition(&'a Definition),
    /// It changes settings of the session.
    Setting,
    /// It leaves something in the session that a transaction may do: a user variable, a temporary table.
    State,
    /// The same, but it ends a transaction, as a change of a temporary table does: rows before and behind it are recorded
    /// apart.
    StateAlone,
    /// It locks tables or gives them up, which ends a transaction.
    Locks,
    /// `SET TRANSACTION`, which has to be the last before a transaction.
    NextTransaction,
    /// It begins a transaction of the script's own.
    Begin,
    /// It ends one.
    Commit,
    /// It is part of one.
    Savepoint,
    /// From here on the script commits by itself.
    ManualCommit,
    /// From here on it does not any more.
    AutoCommit,
    /// Whatever it does, no record could be part of it.
    Unrecordable(&'static str),
    /// Running it twice is the same as once.
    Repeatable,
    /// It runs the prepared statement of this name.
    Execute(&'a str),
    /// Nobody can tell afterwards whether it took effect.
    Opaque(&'a str),
}

/// What has to be done about this statement.
pub(super) fn role<'a>(statement: &'a Statement<'_>) -> Role<'a> {
    let locks = |thing: &Thing| *thing == Thing::Locks;
    match &statement.effect {
        Effect::Data(data) => Role::Rows(&data.names),
        Effect::Definition(definition) => Role::Definition(definition),
        Effect::Setting => Role::Setting,
        Effect::Carried if statement.links.leaves.iter().chain(&statement.links.ends).any(locks) => {
            Role::Locks
        }
        Effect::Carried => executed(statement).map_or(Role::State, Role::Execute),
        Effect::CarriedAlone => executed(statement).map_or(Role::StateAlone, Role::Execute),
        Effect::Control(control) => of_control(*control),
        // Not even the history could be written behind it.
        Effect::Repeatable if statement.links.leaves.iter().any(locks) => {
            Role::Unrecordable("FLUSH … WITH READ LOCK")
        }
        Effect::Repeatable => Role::Repeatable,
        Effect::Opaque(opaque) => executed(statement).map_or(Role::Opaque(&opaque.what), Role::Execute),
    }
}

fn of_control(control: Control) -> Role<'static> {
    match control {
        Control::Begin => Role::Begin,
        Control::Commit => Role::Commit,
        Control::Rollback => Role::Unrecordable("ROLLBACK"),
        Control::Savepoint => Role::Savepoint,
        Control::AutocommitOff => Role::ManualCommit,
        Control::AutocommitOn => Role::AutoCommit,
        Control::AutocommitAmongOthers => Role::Unrecordable("SET autocommit = …, …"),
        Control::CallAmongSettings => Role::Unrecordable("SET of settings with a stored function"),
        Control::Next => Role::NextTransaction,
        Control::Other => Role::Unrecordable("COMMIT or ROLLBACK with CHAIN or RELEASE"),
        Control::Xa => Role::Unrecordable("XA"),
    }
}

/// The name of the prepared statement that this one runs.
fn executed<'a>(statement: &'a Statement<'_>) -> Option<&'a str> {
    let verb = statement.text.split_whitespace().next()?;
    statement.links.needs.iter().find_map(|thing| match thing {
        Thing::Prepared(name) if verb.eq_ignore_ascii_case("EXECUTE") => Some(name.as_str()),
        _ => None,
    })
}

impl Role<'_> {
    /// Whether nothing of the session is another one behind it.
    pub(super) fn leaves_session_alone(self) -> bool {
        !matches!(
            self,
            Self::Setting
                | Self::State
                | Self::StateAlone
                | Self::Locks
                | Self::NextTransaction
                | Self::Execute(_)
                | Self::Opaque(_)
        )
    }

    /// Whether it may have left something in the database once it has been run.
    pub(super) fn leaves_something(self) -> bool {
        matches!(
            self,
            Self::Rows(_) | Self::Definition(_) | Self::Repeatable | Self::Execute(_) | Self::Opaque(_)
        )
    }
}
