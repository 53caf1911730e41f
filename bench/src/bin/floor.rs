//! `plimsoll-bench-floor AHEAD DIRECTORY`: applies the files of a directory to the PostgreSQL of `DATABASE_URL`, one message each,
//! with so many of them on the way at a time. It takes no lock and checks nothing.
//!
//! `plimsoll-bench-floor unless-somebody-does DIRECTORY`: the same with eight, by the one of several started at once that has a lock. The others
//! read the history and end without waiting for it.
#![expect(clippy::print_stderr, reason = "it is a program of its own")]

use std::collections::HashSet;
use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

const HISTORY: &str = "CREATE TABLE IF NOT EXISTS floor (name TEXT NOT NULL PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())";
const APPLIED: &str = "SELECT name FROM floor";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Without them it is only started.
    let [ahead, directory] = arguments.as_slice() else { return ExitCode::SUCCESS };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|it| it.block_on(apply(ahead, Path::new(directory))));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn apply(ahead: &str, directory: &Path) -> Result<(), Box<dyn Error>> {
    let (client, connection) = tokio_postgres::connect(&std::env::var("DATABASE_URL")?, NoTls).await?;
    tokio::spawn(connection);
    let ahead = if ahead == "unless-somebody-does" {
        if !is_first(&client).await? {
            // There may be no history yet.
            let _read = client.simple_query(APPLIED).await;
            return Ok(());
        }
        8
    } else {
        ahead.parse()?
    };
    let applied = applied(&client).await?;
    let messages = messages(directory, &applied)?;
    // They are sent in this order: what is pushed first is polled first.
    stream::iter(&messages)
        .map(|message| client.batch_execute(message))
        .buffered(ahead)
        .try_collect::<()>()
        .await?;
    Ok(())
}

/// Whether nobody else is at work.
async fn is_first(client: &Client) -> Result<bool, tokio_postgres::Error> {
    let answer = client.simple_query("SELECT pg_try_advisory_lock(1)").await?;
    Ok(answer
        .iter()
        .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t"))))
}

/// The names in the history, which is made if it is not there.
async fn applied(client: &Client) -> Result<HashSet<String>, tokio_postgres::Error> {
    if let Ok(rows) = client.simple_query(APPLIED).await {
        return Ok(names(&rows));
    }
    client.batch_execute(HISTORY).await?;
    Ok(HashSet::new())
}

fn names(messages: &[SimpleQueryMessage]) -> HashSet<String> {
    let name = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    messages.iter().filter_map(name).collect()
}

/// One for each migration that is missing, in order.
fn messages(directory: &Path, applied: &HashSet<String>) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| !applied.contains(name));
    names.sort_unstable();
    names.iter().map(|name| Ok(message(name, &std::fs::read_to_string(directory.join(name))?))).collect()
}

fn message(name: &str, script: &str) -> String {
    let mut message = String::from("BEGIN;\n");
    write!(message, "{script}\n;INSERT INTO floor (name) VALUES ('{name}');\nCOMMIT")
        .expect("a string takes every text");
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_applied_gets_no_message_and_the_rest_comes_in_order() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["00002_b.sql", "00001_a.sql", "00003_c.sql"] {
            std::fs::write(directory.path().join(name), format!("-- {name}")).unwrap();
        }
        let messages = messages(directory.path(), &HashSet::from(["00001_a.sql".to_owned()])).unwrap();
        assert_eq!(messages.len(), 2);
        assert_eq!(
            messages[0],
            "BEGIN;\n-- 00002_b.sql\n;INSERT INTO floor (name) VALUES ('00002_b.sql');\nCOMMIT"
        );
        assert!(messages[1].contains("00003_c.sql"));
    }
}
