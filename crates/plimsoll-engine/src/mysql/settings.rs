//! What a script may change of its session, put back behind it: it must not leak into the next one.
//!
//! The protocol has a message that resets a session. It frees the migration lock too, so the variables are remembered and
//! compared instead.

use std::collections::BTreeMap;

use plimsoll_core::script::mysql::{Flavour, Server};

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
        // Under the script's own settings neither could all variables be seen nor every name be understood.
        session.execute(&neutral(session)).await?;
        let database = sql::name(&session.database);
        session.execute(&format!("UNLOCK TABLES;USE {database}")).await?;
        set_clock_right(session, Touched::Yes).await;
        // To set one may change another: `max_join_size` and `sql_big_selects`.
        for _round in 0..2 {
            let now = Self::remember(session).await?;
            for (name, before) in self.0.iter().filter(|(name, before)| now.0.get(*name) != Some(*before)) {
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

/// The settings under which everything of our own is done, whatever a script has set: they decide how definitions are
/// written out and names are read, how many rows a query answers, which changes are refused, and for how long one may take.
const NEUTRAL: [(&str, &str); 8] = [
    ("sql_mode", "''"),
    ("character_set_client", "'utf8mb4'"),
    ("character_set_results", "'utf8mb4'"),
    ("collation_connection", "'utf8mb4_general_ci'"),
    ("sql_select_limit", "18446744073709551615"),
    ("sql_quote_show_create", "1"),
    ("sql_safe_updates", "0"),
    ("sql_big_selects", "1"),
];

/// Those that have not the same name everywhere.
fn named_by(server: Server) -> [(&'static str, &'static str); 2] {
    match server.flavour {
        Flavour::Mysql => [("max_execution_time", "0"), ("transaction_read_only", "0")],
        Flavour::Mariadb => [("max_statement_time", "0"), ("tx_read_only", "0")],
    }
}

/// The assignments of a neutral session, each to what this makes of its name and value.
fn assignments(session: &MysqlSession, to: impl Fn(&str, &str) -> String) -> String {
    let variables = NEUTRAL.into_iter().chain(named_by(session.server()));
    variables.map(|(name, value)| to(name, value)).collect::<Vec<_>>().join(", ")
}

/// The time zone is set behind the rest, which decides how its name is read. Defaults of `TIMESTAMP` columns are shown in it.
fn neutral(session: &MysqlSession) -> String {
    let settings = assignments(session, |name, value| format!("{name} = {value}"));
    format!("SET SESSION {settings};SET SESSION time_zone = '+00:00'")
}

/// A session with the same settings for everything of our own; those of the script come back behind it.
pub(super) struct Neutral {
    touched: Touched,
}

impl Neutral {
    /// Sets them, if the script may have set others.
    pub(super) async fn begin(session: &mut MysqlSession, touched: Touched) -> Result<Self> {
        if touched == Touched::Yes {
            let keep = assignments(session, |name, _| format!("@plimsoll_{name} = @@SESSION.{name}"));
            let zone = "@plimsoll_time_zone = @@SESSION.time_zone";
            session.execute(&format!("SET {zone}, {keep};{}", neutral(session))).await?;
        }
        Ok(Self { touched })
    }

    /// Puts back those of the script.
    pub(super) async fn end(self, session: &mut MysqlSession) -> Result<()> {
        let back = |name: &str, _: &str| format!("{name} = @plimsoll_{name}");
        match self.touched {
            Touched::No => Ok(()),
            Touched::Yes => {
                let settings = assignments(session, back);
                let zone = back("time_zone", "");
                session.execute(&format!("SET SESSION {zone}, {settings}")).await.map(drop)
            }
        }
    }
}

/// Sets the session's clock right, which a script may have set to another time. Nothing of it may follow.
pub(super) async fn set_clock_right(session: &mut MysqlSession, touched: Touched) {
    if touched == Touched::Yes {
        // A server that refuses it has refused it to the script as well. (MariaDB 10.11 with `secure_timestamp` takes `DEFAULT`.)
        let _refused = session.execute("SET timestamp = DEFAULT").await;
    }
}

/// Does something of our own in the middle of a script.
pub(super) async fn neutrally<T>(
    session: &mut MysqlSession,
    work: impl AsyncFnOnce(&mut MysqlSession) -> Result<T>,
) -> Result<T> {
    let neutral = Neutral::begin(session, session.script.touched).await?;
    let result = work(session).await;
    let ended = neutral.end(session).await;
    result.and_then(|value| ended.map(|()| value))
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
