//! A server whose general log says which statements it has seen.

use std::io::Write as _;
use std::process::{Command, Stdio};

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use plimsoll_core::script::mysql::{Server, split};
use plimsoll_testkit::database::MysqlDatabase;
use plimsoll_testkit::server::{Flavour, MysqlServer, Options};
use plimsoll_testkit::wait::until_async;

use crate::script::Script;

/// What is run before a script, to be found in the log.
const MARK: &str = "the script begins";

/// What is run behind it.
const END: &str = "the script ends";

/// Where a server logs each statement of a message on its own.
struct Log {
    begin: &'static str,
    table: &'static str,
    text: &'static str,
    only: &'static str,
}

fn log(flavour: Flavour) -> Log {
    match flavour {
        Flavour::Mysql | Flavour::OldMysql => Log {
            begin: "SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = ON",
            table: "mysql.general_log",
            text: "argument",
            only: "command_type = 'Query'",
        },
        // Its general log has one entry for all of a message; the log of slow ones tells them apart.
        Flavour::Mariadb => Log {
            begin: "SET GLOBAL log_output = 'TABLE'; SET GLOBAL long_query_time = 0; SET GLOBAL log_slow_filter = ''; \
                    SET GLOBAL log_slow_disabled_statements = 'sp'; SET GLOBAL slow_query_log = ON",
            table: "mysql.slow_log",
            text: "sql_text",
            only: "TRUE",
        },
    }
}

/// A server that nobody else uses, so that its log is about one script at a time.
pub(crate) struct Oracle {
    server: MysqlServer,
    version: String,
}

impl Oracle {
    /// Starts the server, with its log in a table.
    pub(crate) async fn start(flavour: Flavour) -> Self {
        let server = MysqlServer::start(flavour, &Options::default());
        let database = server.database().await;
        database.execute(log(flavour).begin).await;
        let version = database.value("SELECT VERSION()").await;
        drop(database);
        Self { server, version }
    }

    /// Sends the script as one message of several statements, and compares.
    pub(crate) async fn message(&self, script: &Script) -> Result<(), String> {
        let database = self.server.database().await;
        let mut connection = database.connect().await;
        prepare(&mut connection, script).await;
        let outcome = connection.query_drop(&script.text).await;
        // Some logs are written behind the answer: whoever is answered again has been logged.
        let _ = connection.query_drop(format!("SELECT '{END}'")).await;
        let id = connection.id();
        let seen = seen(&database, id).await;
        outcome.map_err(|error| format!("{}: {error}\n{}", script.name, script.text))?;
        self.compare(script, &seen)
    }

    /// Gives the script to the client program, and compares.
    pub(crate) async fn client(&self, script: &Script) -> Result<(), String> {
        let database = self.server.database().await;
        let mut connection = database.connect().await;
        let last: u64 = connection
            .query_first("SELECT CONNECTION_ID()")
            .await
            .expect("the server answers")
            .expect("a row");
        let text = format!("SELECT 'the script begins';\n{}", script.text);
        run_client(&self.server, database.name(), &text)
            .map_err(|said| format!("{}: {said}", script.name))?;
        let Log { table, text, .. } = log(self.server.flavour());
        let ids =
            format!("SELECT thread_id FROM {table} WHERE thread_id > {last} AND {text} LIKE '%{MARK}%'");
        let ids: Vec<u32> = connection.query(ids).await.expect("the server answers");
        let id = *ids.last().expect("the client was there");
        until_async("the client's connection has ended", async || {
            database
                .value(&format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id}"))
                .await
                == "0"
        })
        .await;
        let seen = seen(&database, id).await;
        self.compare(script, &seen)
    }

    fn compare(&self, script: &Script, seen: &[String]) -> Result<(), String> {
        let server = Server::parse(&self.version, script.mode);
        let ours = split(&script.text, &server).map_err(|refusal| format!("{}: {refusal:?}", script.name))?;
        let ours: Vec<_> = ours.iter().map(|statement| statement.text).collect();
        let same = ours.len() == seen.len() && ours.iter().zip(seen).all(|(ours, seen)| is_same(ours, seen));
        let told = || format!("{}\nours: {ours:#?}\nthe server's: {seen:#?}", script.name);
        if same { Ok(()) } else { Err(told()) }
    }
}

async fn prepare(connection: &mut Conn, script: &Script) {
    let mode = format!("SET SESSION sql_mode = '{}'", script.mode);
    connection.query_drop(mode).await.expect("the server answers");
    connection.query_drop(format!("SELECT '{MARK}'")).await.expect("the server answers");
}

fn run_client(server: &MysqlServer, database: &str, text: &str) -> Result<(), String> {
    let mut client = Command::new("mariadb")
        .args(["--no-defaults", "--comments", "--skip-ssl", "-u", "testkit"])
        .arg(format!("--init-command=SELECT '{MARK}'"))
        .arg("-S")
        .arg(server.socket())
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`cargo xtask setup` installs the client");
    client.stdin.take().expect("it is piped").write_all(text.as_bytes()).expect("the client reads");
    let output = client.wait_with_output().expect("the client ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// What the server has logged of a connection since its script began.
async fn seen(database: &MysqlDatabase<'_>, connection: u32) -> Vec<String> {
    let Log { table, text, only, .. } = log(database.server().flavour());
    let query = format!(
        "SELECT CONVERT({text} USING utf8mb4) FROM {table} WHERE thread_id = {connection} AND {only}"
    );
    let logged = database.query(&query).await.into_iter().filter_map(|row| row.into_iter().next().flatten());
    let logged: Vec<String> = logged.collect();
    // The client may say it twice.
    let begun = logged.iter().rposition(|text| text.contains(MARK)).map_or(0, |mark| mark + 1);
    let begun = logged.into_iter().skip(begun).take_while(|text| !text.contains(END));
    begun.filter(|text| !nothing(text.trim_end_matches(';'))).collect()
}

/// Whether the server has logged our text, with nothing around it but comments.
fn is_same(ours: &str, seen: &str) -> bool {
    // A version comment that is skipped is patched by the server, so that replicas skip it too.
    // The client reads lines, so that it sends no carriage returns.
    let unpatched = |text: &str| text.replace("/*!", "/* ").replace("/*M!", "/*M ").replace('\r', "");
    let (ours, seen) = (unpatched(ours), unpatched(seen));
    seen.match_indices(&ours)
        .any(|(at, _)| nothing(&seen[..at]) && nothing(seen[at + ours.len()..].trim_end_matches(';')))
}

/// Whether a text holds blanks and comments only.
fn nothing(text: &str) -> bool {
    let text = text.trim_start();
    let rest = |end: &str| text.split_once(end).is_none_or(|(_, rest)| nothing(rest));
    match text {
        "" => true,
        // The server marks what it skips with a blank, so that this is code.
        _ if text.starts_with("/*!") || text.starts_with("/*M!") => false,
        _ if text.starts_with('#') || text.starts_with("--") => rest("\n"),
        _ if text.starts_with("/*") => match text[2..].split_once("*/") {
            // What the server skips may hold one comment.
            Some((skipped, more)) if skipped.contains("/*") && skipped.starts_with(" 99999") => {
                more.split_once("*/").is_none_or(|(_, rest)| nothing(rest))
            }
            Some((_, rest)) => nothing(rest),
            None => true,
        },
        _ => false,
    }
}
