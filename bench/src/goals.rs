//! What is meant to be true of the numbers, and whether it is.

use crate::results::{Measurements, Results, Unit};

/// The floor that a run is compared with.
const ONE_BY_ONE: &str = "loop, 1 message";
/// The floor of many at once.
const NOBODY_WAITS: &str = "loop, nobody waits";
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// What a goal came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    NotMet,
    /// A number that it needs is not there.
    Unknown,
}

/// One goal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Goal {
    pub(crate) row: &'static str,
    /// What has to be true.
    pub(crate) claim: String,
    pub(crate) measured: String,
    pub(crate) verdict: Verdict,
}

/// All goals, in the order of their rows.
pub(crate) fn all(results: &Results) -> Vec<Goal> {
    vec![
        beside_fastest(results, "no-op-100", 0.8),
        beside(results, "no-op-100", "prisma", 1.0 / 60.0, "1/60"),
        memory(results, "no-op-100", 8.0),
        beside_fastest(results, "apply-1000", 0.75),
        beside(results, "apply-1000", ONE_BY_ONE, 1.05, "1.05"),
        beside_fastest(results, "far-200", 0.25),
        at_once(results, "runners-100", 1.5),
        size(results, 10_000_000.0),
        growth(results, 3.0),
        beside(results, "mysql-100", "mariadb < file", 1.25, "1.25"),
    ]
}

/// The rows in which a rival is ahead, with how far, or has a number where we have none.
pub(crate) fn behind(results: &Results) -> Vec<String> {
    let ahead = |row: &Measurements| {
        let (id, (name, theirs)) = (row.id, row.fastest()?);
        let Some(ours) = results.ours(id) else {
            return Some(format!("{id}: {name} has a number, and we have none"));
        };
        let ratio = theirs / ours.value.median;
        let of_what = match row.unit {
            Unit::Seconds => "takes",
            Unit::Bytes => "is",
        };
        (ratio < 1.0).then(|| format!("{id}: {name} {of_what} {ratio:.2} of ours"))
    };
    results.rows.iter().filter_map(ahead).collect()
}

fn verdict(value: Option<f64>, limit: f64) -> Verdict {
    match value {
        Some(value) if value <= limit => Verdict::Met,
        Some(_) => Verdict::NotMet,
        None => Verdict::Unknown,
    }
}

fn goal(
    row: &'static str,
    claim: String,
    value: Option<f64>,
    limit: f64,
    shown: impl Fn(f64) -> String,
) -> Goal {
    let measured = value.map_or_else(|| "not measured".to_owned(), shown);
    Goal { row, claim, measured, verdict: verdict(value, limit) }
}

fn beside_fastest(results: &Results, row: &'static str, limit: f64) -> Goal {
    let fastest = results.fastest(row);
    let ratio = fastest.and_then(|(_, theirs)| Some(results.ours(row)?.value.median / theirs));
    let name = fastest.map_or("", |(name, _)| name);
    goal(row, format!("at most {limit} of the fastest peer"), ratio, limit, |it| format!("{it:.2} of {name}"))
}

fn beside(results: &Results, row: &'static str, name: &str, limit: f64, shown: &str) -> Goal {
    let ratio = results.median(row, name).and_then(|theirs| Some(results.ours(row)?.value.median / theirs));
    let small = |it: f64| if it < 0.1 { format!("1/{:.0}", 1.0 / it) } else { format!("{it:.2}") };
    goal(row, format!("at most {shown} of {name}"), ratio, limit, small)
}

fn memory(results: &Results, row: &'static str, limit: f64) -> Goal {
    let most = results.ours(row).and_then(|it| it.mebibytes);
    goal(row, format!("at most {limit} MiB resident"), most, limit, |it| format!("{it:.1} MiB"))
}

/// A row with an error has no number: then not all have ended well.
///
/// To start so many and let them in takes a machine a time of its own: what is left of a run without it is shown beside.
fn at_once(results: &Results, row: &'static str, limit: f64) -> Goal {
    let ours = results.ours(row);
    let alone = ours.and_then(|it| it.alone);
    let ratio = |seconds: f64| alone.map(|alone| seconds / alone);
    let floor = results.median(row, NOBODY_WAITS).and_then(ratio);
    let floor = floor.map_or_else(String::new, |floor| format!("; {NOBODY_WAITS}: {floor:.2}"));
    let text = format!("all end with 0, in at most {limit} of the time of one alone");
    goal(row, text, ours.and_then(|it| ratio(it.value.median)), limit, |it| format!("{it:.2}{floor}"))
}

