//! `deploy`: applies the pending migrations.

use plimsoll_engine::{CancellationToken, IfMissing, Options};

use super::{introduce_connecting, look_at_emptiness, stopped, told, voice_for};
use crate::args::{Deploy, Empty, Run};
use crate::database::with_backend;
use crate::exit::Exit;
use crate::output::{Output, Voice};
use crate::signals::{self, Ended, Signals};

pub(crate) async fn run(arguments: &Deploy, voice: Voice) -> Exit {
    let mut output =
        Output::new(voice_for(&arguments.answer, voice), "deploy", (&arguments.run.common.logging).into());
    let empty = arguments.run.empty.in_voice(voice);
    let exit = match migrate(&arguments.run, empty, &mut output).await {
        Ok(_too_late) => Exit::Success,
        Err(exit) => exit,
    };
    told(output, exit).await
}

/// Brings the database to the project's migrations, and says so; otherwise says why not. Returns the signal that arrived
/// when nothing was left to be stopped, and who listens to those that follow.
pub(super) async fn migrate(
    arguments: &Run,
    empty: Empty,
    output: &mut Output,
) -> Result<(Option<u8>, Signals), Exit> {
    let deadline = arguments.limits.deadline();
    if let Some(end) = deadline {
        signals::is_over_at(end.at());
    }
    // A file that is not there yet is waited for before the run begins.
    let mut common = arguments.common.clone();
    common.wait = deadline.map_or(common.wait, |end| end.left().min(common.wait));
    let (opened, database) = introduce_connecting(&common, output).await?;
    look_at_emptiness(&opened, empty, output)?;
    let database = database.map_err(|diagnostic| output.failed(&diagnostic, None))?;
    let options = Options {
        wait: arguments.common.wait,
        lock_wait: arguments.lock.lock_wait,
        if_ahead: arguments.policy.if_ahead.into(),
        if_missing: if opened.is_empty() && empty == Empty::Allowed {
            IfMissing::Fail
        } else {
            IfMissing::Create
        },
        limits: arguments.limits.of_statements(),
        deadline,
    };
    let cancel = CancellationToken::new();
    let work = opened.work();
    let deploy = async {
        with_backend!(&database, backend => plimsoll_engine::deploy(backend, work, &options, output, &cancel).await)
    };
    let mut signals = Signals::listen();
    let ended = signals.watch(&cancel, deploy).await;
    let (report, signal) = match ended {
        Ended::Finished(Ok(report)) => (report, None),
        Ended::Stopped(number, Some(Ok(report))) => (report, Some(number)),
        Ended::Finished(Err(failure)) => {
            return Err(output.failed(&failure.diagnostic, Some(&failure.report)));
        }
        Ended::Stopped(number, Some(Err(failure))) => {
            return Err(stopped(output, number, Some((&failure.diagnostic, Some(&failure.report)))));
        }
        Ended::Stopped(number, None) => return Err(stopped(output, number, None)),
    };
    output.deployed(&report, options.if_ahead);
    Ok((signal, signals))
}
