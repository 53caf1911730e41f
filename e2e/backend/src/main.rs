//! An application that needs a migrated database, and a proxy to one.
//!
//! * `backend serve` reads the table named by `NEEDS` before it does anything else. It ends with an error if the table is
//!   not there: whoever finds `ready` in its log knows that the migrations were done when it started.
//! * `backend forward LISTEN TARGET` passes connections on, as a database proxy beside an application does.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its log is what the tests read")]

use std::env::VarError;
use std::error::Error;
use std::process::ExitCode;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_postgres::{Client, NoTls};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match until_told_to_end(run(&words)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("backend: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[&str]) -> Outcome {
    match words {
        ["serve"] => serve().await,
        ["forward", listen, target] => forward(listen, target).await,
        _ => Err("usage: backend serve | backend forward LISTEN TARGET".into()),
    }
}

/// The first process of a container gets no signal that it does not ask for.
async fn until_told_to_end(work: impl Future<Output = Outcome>) -> Outcome {
    let mut told = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = work => outcome,
        _ = told.recv() => Ok(()),
    }
}

async fn serve() -> Outcome {
    let (table, release) = (std::env::var("NEEDS")?, std::env::var("RELEASE")?);
    println!("backend {release}: ready, {}", read(&table).await?);
    try_to_change_the_schema().await?;
    let listener = TcpListener::bind(("0.0.0.0", 3000)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        // Whoever asks may go away before the answer: that is no reason to end.
        let _ = answer(stream, &table, &release).await;
    }
}

/// One request of HTTP, whatever it asks: 200 if the table can be read at this moment.
async fn answer(mut stream: TcpStream, table: &str, release: &str) -> Outcome {
    let mut request = [0; 1024];
    let _ = stream.read(&mut request).await?;
    let (status, body) = match read(table).await {
        Ok(rows) => ("200 OK", format!("{release}: {rows}\n")),
        Err(why) => ("503 Service Unavailable", format!("{release}: {why}\n")),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

async fn read(table: &str) -> Outcome<String> {
    let query = format!("SELECT count(*) FROM \"{table}\"");
    let count: i64 = connect().await?.query_one(&query, &[]).await.map_err(|error| said(&error))?.get(0);
    Ok(format!("`{table}` has {count} rows"))
}

/// With `TRY_DDL`, the log says what the server thinks of it.
async fn try_to_change_the_schema() -> Outcome {
    if std::env::var("TRY_DDL") == Err(VarError::NotPresent) {
        return Ok(());
    }
    match connect().await?.batch_execute("CREATE TABLE mutiny ()").await {
        Ok(()) => println!("backend: changed the schema"),
        Err(error) => println!("backend: may not change the schema: {}", said(&error)),
    }
    Ok(())
}

/// The URL comes from a file, which is read each time, or from the environment.
async fn connect() -> Outcome<Client> {
    let url = match std::env::var("PLIMSOLL_URL_FILE") {
        Ok(file) => std::fs::read_to_string(file)?.trim().to_owned(),
        Err(_) => std::env::var("DATABASE_URL")?,
    };
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.map_err(|error| said(&error))?;
    // It ends with the client.
    tokio::spawn(connection);
    Ok(client)
}

/// The server's own words with their SQLSTATE, which the driver's short form leaves out.
fn said(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |server| format!("{}: {}", server.code().code(), server.message()))
}

async fn forward(listen: &str, target: &str) -> Outcome {
    let listener = TcpListener::bind(listen).await?;
    println!("backend: passes {listen} on to {target}");
    loop {
        let (mut near, _) = listener.accept().await?;
        let target = target.to_owned();
        tokio::spawn(async move {
            if let Ok(mut far) = TcpStream::connect(target).await {
                // Either end may hang up at any time.
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
