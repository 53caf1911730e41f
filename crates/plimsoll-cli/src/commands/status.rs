//! `status`: says where the database stands.

use plimsoll_core::plan;
use plimsoll_core::standing::Standing;
use plimsoll_engine::{CancellationToken, Error, inspect};

use super::{open, watched};
use crate::args::Status;
use crate::database::{Intent, with_backend};
use crate::exit::Exit;
use crate::output::Voice;

pub(crate) async fn run(arguments: &Status, voice: Voice) -> Exit {
    let (opened, mut output) = match open(&arguments.common, &arguments.answer, "status", voice) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let work = opened.work();
    let database = match plan::check_provider(work.migrations, work.provider) {
        Some(blocked) => Err(blocked.diagnostic()),
        None => opened.database(Intent::Read),
    };
    let database = match database {
        Ok(database) => database,
        Err(diagnostic) => return output.failed(&diagnostic, None),
    };
    let (cancel, wait) = (CancellationToken::new(), arguments.common.wait);
    let read = async |output: &mut crate::output::Output| -> Result<_, Error> {
        with_backend!(&database, backend => inspect::read(backend, wait, output, &cancel).await)
    };
    match watched(&mut output, &cancel, read).await {
        Ok(snapshot) => output.standing(&Standing::of(work.migrations, &snapshot)),
        Err(exit) => exit,
    }
}
