//! Chores of the project: `cargo xtask` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the person who started it")]

mod bench;
mod counts;
mod docs;
mod e2e;
mod go;
mod image;
mod process;
mod setup;
mod tidy;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use process::Outcome;

const USAGE: &str = "\
cargo xtask setup         installs what the tests need: servers and Prisma into target/testbed, the rest by apt-get
cargo xtask test [ARGS]   setup, then `cargo test` of every crate but e2e
cargo xtask tidy          checks the rules that the compiler does not know; changes nothing
cargo xtask docs          writes the documents that the program knows, such as docs/errors.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let (chore, rest) = arguments.split_first().ok_or_else(usage)?;
    match (chore.as_str(), rest) {
        ("setup", []) => setup::setup(&root()),
        ("test", rest) => test(&root(), rest),
        ("e2e", rest) => e2e::e2e(&root(), rest),
        ("tidy", []) => tidy::tidy(&root()),
        ("counts", rest) => counts::counts(&root(), rest),
        ("docs", []) => docs::write(&root()),
        ("image", rest) => image::image(&root(), rest),
        ("bench", rest) => bench::bench(&root(), rest),
        _ => Err(usage()),
    }
}

fn usage() -> String {
    [USAGE, counts::USAGE, image::USAGE, e2e::USAGE, bench::USAGE].join("\n")
}

fn test(root: &Path, arguments: &[String]) -> Outcome {
    setup::setup(root)?;
    let mut cargo = process::cargo(root);
    // Those tests need a cluster: `cargo xtask e2e` starts one for them. One run names everything that fails.
    let workspace = ["test", "--workspace", "--exclude", "plimsoll-e2e", "--locked", "--no-fail-fast"];
    process::run(cargo.args(workspace).args(arguments).env("RUST_TEST_THREADS", threads()))
}

/// Most tests wait for servers more than they compute: twice as many at once as there are processors, unless somebody says otherwise.
fn threads() -> String {
    let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
    std::env::var("RUST_TEST_THREADS").unwrap_or_else(|_| (2 * processors()).to_string())
}

/// The directory of the workspace, which is the parent of this crate's. Cargo tells it when it starts this program; what
/// it told the compiler may be another working copy that builds into the same place.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().unwrap_or(&here).to_owned()
}

/// Says what is being done, so that a log shows where time goes and what failed.
fn say(line: &str) {
    println!("{line}");
}

/// How a command is shown to a person: with the name of the program, wherever it is.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
