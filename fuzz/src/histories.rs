//! What has to be true of whatever a database says that its history is, and of what is planned from that.
//!
//! A text is a history: one row on each line, its fields between tabs, any of which may be missing. The first lines with
//! nothing but a name are the migrations of the project.

use std::collections::HashSet;

use plimsoll_core::history::{History, Instant, Progress, Row, RowState, Snapshot};
use plimsoll_core::plan::{IfAhead, Plan, plan};
use plimsoll_core::standing::Standing;
use plimsoll_core::{Migration, Migrations, Provider, Script};

const SCRIPT: &str = "CREATE TABLE a (id int);";

/// Panics unless a plan that is made from this history is one that may be carried out.
pub fn check(text: &str) {
    let is_name = |line: &&str| !line.contains('\t');
    let names: HashSet<&str> = text.lines().take_while(is_name).collect();
    let list = names.iter().map(|name| Migration::new(*name, *name, Script::new(SCRIPT))).collect();
    let migrations = Migrations::new(list, None);
    let rows: Vec<Row> = text.lines().skip_while(is_name).map(row).collect();
    for row in &rows {
        progress(row);
    }
    let snapshot = Snapshot::Managed(History::new(rows));
    for if_ahead in IfAhead::ALL {
        let plan = plan(&migrations, Provider::Postgresql, &snapshot, if_ahead);
        safe(&plan, &migrations, snapshot.history());
        agrees(&plan, &Standing::of(&migrations, &snapshot));
    }
}

fn row(line: &str) -> Row {
    let fields: Vec<&str> = line.split('\t').collect();
    let field = |n: usize| fields.get(n).copied().unwrap_or_default();
    let instant = |n: usize| Instant::parse_sqlite(field(n));
    Row {
        id: field(1).to_owned(),
        migration_name: field(0).to_owned(),
        checksum: field(2).to_owned(),
        started_at: instant(3).unwrap_or(Instant(i64::MIN)),
        finished_at: instant(4),
        rolled_back_at: instant(5),
        applied_steps_count: field(6).parse().unwrap_or(i64::MAX),
        logs: fields.get(7).map(|logs| logs.replace("\\n", "\n")),
    }
}

/// What is understood of a row says the same when it is written again.
fn progress(row: &Row) {
    let _ = format!("{} {}", row.started_at, row.started_at.to_the_second());
    if let Some(progress) = row.progress() {
        assert_eq!(Progress::parse(&progress.log("words")).as_ref(), Some(&progress));
    }
}

/// Nothing is applied twice, nothing is left out without a word, and nothing is done where anything is in the way.
fn safe(plan: &Plan<'_>, migrations: &Migrations, history: &History) {
    let applied = |name: &str| history.rows_of(name).any(|row| row.state() == RowState::Applied);
    let planned: Vec<&str> = plan.steps.iter().map(|step| step.migration.name()).collect();
    let in_order: Vec<&str> =
        migrations.list().iter().map(Migration::name).filter(|name| planned.contains(name)).collect();
    assert_eq!(planned, in_order, "each at most once, in the order of the project");
    assert!(!planned.iter().any(|name| applied(name)), "{planned:?} would be applied twice");
    for step in &plan.steps {
        assert!(step.resume.is_none_or(Row::is_resumable), "{:?} is nothing to take up", step.resume);
    }
    if let Some(blocked) = &plan.blocked {
        let told = blocked.diagnostic();
        assert!(planned.is_empty() && !told.message.is_empty() && !told.help.is_empty(), "{told:?}");
        return;
    }
    let mut names = migrations.list().iter().map(Migration::name);
    let missing = names.find(|name| !applied(name) && !planned.contains(name));
    assert_eq!(missing, None, "neither applied nor planned, and nothing is said");
}

/// `status` does not call done what `deploy` would do.
fn agrees(plan: &Plan<'_>, standing: &Standing) {
    let is_open = !plan.steps.is_empty();
    assert!(!(is_open && standing.is_up_to_date()), "status says that nothing is to be done: {plan:?}");
}
