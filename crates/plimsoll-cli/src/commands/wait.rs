//! `wait`: waits until the database stands at the project's migrations, applying nothing.

use plimsoll_engine::{CancellationToken, Error, Options, inspect};

use super::{look_at_emptiness, open, options, watched};
use crate::args::Wait;
use crate::database::{Intent, with_backend};
use crate::exit::Exit;
use crate::output::Voice;

pub(crate) async fn run(arguments: &Wait) -> Exit {
    let (opened, mut output) = match open(&arguments.common, &arguments.answer, "wait", Voice::Own) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    if let Err(exit) = look_at_emptiness(&opened, arguments.empty.in_voice(Voice::Own), &mut output) {
        return exit;
    }
    let database = match opened.database(Intent::Read) {
        Ok(database) => database,
        Err(diagnostic) => return output.failed(&diagnostic, None),
    };
    let cancel = CancellationToken::new();
    let options = Options { if_ahead: arguments.policy.if_ahead.into(), ..options(&arguments.common) };
    let work = opened.work();
    let wait = async |output: &mut crate::output::Output| -> Result<(), Error> {
        with_backend!(&database, backend =>
            inspect::wait_until_current(backend, work, &options, output, &cancel).await)
    };
    match watched(&mut output, &cancel, wait).await {
        Ok(()) => output.current(),
        Err(exit) => exit,
    }
}
