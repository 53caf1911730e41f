//! One and the same session for everything of our own, whatever the script, or its server, has set.

use plimsoll_core::script::mysql::{Flavour, Server};

use super::{Standing, Touched, acting};
use crate::error::Result;
use crate::mysql::{MysqlSession, sql};

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
fn named_by(server: Server) -> &'static [(&'static str, &'static str)] {
    match server.flavour {
        Flavour::Mysql if server.version < 50_720 => &[("tx_read_only", "0")],
        Flavour::Mysql => &[
            ("max_execution_time", "0"),
            ("transaction_read_only", "0"),
            ("show_create_table_verbosity", "0"),
        ],
        Flavour::Mariadb => &[("max_statement_time", "0"), ("tx_read_only", "0")],
    }
}

/// The time zone, which is set behind the rest: that decides how its name is read. Defaults of `TIMESTAMP` columns are shown in it.
const ZONE: (&str, &str) = ("time_zone", "'+00:00'");

/// What a neutral session has set.
pub(super) fn variables(server: Server) -> impl Iterator<Item = (&'static str, &'static str)> {
    NEUTRAL.iter().chain(named_by(server)).copied().chain([ZONE])
}

/// The statements that make these assignments.
pub(super) fn assigned<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let (zone, rest): (Vec<_>, Vec<_>) = variables.partition(|(name, _)| *name == ZONE.0);
    let statement = |variables: Vec<(&str, &str)>| {
        let all = variables.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>();
        format!("SET SESSION {}", all.join(", "))
    };
    [rest, zone].into_iter().filter(|variables| !variables.is_empty()).map(statement).collect()
}

/// The assignments of a neutral session but for its zone, each to what this makes of its name.
fn assignments(session: &MysqlSession, to: impl Fn(&str) -> String) -> String {
    let variables = variables(session.server()).filter(|variable| *variable != ZONE);
    variables.map(|(name, _)| to(name)).collect::<Vec<_>>().join(", ")
}

/// The statements that make a session neutral, as one text.
pub(super) fn settings(session: &MysqlSession) -> String {
    assigned(variables(session.server())).join(";")
}

/// A session with the same settings, database in use, and role for everything of our own; those of the script come back
/// behind it.
///
/// The database in use counts: the definition of a view names those that are others.
pub(in crate::mysql) struct Neutral {
    /// The script's database, if it is another one.
    database: Option<String>,
    /// The script's role, if it is another one.
    role: Option<String>,
}

impl Neutral {
    /// Sets them. A script that has no database in use any more keeps none: nothing could put that back.
    pub(in crate::mysql) async fn begin(session: &mut MysqlSession) -> Result<Self> {
        let keep = assignments(session, |name| format!("@plimsoll_{name} = @@SESSION.{name}"));
        let zone = "@plimsoll_time_zone = @@SESSION.time_zone";
        let (settings, role) = (settings(session), acting::role_of(session.server()));
        let ask = format!("SET {zone}, {keep};{settings};SELECT DATABASE(), {role}");
        let mut now = session.rows(&ask).await?.into_iter().flatten();
        let database = now.next().flatten().filter(|database| *database != session.database);
        if database.is_some() {
            session.execute(&format!("USE {}", sql::name(&session.database))).await?;
        }
        let role = acting::as_taken(session.server(), now.next().flatten());
        let ours = session.script.settings.as_ref();
        let ours = ours.map(|settings| settings.role.clone()).filter(|ours| *ours != role);
        if let Some(ours) = &ours {
            acting::act_as(session, ours).await?;
        }
        Ok(Self { database, role: ours.map(|_| role) })
    }

    /// Puts back those of the script.
    pub(in crate::mysql) async fn end(self, session: &mut MysqlSession) -> Result<()> {
        let back = |name: &str| format!("{name} = @plimsoll_{name}");
        let (zone, settings) = (back("time_zone"), assignments(session, back));
        if let Some(role) = self.role {
            acting::act_as(session, &role).await?;
        }
        let database =
            self.database.map(|database| format!("USE {};", sql::name(&database))).unwrap_or_default();
        session.execute(&format!("{database}SET SESSION {zone}, {settings}")).await.map(drop)
    }
}

/// Does something of our own in the middle of a script, which answers and changes the same under any settings but those that
/// a script can make.
pub(in crate::mysql) async fn neutrally<T>(
    session: &mut MysqlSession,
    work: impl AsyncFnOnce(&mut MysqlSession) -> Result<T>,
) -> Result<T> {
    match session.script.touched {
        Touched::No => work(session).await,
        Touched::Yes => always_neutrally(session, work).await,
    }
}

/// The same for what depends on settings of the server as well: they may be others when the next runner looks.
pub(in crate::mysql) async fn always_neutrally<T>(
    session: &mut MysqlSession,
    work: impl AsyncFnOnce(&mut MysqlSession) -> Result<T>,
) -> Result<T> {
    if session.own.is_some() {
        let before = std::mem::replace(&mut session.ours_in, Standing::Neutral);
        let result = work(session).await;
        session.ours_in = before;
        return result;
    }
    let neutral = Neutral::begin(session).await?;
    let result = work(session).await;
    let ended = neutral.end(session).await;
    result.and_then(|value| ended.map(|()| value))
}
