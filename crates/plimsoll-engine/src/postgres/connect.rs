//! Making a connection, and the database that it is to.

use std::fmt::Write as _;
use std::time::Duration;

use plimsoll_core::url::PostgresUrl;
use plimsoll_core::url::postgres::{ChannelBinding, TlsMode};
use plimsoll_core::{Code, Diagnostic};
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, config};
use tokio_util::sync::CancellationToken;

use super::link::Link;
use super::pooler::Needs;
use super::target::Target;
use super::{Postgres, PostgresSession, error, history, key, quote_name};
use crate::backoff::Backoff;
use crate::error::{Error, Kind, Result};
use crate::limits::Limits;

/// What came of a try to connect, and where to.
pub(super) type Tried = (Target, Result<Link>);

/// Begins to connect, for the next session. If it is not known where to, that is said to whoever asks for the session.
pub(super) fn begin(database: &Postgres) {
    if let Ok(work) = tried(database) {
        database.early.begin(work);
    }
}

/// One try, at what is the target now.
fn tried(database: &Postgres) -> Result<impl Future<Output = Tried> + use<>> {
    let (target, runner) = (database.targets.next()?, database.runner.clone());
    Ok(async move {
        let opened = open(&target, &target.url.database, &runner).await;
        (target, opened)
    })
}

/// Connects once.
pub(super) async fn session(database: &Postgres) -> Result<PostgresSession> {
    let (target, opened) = database.early.take(|| tried(database)).await?;
    let url = &target.url;
    let Link { client, task, heard, at } =
        opened.map_err(|error| database.targets.failed(url.clone(), error))?;
    database.targets.reached(url);
    Ok(PostgresSession {
        key: key::process_of(&client.cancel_token()).await,
        client,
        connection: task,
        heard,
        endpoint: url.endpoint(),
        runner: database.runner.clone(),
        scope: database.scope.clone(),
        settings: settings(url, Lasting::Session),
        local_settings: settings(url, Lasting::Transaction),
        schema: url.schema.clone(),
        pooler: url.pooler,
        needs: Needs::Transactions,
        hold: None,
        taken: false,
        may_be_ours: false,
        told: false,
        facts: history::Facts::default(),
        first: None,
        limits: Limits::default(),
        paused: None,
        several: watch::Sender::new(false),
        stop: CancellationToken::new(),
        target,
        at,
    })
}

/// Opens one connection. The time limit is for all of it: the driver's own is for the socket alone, and a proxy that has
/// no server behind it takes connections and says nothing.
pub(super) async fn open(target: &Target, name: &str, runner: &str) -> Result<Link> {
    let url = &target.url;
    let config = config(url, name, runner);
    let reaching = reach(target, config);
    match url.connect_timeout {
        None => reaching.await,
        Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds.into()), reaching)
            .await
            .unwrap_or_else(|_| Err(error::unreachable(url))),
    }
}

/// Tries the addresses of the host in their order, as the driver would. It does not tell which of them let us in, and a name may lead
/// elsewhere a moment later.
async fn reach(target: &Target, config: Config) -> Result<Link> {
    let url = &target.url;
    if url.host.starts_with('/') {
        return target.tls.connect(&config).await.map_err(|found| error::of_connect(&found, url));
    }
    let addresses = lookup_host((url.host.as_str(), url.port)).await;
    let mut last = error::unreachable(url);
    for address in addresses.map_err(|why| error::unreachable_since(&why, url))? {
        let at = address.ip();
        match target.tls.connect(config.clone().hostaddr(at)).await {
            Ok(link) => return Ok(Link { at: Some(at), ..link }),
            Err(found) => last = error::of_connect(&found, url),
        }
    }
    Err(last)
}

