//! `resolve`: records what a person found out, or has a failed attempt carried on.

use plimsoll_core::{Code, Diagnostic};
use plimsoll_engine::resolve::{Verdict, resolve};
use plimsoll_engine::{CancellationToken, Error, Waits};

use super::{open, watched};
use crate::args::{Record, Resolve};
use crate::database::{Intent, with_backend};
use crate::exit::Exit;
use crate::output::Voice;

/// A migration, and what is said about it; or why the arguments say nothing.
type Asked<'a> = Result<(&'a str, Verdict), Diagnostic>;

pub(crate) async fn own(arguments: &Resolve) -> Exit {
    let record = &arguments.record;
    run(record, own_verdict(arguments), Voice::Own).await
}

pub(crate) async fn prisma(arguments: &Record) -> Exit {
    run(arguments, prisma_verdict(arguments), Voice::Prisma).await
}

async fn run(arguments: &Record, asked: Asked<'_>, voice: Voice) -> Exit {
    let (opened, mut output) = match open(&arguments.common, &arguments.answer, "resolve", voice) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let asked = asked.and_then(|asked| Ok((asked, opened.database(Intent::Write)?)));
    let ((name, verdict), database) = match asked {
        Ok(asked) => asked,
        Err(diagnostic) => return output.failed(&diagnostic, None),
    };
    let cancel = CancellationToken::new();
    let waits = Waits { database: arguments.common.wait, lock: arguments.lock.lock_wait };
    let work = opened.work();
    let record = async |output: &mut crate::output::Output| -> Result<(), Error> {
        with_backend!(&database, backend => resolve(backend, work, name, verdict, waits, output, &cancel).await)
    };
    match watched(&mut output, &cancel, record).await {
        Ok(()) => output.resolved(name, verdict),
        Err(exit) => exit,
    }
}

/// Exactly one of the three.
fn own_verdict(arguments: &Resolve) -> Asked<'_> {
    let record = &arguments.record;
    match (&arguments.resume, &record.applied, &record.rolled_back) {
        (Some(name), None, None) => Ok((name, Verdict::Resume)),
        (Some(_), _, _) => {
            Err(Diagnostic::new(Code::Usage, "pass only one of `--resume`, `--rolled-back` and `--applied`"))
        }
        (None, None, None) => {
            Err(Diagnostic::new(Code::Usage, "one of `--resume`, `--rolled-back` and `--applied` is needed")
                .help("plimsoll resolve --resume 20201231000000_example")
                .help("plimsoll resolve --rolled-back 20201231000000_example")
                .help("plimsoll resolve --applied 20201231000000_example"))
        }
        (None, ..) => prisma_verdict(record),
    }
}

/// Exactly one of the two, with Prisma's words for anything else.
fn prisma_verdict(arguments: &Record) -> Asked<'_> {
    match (&arguments.applied, &arguments.rolled_back) {
        (Some(name), None) => Ok((name, Verdict::Applied)),
        (None, Some(name)) => Ok((name, Verdict::RolledBack)),
        (Some(_), Some(_)) => {
            Err(Diagnostic::new(Code::Usage, "Pass either --applied or --rolled-back, not both."))
        }
        (None, None) => {
            Err(Diagnostic::new(Code::Usage, "--applied or --rolled-back must be part of the command like:")
                .help("plimsoll resolve --applied 20201231000000_example")
                .help("plimsoll resolve --rolled-back 20201231000000_example"))
        }
    }
}
