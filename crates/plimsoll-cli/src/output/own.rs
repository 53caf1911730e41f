//! Our own words, for `plimsoll deploy` and its sisters.

use std::fmt::Write as _;
use std::time::Duration;

use plimsoll_core::plan::{self, Step};
use plimsoll_core::script::{How, Manner};
use plimsoll_core::standing::Standing;
use plimsoll_core::{Migration, Report};
use plimsoll_engine::resolve::Verdict;

use super::events::milliseconds;
use super::{Planned, answer};

pub(super) fn deployed(report: &Report, took: Duration) -> String {
    match report.applied.len() {
        0 => "up to date\n".to_owned(),
        1 => format!("1 migration applied in {}\n", milliseconds(took)),
        many => format!("{many} migrations applied in {}\n", milliseconds(took)),
    }
}

pub(super) fn standing(standing: &Standing) {
    let mut text = String::new();
    let mut line = |words: std::fmt::Arguments<'_>| {
        let _infallible = writeln!(text, "{words}");
    };
    for attempt in &standing.failed {
        line(format_args!("failed    {} (started at {})", attempt.migration, attempt.started_at));
        for detail in attempt.why().lines().map(str::to_owned).chain(attempt.how_far()) {
            line(format_args!("          {detail}"));
        }
        for way in attempt.ways_on() {
            line(format_args!("          - {way}"));
        }
    }
    for name in &standing.under_way {
        line(format_args!("under way {name} (or its runner died: the next one takes it up)"));
    }
    for name in &standing.pending {
        line(format_args!("pending   {name}"));
    }
    for name in &standing.edited {
        line(format_args!("edited    {name}"));
    }
    for name in &standing.ahead {
        line(format_args!("ahead     {name}"));
    }
    let open = standing.pending.len() + standing.under_way.len() + standing.failed.len();
    let up_to_date = if standing.is_up_to_date() { "up to date" } else { "not up to date" };
    line(format_args!(
        "{up_to_date}: {} of {} migrations applied",
        standing.found.saturating_sub(open),
        standing.found
    ));
    answer(&text);
}

pub(super) fn resolved(name: &str, verdict: Verdict) -> String {
    match verdict {
        Verdict::Applied => format!("{name} is recorded as applied\n"),
        Verdict::RolledBack => format!("{name} is recorded as rolled back\n"),
        Verdict::Resume => format!("{name} is carried on by the next deploy, where it failed\n"),
    }
}

pub(super) fn planned(planned: &Planned<'_>) {
    let (plan, mut text) = (planned.plan, String::new());
    if planned.database_missing {
        text += "the database does not exist: it would be created\n";
    }
    for step in &plan.steps {
        let how = planned.hows.get(step.migration.name());
        text += &step_line(step, how);
        text += &how.map(|how| reasons(step.migration, how)).unwrap_or_default();
    }
    for name in &plan.edited {
        let _infallible =
            writeln!(text, "edited    {name} (changed since it was applied, which has no effect)");
    }
    for name in &plan.ahead {
        let how = if plan.unfinished.contains(name) { "begun and not finished, and" } else { "applied, but" };
        let _infallible = writeln!(text, "ahead     {name} ({how} not in this project)");
    }
    if plan.is_up_to_date() {
        text += "up to date: nothing would be done\n";
    }
    answer(&text);
}

fn step_line(step: &Step<'_>, how: Option<&How>) -> String {
    let again = step.resume.map_or_else(String::new, |row| {
        let done = row.progress().map_or(0, |progress| progress.done.count);
        format!(
            ", taking up an attempt that is under way or whose runner died; {}",
            plan::statements_done(done)
        )
    });
    format!("apply     {} ({}{again})\n", step.migration.name(), manner(step.migration, how))
}

/// The statements that decide how a script would be run, a line each, and the first few of many.
fn reasons(migration: &Migration, how: &How) -> String {
    const MOST: usize = 3;
    let mut text = String::new();
    for because in how.because.iter().take(MOST) {
        let place = migration.place(because.span.clone()).map_or_else(String::new, |place| place.to_string());
        let _infallible = writeln!(text, "          {place}: {}", because.what);
    }
    if let Some(more) = how.because.len().checked_sub(MOST).filter(|more| *more > 0) {
        let _infallible = writeln!(text, "          and {more} more");
    }
    text
}

/// How a migration would be run, in words.
pub(super) fn manner(migration: &Migration, how: Option<&How>) -> String {
    let Some(how) = how else {
        let why = migration.script().err().unwrap_or("it has been applied");
        return format!("its script cannot be read: {why}");
    };
    match &how.manner {
        Manner::Transaction => "as one transaction with its history row".to_owned(),
        Manner::TransactionOfRows => {
            "as one transaction with its history row, if its tables have transactions".to_owned()
        }
        Manner::Segments(1) => "outside a transaction, recorded before and after".to_owned(),
        Manner::Segments(many) => format!("in {many} segments, each recorded"),
        Manner::Statements(1) => "one statement, recorded before and after".to_owned(),
        Manner::Statements(many) => format!("statement by statement, each of {many} recorded"),
        Manner::SelfManaged => "as it is, because it manages transactions by itself".to_owned(),
        Manner::Refused(diagnostic) => format!("refused: {diagnostic}"),
    }
}
