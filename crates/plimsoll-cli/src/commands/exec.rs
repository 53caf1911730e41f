//! `exec`: deploys, then becomes a command.

use plimsoll_core::{Code, Diagnostic};

use super::deploy::migrate;
use super::{tell, told};
use crate::args::Exec;
use crate::exit::Exit;
use crate::output::{Output, Voice};
use crate::program::Program;

/// Returns only if the command was not started.
pub(crate) async fn run(arguments: &Exec) -> Exit {
    let mut output = Output::new(Voice::Aside, "exec", (&arguments.run.common.logging).into());
    // Looked for first: an application that cannot start must not find its database changed.
    let path = std::env::var_os("PATH");
    let program = match Program::find(&arguments.command, path.as_deref()) {
        Ok(program) => program,
        Err(diagnostic) => {
            let exit = output.failed(&diagnostic, None);
            return told(output, exit).await;
        }
    };
    let empty = arguments.run.empty.in_voice(Voice::Aside);
    let (late, mut signals) = match migrate(&arguments.run, empty, &mut output).await {
        Ok(migrated) => migrated,
        Err(exit) => return told(output, exit).await,
    };
    // Before the command takes the place of all this.
    let late = late.or(tell(output.telemetry(), &output, &mut signals).await);
    // The command would never learn of a signal that was sent to its predecessor.
    let signal = if late.is_some() { late } else { signals.arrived().await };
    if let Some(number) = signal {
        return output.interrupted(&not_started(), None, Exit::Signal(number));
    }
    output.failed(&program.replace(&arguments.unset), None)
}

fn not_started() -> Diagnostic {
    Diagnostic::new(Code::Interrupted, "interrupted: the migrations are applied, the command was not started")
        .help("the next start finds the database up to date, and becomes the command")
}
