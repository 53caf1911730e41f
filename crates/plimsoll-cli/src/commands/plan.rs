//! `plan`: says what `deploy` would do and why, without doing it.

use plimsoll_core::history::Snapshot;
use plimsoll_engine::{CancellationToken, Error, Kind, inspect};

use super::{open, options, watched};
use crate::args::Plan;
use crate::database::{Intent, with_backend};
use crate::exit::Exit;
use crate::output::Voice;

pub(crate) async fn run(arguments: &Plan) -> Exit {
    let (opened, mut output) = match open(&arguments.common, &arguments.answer, "plan", Voice::Own) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let database = match opened.database(Intent::Read) {
        Ok(database) => database,
        Err(diagnostic) => return output.failed(&diagnostic, None),
    };
    let (cancel, options) = (CancellationToken::new(), options(&arguments.common));
    let read = async |output: &mut crate::output::Output| -> Result<Option<Snapshot>, Error> {
        let read =
            with_backend!(&database, backend => inspect::read(backend, &options, output, &cancel).await);
        match read {
            // `deploy` would create it.
            Err(error) if error.kind == Kind::Missing => Ok(None),
            read => read.map(Some),
        }
    };
    let found = match watched(&mut output, &cancel, read).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let missing = found.is_none();
    let snapshot = found.unwrap_or(Snapshot::Unmanaged { tables: Vec::new() });
    let plan = opened.work().plan(&snapshot, arguments.policy.if_ahead.into());
    output.planned(&opened, &plan, missing)
}
