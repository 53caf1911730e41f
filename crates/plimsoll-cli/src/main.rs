//! The binary `plimsoll`: arguments, output, exit codes and signals around the one run loop of `plimsoll-engine`.

mod args;
mod bugs;
mod called;
mod commands;
mod database;
mod exit;
mod identity;
mod interpreter;
mod last_resort;
mod open_files;
mod orphans;
mod output;
mod program;
#[cfg(any(test, debug_assertions))]
mod reference;
mod signals;
#[cfg_attr(not(feature = "otel"), path = "telemetry/absent.rs")]
mod telemetry;
mod termination;
mod url_file;

use std::time::Duration;

use clap::error::ErrorKind;
use plimsoll_core::{Code, Diagnostic};

use args::{Arguments, Purpose};
use exit::Exit;
use output::{Log, Phase, Sinks};
#[cfg(target_os = "linux")]
use plimsoll_heap::Heap;
use termination::{Ending, TerminationLog};

/// A run asks for memory a few thousand times, and ends before any of it is worth giving back. Elsewhere a lock may itself need memory.
#[cfg(target_os = "linux")]
#[global_allocator]
static HEAP: Heap = Heap::new();

fn main() {
    signals::end_at_once();
    // While there is no other thread. Elsewhere than on Linux, and where there is no `/proc`, SQLite keeps the heap that it brings.
    let _served = plimsoll_heap::serve_sqlite();
    // Until the arguments are understood only the environment tells where to say something.
    let mut sinks = Sinks { log: Log::of_environment(), termination: TerminationLog::of_environment() };
    bugs::explain(&sinks);
    #[cfg(any(test, debug_assertions))]
    if let Some(text) = reference::asked_for(std::env::args_os()) {
        output::data(&text);
        exit::leave(heard(Exit::Success, Purpose::Answer, &sinks));
    }
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(error) => exit::leave(refuse(&error, &sinks)),
    };
    if let Some(logging) = arguments.command.logging() {
        sinks = logging.into();
        bugs::explain(&sinks);
    }
    let purpose = arguments.command.purpose();
    exit::leave(match open_files::check() {
        Ok(()) => heard(run(arguments, &sinks), purpose, &sinks),
        Err(diagnostic) => {
            sinks.log.error(&diagnostic);
            last_word(&diagnostic, Phase::Find, &sinks)
        }
    });
}

/// The end of a command whose words may have got lost on their way (a full disk). If they were all that it was for, it has failed;
/// one that did something has done it all the same.
fn heard(exit: Exit, purpose: Purpose, sinks: &Sinks) -> Exit {
    let Some(error) = output::lost() else { return exit };
    let words = format!("standard output could not be written: {error}");
    if purpose == Purpose::Deed || !matches!(exit, Exit::Success | Exit::NotUpToDate) {
        sinks.log.warn(&words);
        return exit;
    }
    let diagnostic =
        Diagnostic::new(Code::AnswerLost, words).help("make room where it is redirected to, and start again");
    sinks.log.error(&diagnostic);
    last_word(&diagnostic, Phase::Done, sinks)
}

fn run(arguments: Arguments, sinks: &Sinks) -> Exit {
    // One thread: a runner waits for a database and not for a processor, and a pod has little memory.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            #[cfg(debug_assertions)]
            runtime.block_on(bugs::provoke());
            let exit = runtime.block_on(commands::run(arguments));
            // A statement that does not let itself be cancelled must not keep the process.
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            let message = format!("the runtime cannot be started: {error}");
            let diagnostic = Diagnostic::new(Code::Bug, message);
            sinks.log.error(&diagnostic);
            last_word(&diagnostic, Phase::Find, sinks)
        }
    }
}

/// Help and version are answers; everything else that the parser returns is a wrong argument.
fn refuse(error: &clap::Error, sinks: &Sinks) -> Exit {
    if let ErrorKind::DisplayHelp | ErrorKind::DisplayVersion = error.kind() {
        output::data(&error.render().to_string());
        return heard(Exit::Success, Purpose::Answer, sinks);
    }
    // The value of a mistyped flag may be a URL.
    let text = plimsoll_core::secret::mask(error.render().to_string().trim_end());
    sinks.log.error_text("arguments", &text);
    let summary = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    last_word(&Diagnostic::new(Code::Usage, summary), Phase::Arguments, sinks)
}

/// Leaves a message for an end that no command can tell of.
fn last_word(diagnostic: &Diagnostic, phase: Phase, sinks: &Sinks) -> Exit {
    let exit = Exit::Class(diagnostic.code.class());
    sinks.termination.write(&Ending {
        command: "plimsoll",
        exit,
        phase,
        migration: None,
        statement: None,
        outcome: Err(diagnostic),
        report: None,
        took: Duration::ZERO,
    });
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_leaves_a_message_too() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let termination = TerminationLog::new(file.path());
        let sinks = Sinks { log: Log::of_environment(), termination };
        let diagnostic = Diagnostic::new(Code::Bug, "a bug in plimsoll: panicked at\n'x'");
        let exit = last_word(&diagnostic, Phase::Unknown, &sinks);
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.starts_with("PLM399: a bug in plimsoll: panicked at 'x'\n{"), "{text}");
        assert_eq!(exit.code(), 70);
    }
}
