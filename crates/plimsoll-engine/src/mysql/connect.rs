//! Making a connection, and the database that it is to.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder};
use plimsoll_core::Code;
use plimsoll_core::url::MysqlUrl;

use super::limits::Limit;
use super::target::Target;
use super::{Facts, Mysql, MysqlSession, error, sql};
use crate::classes::Server;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::stopping;

/// Connects once.
pub(super) async fn session(database: &Mysql) -> Result<MysqlSession> {
    let target = database.targets.next()?;
    let url = &target.url;
    let opened = open(&target, Some(&url.database), &database.runner).await;
    let conn = opened.map_err(|error| database.targets.failed(url.clone(), error))?;
    database.targets.reached(url);
    Ok(MysqlSession {
        conn,
        opts: options(&target, None, &database.runner),
        endpoint: url.endpoint(),
        runner: database.runner.clone(),
        external_tables: database.external_tables.clone(),
        limit: url.statement_timeout.map(Limit::of_url),
        limits: Limits::default(),
        limits_set: Limits::default(),
        database: url.database.clone(),
        facts: Facts::default(),
        own: None,
        ours_in: super::settings::Standing::Own,
        script: super::apply::ScriptState::default(),
        cancelled: Arc::default(),
    })
}

/// Opens one connection. The time limit is for all of it: a proxy that has no server behind it takes connections and says
/// nothing.
async fn open(target: &Target, name: Option<&str>, runner: &str) -> Result<Conn> {
    let url = &target.url;
    let connecting = log_in(options(target, name, runner));
    let connected = match url.connect_timeout {
        None => connecting.await,
        Some(seconds) => match tokio::time::timeout(Duration::from_secs(seconds.into()), connecting).await {
            Ok(connected) => connected,
            Err(_) => return Err(error::unreachable(url)),
        },
    };
    connected.map_err(|found| error::of_connect(&found, url))
}

/// Logs in; whoever is refused tries once more.
///
/// The driver takes a last byte of 0 for the end of what it has to sign, which for `ed25519` (MariaDB) it is not: one login of 256 is
/// refused whose password is right, and that would be the end of a deploy. Known of `mysql_common` 0.37.3 (`AuthSwitchRequest`).
async fn log_in(options: Opts) -> mysql_async::Result<Conn> {
    match Conn::new(options.clone()).await {
        Err(refused) if error::number(&refused) == Some(error::ACCESS_DENIED) => Conn::new(options).await,
        first => first,
    }
}

/// The largest message that the protocol knows. The server has a limit of its own, and says so.
const LARGEST_MESSAGE: usize = 1 << 30;

fn options(target: &Target, database: Option<&str>, runner: &str) -> Opts {
    let url = &target.url;
    let options = OptsBuilder::default()
        .ip_or_hostname(url.host.clone())
        .tcp_port(url.port)
        .user(url.user.clone())
        .pass(url.password.as_ref().map(plimsoll_core::Secret::expose))
        .db_name(database)
        .socket(url.socket.clone())
        .prefer_socket(false)
        // What is not given is asked of the server, which would be a round trip of its own.
        .max_allowed_packet(Some(LARGEST_MESSAGE))
        .wait_timeout(Some(0))
        // Neither is anything prepared, nor does a connection outlive its session.
        .stmt_cache_size(0)
        // A peer that is gone without a word (a lost node, a forgotten address translation) is noticed in time.
        .tcp_keepalive(Some(Duration::from_secs(15)))
        .tcp_nodelay(true)
        .connect_attribute("program_name", runner);
    match (&url.socket, target.tls.options()) {
        (None, Some(tls)) => options.ssl_opts(tls).into(),
        _ => options.into(),
    }
}

/// Creates the database as Prisma does.
///
/// It is the one that was just found missing: what a file says meanwhile does not count.
pub(super) async fn create_database(database: &Mysql) -> Result<()> {
    let target = database.targets.settle();
    let mut conn = open(&target, None, &database.runner).await?;
    let statement = format!(
        "CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        sql::name(&target.url.database)
    );
    let created = conn.query_drop(statement).await;
    close(conn).await;
    match created {
        // Another runner was faster.
        Err(found) if error::number(&found) == Some(error::DATABASE_EXISTS) => Ok(()),
        created => created.map_err(|found| may_not_create(&found, &target.url)),
    }
}

fn may_not_create(found: &mysql_async::Error, url: &MysqlUrl) -> Error {
    let mut error = error::of_session(found, &url.endpoint(), Server::Any);
    if error.diagnostic.code == Code::AccessDenied {
        error.diagnostic.help =
            vec![format!("create `{}` yourself, or grant the user CREATE on it", url.database)];
    }
    error
}

/// Says good-bye. A server that does not answer any more is not waited for.
pub(super) async fn close(conn: Conn) {
    let _unreachable = tokio::time::timeout(stopping::FAREWELL, conn.disconnect()).await;
}

/// Cancels the statement that another connection executes at this moment.
pub(super) async fn kill_query(mut conn: Conn, connection: u32) {
    // It may have ended by itself, or the server may not be there any more: the statement's own answer tells.
    let _ended = conn.query_drop(format!("KILL QUERY {connection}")).await;
    close(conn).await;
}
