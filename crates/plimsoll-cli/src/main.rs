//! The binary `plimsoll`: arguments, output, exit codes and signals around the one run loop of `plimsoll-engine`.

mod args;
mod commands;
mod database;
mod exit;
mod orphans;
mod output;
mod program;
mod reference;
mod signals;

use clap::error::ErrorKind;
use plimsoll_core::{Code, Diagnostic};

use args::Arguments;
use exit::Exit;
use output::Log;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        Log::of_environment().error_text(
            "bug",
            &format!(
                "plimsoll: a bug ({panic})\nthe database is safe: what was not committed has been rolled back\nplease report this message"
            ),
        );
        exit::leave(Exit::Class(Code::Bug.class()));
    }));
    exit::leave(run());
}

fn run() -> Exit {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    // One thread: a runner waits for a database and not for a processor, and a pod has little memory.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(commands::run(arguments));
            // A statement that does not let itself be cancelled must not keep the process.
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            let message = format!("the runtime cannot be started: {error}");
            Log::of_environment().error(&Diagnostic::new(Code::Bug, message));
            Exit::Class(Code::Bug.class())
        }
    }
}

/// Help and version are answers; everything else that the parser returns is a wrong argument.
fn refuse(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::answer(&error.render().to_string());
            Exit::Success
        }
        // The value of a mistyped flag may be a URL.
        _ => {
            Log::of_environment().error_text("arguments", error.render().to_string().trim_end());
            Exit::Class(Code::Usage.class())
        }
    }
}
