//! `deploy`: applies the pending migrations.

use plimsoll_engine::{CancellationToken, Options};

use super::{open, stopped};
use crate::args::Deploy;
use crate::database::{Intent, with_backend};
use crate::exit::Exit;
use crate::output::Voice;
use crate::signals::{self, Ended};

pub(crate) async fn run(arguments: &Deploy, voice: Voice) -> Exit {
    let (opened, mut output) = match open(&arguments.common, "deploy", voice) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let database = match opened.database(Intent::Write) {
        Ok(database) => database,
        Err(diagnostic) => return output.failed(&diagnostic, None),
    };
    let options = Options {
        wait: arguments.common.wait,
        lock_wait: arguments.lock.lock_wait,
        if_ahead: arguments.policy.if_ahead.into(),
    };
    let cancel = CancellationToken::new();
    let work = opened.work();
    let deploy = async {
        with_backend!(&database, backend => plimsoll_engine::deploy(backend, work, &options, &mut output, &cancel).await)
    };
    let ended = signals::watched(&cancel, deploy).await;
    match ended {
        Ended::Finished(Ok(report)) | Ended::Stopped(_, Some(Ok(report))) => {
            output.deployed(&report, options.if_ahead)
        }
        Ended::Finished(Err(failure)) => output.failed(&failure.diagnostic, Some(&failure.report)),
        Ended::Stopped(number, Some(Err(failure))) => {
            stopped(&mut output, number, Some((&failure.diagnostic, Some(&failure.report))))
        }
        Ended::Stopped(number, None) => stopped(&mut output, number, None),
    }
}
