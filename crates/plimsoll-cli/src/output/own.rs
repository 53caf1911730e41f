//! Our own words, for `plimsoll deploy` and its sisters.

use std::fmt::Write as _;
use std::time::Duration;

use plimsoll_core::plan::{self, Plan};
use plimsoll_core::script::{Shape, postgres, sqlite};
use plimsoll_core::standing::Standing;
use plimsoll_core::{Provider, Report};
use plimsoll_engine::resolve::Verdict;

use super::answer;
use super::events::milliseconds;
use crate::database::Opened;

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
        for way in plan::ways_on(attempt) {
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
        Verdict::Resume => format!("{name} is carried on by the next deploy, at the step that failed\n"),
    }
}

pub(super) fn planned(opened: &Opened, plan: &Plan<'_>, database_missing: bool) {
    let mut text = String::new();
    if database_missing {
        text += "the database does not exist: it would be created\n";
    }
    for step in &plan.steps {
        let how = how(opened, step.migration);
        let again = if step.resume.is_some() {
            ", taking up an attempt that is under way or whose runner died"
        } else {
            ""
        };
        let _infallible = writeln!(text, "apply     {} ({how}{again})", step.migration.name());
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

/// How a migration would be run, and why.
pub(super) fn how(opened: &Opened, migration: &plimsoll_core::Migration) -> String {
    let script = match migration.script() {
        Ok(script) => script,
        Err(why) => return format!("its script cannot be read: {why}"),
    };
    let shape = match opened.project.datasource.provider {
        Provider::Sqlite => sqlite::shape(script.text()).0,
        _ => postgres::shape(script.text()),
    };
    let line = |span: std::ops::Range<usize>| migration.place(span).map_or(0, |place| place.line());
    match shape {
        Shape::Atomic(_) => "as one transaction with its history row".to_owned(),
        Shape::Alone(alone) => {
            format!("outside a transaction, because of {} in line {}", alone.what, line(alone.span))
        }
        Shape::SelfManaged { because } => {
            format!("as it is, because it manages transactions by itself from line {} on", line(because))
        }
        Shape::Refused(refusal) => format!("refused: {}", refusal.diagnostic(migration)),
    }
}