fn size(results: &Results, limit: f64) -> Goal {
    let bytes = results.ours("size").map(|it| it.value.median);
    let text = "a static binary of at most 10 MB".to_owned();
    goal("size", text, bytes, limit, |it| format!("{:.2} MB ({:.2} MiB)", it / 1e6, it / MEBIBYTE))
}

fn growth(results: &Results, limit: f64) -> Goal {
    let of = |row| results.ours(row).map(|it| it.value.median);
    let ratio = of("no-op-10000").and_then(|long| Some(long / of("no-op-100")?));
    goal("no-op-10000", format!("at most {limit} times `no-op-100`"), ratio, limit, |it| {
        format!("{it:.2} times")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Role;
    use crate::results::Cell;
    use crate::results::tests::{measured, row};

    fn results(rows: Vec<Measurements>) -> Results {
        Results { facts: Vec::new(), rows }
    }

    fn race(id: &'static str, ours: f64, theirs: f64) -> Measurements {
        row(id, &[("plimsoll", Role::Ours, measured(ours)), ("prisma", Role::Rival, measured(theirs))])
    }

    #[test]
    fn a_goal_is_met_at_its_limit_and_not_beyond() {
        for (ours, expected) in [(0.2, Verdict::Met), (0.25, Verdict::Met), (0.26, Verdict::NotMet)] {
            let results = results(vec![race("far-200", ours, 1.0)]);
            assert_eq!(beside_fastest(&results, "far-200", 0.25).verdict, expected, "{ours}");
        }
    }

    #[test]
    fn a_small_ratio_is_shown_as_a_fraction() {
        let results = results(vec![race("no-op-100", 0.01, 0.8)]);
        let goal = beside(&results, "no-op-100", "prisma", 1.0 / 60.0, "1/60");
        assert_eq!((goal.measured.as_str(), goal.verdict), ("1/80", Verdict::Met));
    }

    #[test]
    fn what_was_not_measured_or_has_failed_is_no_success() {
        assert!(all(&Results::default()).iter().all(|goal| goal.verdict == Verdict::Unknown));
        let failed = ("plimsoll", Role::Ours, Cell::Failed("99 of 100 ended with 0".into()));
        let results = results(vec![row("runners-100", &[failed])]);
        assert_eq!(at_once(&results, "runners-100", 1.5).verdict, Verdict::Unknown);
    }

    #[test]
    fn many_at_once_are_compared_with_one_alone() {
        let mut race = race("runners-100", 3.0, 1.0);
        let Cell::Measured(ours) = &mut race.cells[0].1 else { unreachable!("it has numbers") };
        ours.alone = Some(2.0);
        let goal = at_once(&results(vec![race.clone()]), "runners-100", 1.5);
        assert_eq!((goal.measured.as_str(), goal.verdict), ("1.50", Verdict::Met));
        race.cells.extend(row("runners-100", &[(NOBODY_WAITS, Role::FloorAtOnce, measured(2.5))]).cells);
        let goal = at_once(&results(vec![race]), "runners-100", 1.5);
        assert_eq!(goal.measured, "1.50; loop, nobody waits: 1.25");
    }

    #[test]
    fn a_row_in_which_a_rival_is_ahead_is_named() {
        let mut failed = race("c", 1.0, 2.0);
        failed.cells[0].1 = Cell::Failed("exit code 1".into());
        let mut larger = race("size", 2.0, 1.0);
        larger.unit = Unit::Bytes;
        let results = results(vec![race("a", 1.0, 2.0), race("b", 1.0, 0.5), failed, larger]);
        assert_eq!(
            behind(&results),
            [
                "b: prisma takes 0.50 of ours",
                "c: prisma has a number, and we have none",
                "size: prisma is 0.50 of ours"
            ]
        );
    }
}
