//! `wait`: waits until the database stands at the project's migrations, applying nothing.

use plimsoll_engine::{CancellationToken, Error, inspect};

use super::{introduce, look_at_emptiness, told, voice_for, watched};
use crate::args::Wait;
use crate::database::{Intent, with_backend};
use crate::exit::Exit;
use crate::output::{Output, Voice};

pub(crate) async fn run(arguments: &Wait) -> Exit {
    let voice = voice_for(&arguments.answer, Voice::Own);
    let mut output = Output::new(voice, "wait", (&arguments.common.logging).into());
    let exit = match wait(arguments, &mut output).await {
        Ok(()) => output.current(),
        Err(exit) => exit,
    };
    told(output, exit).await
}

async fn wait(arguments: &Wait, output: &mut Output) -> Result<(), Exit> {
    let opened = introduce(&arguments.common, output)?;
    look_at_emptiness(&opened, arguments.empty.in_voice(Voice::Own), output)?;
    let database = opened.database(Intent::Read).map_err(|diagnostic| output.failed(&diagnostic, None))?;
    let cancel = CancellationToken::new();
    let (at_most, if_ahead) = (arguments.common.wait, arguments.policy.if_ahead.into());
    let work = opened.work();
    let wait = async |output: &mut Output| -> Result<(), Error> {
        with_backend!(&database, backend =>
            inspect::wait_until_current(backend, work, at_most, if_ahead, output, &cancel).await)
    };
    watched(output, &cancel, wait).await
}
