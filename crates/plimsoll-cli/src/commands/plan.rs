//! `plan`: says what `deploy` would do and why, without doing it.

use std::collections::HashMap;

use plimsoll_core::Migration;
use plimsoll_core::history::Snapshot;
use plimsoll_core::script::How;
use plimsoll_engine::{CancellationToken, Error, Kind, inspect};

use super::{open, watched};
use crate::args::Plan;
use crate::database::{Intent, Opened, with_backend};
use crate::exit::Exit;
use crate::output::{Planned, Voice};

pub(crate) async fn run(arguments: &Plan) -> Exit {
    let (opened, mut output) = match open(&arguments.common, &arguments.answer, "plan", Voice::Own) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let database = match opened.database(Intent::Read) {
        Ok(database) => database,
        Err(diagnostic) => return output.failed(&diagnostic, None),
    };
    let (cancel, wait) = (CancellationToken::new(), arguments.common.wait);
    let migrations = &opened.project.migrations;
    let read = async |output: &mut crate::output::Output| -> Result<_, Error> {
        let read = with_backend!(&database, backend => inspect::read_for_plan(backend, migrations, wait, output, &cancel).await);
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
    let (snapshot, hows) =
        found.unwrap_or_else(|| (Snapshot::Unmanaged { tables: Vec::new() }, unseen(&opened)));
    let plan = opened.work().plan(&snapshot, arguments.policy.if_ahead.into());
    output.planned(&Planned { plan: &plan, hows: &hows, database_missing: missing })
}

/// How the scripts would be run in a database that does not exist yet.
fn unseen(opened: &Opened) -> HashMap<String, How> {
    let project = &opened.project;
    let how = |migration: &Migration| {
        let text = migration.script().ok()?.text();
        Some((migration.name().to_owned(), How::unseen(project.datasource.provider, migration, text)))
    };
    project.migrations.list().iter().filter_map(how).collect()
}