fn config(url: &PostgresUrl, database: &str, runner: &str) -> Config {
    let mut config = Config::new();
    config.host(&url.host).port(url.port).dbname(database).application_name(runner);
    // libpq and Prisma take the user of the process; a container has none worth the name.
    config.user(url.user.as_deref().unwrap_or("postgres"));
    if let Some(password) = &url.password {
        config.password(password.expose());
    }
    if let Some(seconds) = url.connect_timeout {
        config.connect_timeout(Duration::from_secs(seconds.into()));
    }
    // A peer that is gone without a word (a lost node, a forgotten address translation) is noticed within half a minute.
    config
        .keepalives_idle(Duration::from_secs(15))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3);
    config.tcp_user_timeout(Duration::from_secs(30));
    if let Some(options) = &url.options {
        config.options(options);
    }
    config.ssl_mode(match url.tls.mode {
        TlsMode::Disable => config::SslMode::Disable,
        TlsMode::Prefer => config::SslMode::Prefer,
        TlsMode::Require => config::SslMode::Require,
    });
    config.channel_binding(match url.channel_binding {
        ChannelBinding::Disable => config::ChannelBinding::Disable,
        ChannelBinding::Prefer => config::ChannelBinding::Prefer,
        ChannelBinding::Require => config::ChannelBinding::Require,
    });
    config
}

/// For how long settings hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasting {
    /// To the end of the session.
    Session,
    /// To the end of the transaction: they leave nothing on a connection that is not ours alone.
    Transaction,
}

/// What the URL asks of the session.
///
/// Sent as statements and not in the start-up message, which poolers refuse.
fn settings(url: &PostgresUrl, lasting: Lasting) -> String {
    // The server notices as soon as we do when this side is gone: until then it keeps our lock. On a Unix socket these
    // say nothing.
    let (set, keepalives) = match lasting {
        Lasting::Session => (
            "SET",
            "SET tcp_keepalives_idle = 15;SET tcp_keepalives_interval = 5;SET tcp_keepalives_count = 3;",
        ),
        Lasting::Transaction => ("SET LOCAL", ""),
    };
    let mut settings = keepalives.to_owned();
    if let Some(schema) = &url.schema {
        let _infallible = write!(settings, "{set} search_path = {};", quote_name(schema));
    }
    if let Some(seconds) = url.statement_timeout {
        let _infallible = write!(settings, "{set} statement_timeout = '{seconds}s';");
    }
    settings
}

/// Creates the database from another one on the same server, as Prisma does.
///
/// It is the one that was just found missing: what a file says meanwhile does not count.
pub(super) async fn create_database(database: &Postgres) -> Result<()> {
    let target = database.targets.settle();
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
    let mut tries = 0;
    loop {
        match create_once(database, &target).await {
            // Another runner copies the same template at this moment.
            Err(error) if error.kind == Kind::Again && tries < 20 => {
                tries += 1;
                tokio::time::sleep(backoff.pause()).await;
            }
            result => return result,
        }
    }
}

async fn create_once(database: &Postgres, target: &Target) -> Result<()> {
    let url = &target.url;
    let Link { client, task, .. } = maintenance_connection(target, &database.runner).await?;
    let created = client.batch_execute(&format!("CREATE DATABASE {}", quote_name(&url.database))).await;
    drop(client);
    // It ends with its client; how is of no interest once the answer is there.
    let _ended = task.await;
    match created {
        Err(found) if already_there(&found) => Ok(()),
        created => {
            created.map_err(|found| may_not_create(error::of_session(&found, &url.endpoint()), &url.database))
        }
    }
}

fn may_not_create(error: Error, name: &str) -> Error {
    if error.diagnostic.code != Code::AccessDenied {
        return error;
    }
    let help = format!("create `{name}` yourself, or grant the role CREATEDB");
    Error { diagnostic: Box::new(Diagnostic { help: vec![help], ..*error.diagnostic }), ..error }
}

/// A connection to `postgres`, or to `template1` where that does not exist.
async fn maintenance_connection(target: &Target, runner: &str) -> Result<Link> {
    let mut last = None;
    for name in ["postgres", "template1"] {
        match open(target, name, runner).await {
            Ok(link) => return Ok(link),
            Err(error) => last = Some(error),
        }
        if last.as_ref().is_some_and(|error| error.kind != Kind::Missing) {
            break;
        }
    }
    Err(last.unwrap_or_else(|| error::unreachable(&target.url)))
}

/// Another runner was faster: by a moment (23505), or by more.
fn already_there(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(code) if *code == SqlState::DUPLICATE_DATABASE || *code == SqlState::UNIQUE_VIOLATION)
}
