//! What a script may change of its session, put back behind it: it must not leak into the next one.
//!
//! The protocol has a message that resets a session. It frees the migration lock too, so the variables are remembered and
//! compared instead.

mod acting;
mod neutral;
mod own;

use std::collections::BTreeMap;

use super::{MysqlSession, sql};
use crate::error::Result;

pub(super) use neutral::{always_neutrally, neutrally};
pub(super) use own::{Own, Standing};

/// What a session was before a script.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    variables: BTreeMap<String, String>,
    /// The role in which it acted, as `SET ROLE` takes it.
    role: String,
}

/// Variables that move by themselves, or that describe a statement and not the session.
const NOT_SETTINGS: [&str; 16] = [
    "error_count",
    "external_user",
    "gtid_current_pos",
    "gtid_binlog_pos",
    "gtid_executed",
    "identity",
    "in_transaction",
    "insert_id",
    "last_gtid",
    "last_insert_id",
    "proxy_user",
    "pseudo_thread_id",
    "rand_seed1",
    "rand_seed2",
    "timestamp",
    "warning_count",
];

impl Settings {
    /// Remembers it all.
    pub(super) async fn remember(session: &mut MysqlSession) -> Result<Self> {
        let role = acting::role(session).await?;
        Ok(Self { variables: variables(session).await?, role })
    }

    /// Puts back what a script has changed, its role, and the database of the URL; ends what else it may have left open. Server-wide
    /// variables that a script has set stay, as it wanted.
    pub(super) async fn restore(self, session: &mut MysqlSession) -> Result<()> {
        // Under the script's own settings neither could all variables be seen nor every name be understood.
        session.execute(&neutral::settings(session)).await?;
        let database = sql::name(&session.database);
        session.execute(&format!("UNLOCK TABLES;USE {database}")).await?;
        if acting::role(session).await? != self.role {
            acting::act_as(session, &self.role).await?;
        }
        set_clock_right(session, Touched::Yes).await;
        // To set one may change another: `max_join_size` and `sql_big_selects`.
        for _round in 0..2 {
            let now = variables(session).await?;
            for (name, before) in
                self.variables.iter().filter(|(name, before)| now.get(*name) != Some(*before))
            {
                // A server-wide variable, or one that only the server changes, cannot be put back, and need not be.
                let _server_wide = session.execute(&assignment(name, before)).await;
            }
        }
        Ok(())
    }
}

async fn variables(session: &mut MysqlSession) -> Result<BTreeMap<String, String>> {
    let rows = session.rows("SHOW SESSION VARIABLES").await?;
    let variable = |row: Vec<Option<String>>| {
        let mut row = row.into_iter();
        Some((row.next()??, row.next()?.unwrap_or_default()))
    };
    let ours = |(name, _): &(String, String)| !NOT_SETTINGS.contains(&name.as_str());
    Ok(rows.into_iter().filter_map(variable).filter(ours).collect())
}

/// Numbers are not taken as texts, nor texts as numbers.
fn assignment(name: &str, value: &str) -> String {
    let number = !value.is_empty() && value.parse::<f64>().is_ok();
    let value = if number { value.to_owned() } else { sql::text(value) };
    format!("SET SESSION `{name}` = {value}")
}

/// Sets the session's clock right, which a script may have set to another time. Nothing of it may follow.
pub(super) async fn set_clock_right(session: &mut MysqlSession, touched: Touched) {
    if touched == Touched::Yes {
        // A server that refuses it has refused it to the script as well. (MariaDB 10.11 with `secure_timestamp` takes `DEFAULT`.)
        let _refused = session.execute("SET timestamp = DEFAULT").await;
    }
}

/// Whether a script may have changed settings of its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Touched {
    /// It holds no statement that could.
    #[default]
    No,
    /// It may have.
    Yes,
}
