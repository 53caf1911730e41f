//! The benchmark: `cargo xtask bench` starts it. README.md says what is measured, and how.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to the person who started it")]

mod facts;
mod floors;
mod goals;
mod history;
mod lab;
mod options;
mod peer;
mod peers;
mod plimsoll;
mod plot;
mod results;
mod rounds;
mod rows;
mod servers;
mod stats;
mod stopwatch;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use facts::MEMORY;
use lab::Lab;
use options::{Keep, Mode, Options, must_exist};
use peer::{Peer, Role, Tools};
use plimsoll::Plimsoll;
use results::Results;
use rows::{ROWS, Row};

/// What is made here and may be lost.
const TARGET: &str = "target/bench";
/// What `bench/README.md` shows.
const DOCUMENTS: &str = "bench";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match bench(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Works in the directory of the workspace.
fn bench(arguments: &[String]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    let begun = Instant::now();
    use_memory();
    let peers = chosen(&options)?;
    let rows =
        ROWS.iter().filter(|row| options.rows.is_empty() || options.rows.iter().any(|id| id == row.id));
    let rows: Vec<&Row> = rows.collect();
    let lab = Lab::new(peers, Tools { directory: absolute(TARGET)?.join("tools") }, options.mode)?;
    for (name, why) in lab.broken() {
        eprintln!("bench: {name} does not take part: {why}");
    }
    let mut results = Results { facts: facts::collect(&lab.servers, &options.plimsoll), rows: Vec::new() };
    for row in rows {
        let measured = lab.measure(row, &results);
        println!("\n{} (`{}`, {:.0} s so far)\n", row.title, row.id, begun.elapsed().as_secs_f64());
        print!("{}", table::details(&measured));
        results.rows.push(measured);
        // After each row, so that a run that is ended has not been for nothing.
        write(Path::new(TARGET), &results)?;
    }
    let mode = if options.mode == Mode::Quick { "quick" } else { "whole" };
    let only = options.peers.iter().chain(&options.rows).map(String::as_str).collect::<Vec<_>>();
    let only = if only.is_empty() { String::new() } else { format!(", only {}", only.join(", ")) };
    results.facts.push(("run", format!("{mode}{only}, {:.0} s", begun.elapsed().as_secs_f64())));
    write(Path::new(TARGET), &results)?;
    println!("\n{}", table::goals(&results));
    println!("{TARGET}/results.md has all of it");
    if options.keep == Keep::Documents { keep(&results) } else { Ok(()) }
}

/// Servers and projects are made where temporary files are: in memory, if there is such a place.
fn use_memory() {
    if facts::is_in_memory(Path::new(MEMORY)) {
        // It fails only if something else has been chosen before.
        let _ = tempfile::env::override_temp_dir(Path::new(MEMORY));
    }
}

/// Plimsoll, the floors, and the rivals that are asked for.
fn chosen(options: &Options) -> Result<Vec<Box<dyn Peer>>, String> {
    let ours: Box<dyn Peer> = Box::new(Plimsoll::new(options.plimsoll.clone()));
    let mut peers: Vec<_> = std::iter::once(ours).chain(floors::all()).chain(peers::all()).collect();
    let rivals: Vec<_> = peers.iter().filter(|it| it.role() == Role::Rival).map(|it| it.name()).collect();
    must_exist(&options.peers, &rivals)?;
    must_exist(&options.rows, &ROWS.map(|row| row.id))?;
    let is_asked_for = |peer: &dyn Peer| {
        let all = options.peers.is_empty() || peer.role() != Role::Rival;
        all || options.peers.iter().any(|name| name == peer.name())
    };
    peers.retain(|peer| is_asked_for(peer.as_ref()));
    Ok(peers)
}

fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| format!("{path}: {error}"))
}

fn write(directory: &Path, results: &Results) -> Result<(), String> {
    let json = format!("{:#}\n", results.json());
    put(&directory.join("results.json"), &json)?;
    put(&directory.join("results.md"), &table::document(results))?;
    plots(&directory.join("plots"), results)
}

fn keep(results: &Results) -> Result<(), String> {
    put(&Path::new(DOCUMENTS).join("results.md"), &table::document(results))?;
    plots(&Path::new(DOCUMENTS).join("plots"), results)
}

fn plots(directory: &Path, results: &Results) -> Result<(), String> {
    results.rows.iter().try_for_each(|row| match plot::bars(row) {
        Some(svg) => put(&directory.join(format!("{}.svg", row.id)), &svg),
        None => Ok(()),
    })
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    let parent = path.parent().unwrap_or(path);
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}
