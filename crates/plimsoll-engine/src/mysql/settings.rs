//! What a script may change of its session, put back behind it: it must not leak into the next one.
//!
//! The protocol has a message that resets a session. It frees the migration lock too, so the variables are remembered and
//! compared instead.

use std::collections::BTreeMap;

use super::{MysqlSession, sql};
use crate::error::Result;

/// The session's variables before a script.
#[derive(Clone, Debug)]
pub(super) struct Settings(BTreeMap<String, String>);

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
    /// Remembers them all.
    pub(super) async fn remember(session: &mut MysqlSession) -> Result<Self> {
        let rows = session.rows("SHOW SESSION VARIABLES").await?;
        let variable = |row: Vec<Option<String>>| {
            let mut row = row.into_iter();
            Some((row.next()??, row.next()?.unwrap_or_default()))
        };
        let ours = |(name, _): &(String, String)| !NOT_SETTINGS.contains(&name.as_str());
        Ok(Self(rows.into_iter().filter_map(variable).filter(ours).collect()))
    }

    /// Puts back what a script has changed, and the database of the URL; ends what else it may have left open. Server-wide
    /// variables that a script has set stay, as it wanted.
    pub(super) async fn restore(self, session: &mut MysqlSession) -> Result<()> {
        let database = sql::name(&session.database);
        session.execute(&format!("UNLOCK TABLES;SET timestamp = DEFAULT;USE {database}")).await?;
        let now = Self::remember(session).await?;
        for (name, before) in &self.0 {
            if now.0.get(name).is_some_and(|now| now != before) {
                // A server-wide variable, or one that only the server changes, cannot be put back, and need not be.
                let _server_wide = session.execute(&assignment(name, before)).await;
            }
        }
        Ok(())
    }
}

/// Numbers are not taken as texts, nor texts as numbers.
fn assignment(name: &str, value: &str) -> String {
    let number = !value.is_empty() && value.parse::<f64>().is_ok();
    let value = if number { value.to_owned() } else { sql::text(value) };
    format!("SET SESSION `{name}` = {value}")
}

/// The same session settings for every look at the catalog, whatever the script has set: they decide how definitions are
/// written out.
pub(super) struct Neutral {
    touched: Touched,
}

impl Neutral {
    /// Sets them, if the script may have set others.
    pub(super) async fn begin(session: &mut MysqlSession, touched: Touched) -> Result<Self> {
        const BEGIN: &str = "SET @plimsoll_mode = @@SESSION.sql_mode, @plimsoll_results = @@SESSION.character_set_results, \
             @plimsoll_limit = @@SESSION.sql_select_limit, @plimsoll_quote = @@SESSION.sql_quote_show_create;\
             SET SESSION sql_mode = '', character_set_results = 'utf8mb4', sql_select_limit = DEFAULT, \
             sql_quote_show_create = 1";
        if touched == Touched::Yes {
            session.execute(BEGIN).await?;
        }
        Ok(Self { touched })
    }

    /// Puts back those of the script.
    pub(super) async fn end(self, session: &mut MysqlSession) -> Result<()> {
        const END: &str = "SET SESSION sql_mode = @plimsoll_mode, character_set_results = @plimsoll_results, \
             sql_select_limit = @plimsoll_limit, sql_quote_show_create = @plimsoll_quote";
        match self.touched {
            Touched::No => Ok(()),
            Touched::Yes => session.execute(END).await.map(drop),
        }
    }
}

/// Whether a script may have changed settings of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touched {
    /// It holds no statement that could.
    No,
    /// It may have.
    Yes,
}
