//! Counts beside their baseline.

use std::fmt::Write as _;

use super::baseline::Counts;

/// How much a count may differ, in thousandths of its baseline.
const TOLERANCE: u64 = 50;

/// One line of the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    name: String,
    verdict: Verdict,
}

/// What has become of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is in both.
    Known { then: u64, now: u64 },
    /// The baseline does not have it.
    New(u64),
    /// It is not taken any more.
    Gone(u64),
}

impl Row {
    /// Whether the baseline has this count, up to the tolerance.
    pub(super) fn is_as_it_was(&self) -> bool {
        match self.verdict {
            Verdict::Known { then, now } => now.abs_diff(then) * 1000 <= then * TOLERANCE,
            Verdict::New(_) | Verdict::Gone(_) => false,
        }
    }

    fn cells(&self) -> [String; 4] {
        let (then, now, difference) = match self.verdict {
            Verdict::Known { then, now } => (grouped(then), grouped(now), percent(then, now)),
            Verdict::New(now) => ("-".into(), grouped(now), "new".into()),
            Verdict::Gone(then) => (grouped(then), "-".into(), "gone".into()),
        };
        let mark = if self.is_as_it_was() { "" } else { " !" };
        [self.name.clone(), now, then, difference + mark]
    }
}

/// Every count of either, in the order in which they are taken.
pub(super) fn rows(then: &Counts, now: &Counts) -> Vec<Row> {
    let find =
        |counts: &Counts, name: &str| counts.iter().find(|(it, _)| it == name).map(|(_, count)| *count);
    let taken = now.iter().map(|(name, now)| {
        let verdict = find(then, name).map_or(Verdict::New(*now), |then| Verdict::Known { then, now: *now });
        Row { name: name.clone(), verdict }
    });
    let gone = then.iter().filter(|(name, _)| find(now, name).is_none());
    taken.chain(gone.map(|(name, then)| Row { name: name.clone(), verdict: Verdict::Gone(*then) })).collect()
}

/// The rows for people.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<24}{:>16}{:>16}{:>14}\n", "instructions", "now", "baseline", "difference");
    for [name, now, then, difference] in rows.iter().map(Row::cells) {
        let _infallible = writeln!(text, "{name:<24}{now:>16}{then:>16}{difference:>14}");
    }
    text
}

/// `1234567` as `1,234,567`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let behind = |at: usize| digits.len() - at;
    let with_comma = |(at, digit): (usize, char)| {
        let comma = (at > 0 && behind(at).is_multiple_of(3)).then_some(',');
        comma.into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(with_comma).collect()
}

/// The difference with its sign and one digit behind the point.
fn percent(then: u64, now: u64) -> String {
    let thousandths = now.abs_diff(then) * 1000 / then.max(1);
    let sign = if now < then { '-' } else { '+' };
    format!("{sign}{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(list: &[(&str, u64)]) -> Counts {
        list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    fn differ(then: &[(&str, u64)], now: &[(&str, u64)]) -> Vec<bool> {
        rows(&counts(then), &counts(now)).iter().map(|row| !row.is_as_it_was()).collect()
    }

    #[test]
    fn five_percent_more_or_less_are_let_pass_and_no_more() {
        for (now, differs) in [(949, true), (950, false), (1000, false), (1050, false), (1051, true)] {
            assert_eq!(differ(&[("a", 1000)], &[("a", now)]), [differs], "{now}");
        }
    }

    #[test]
    fn a_count_that_only_one_of_them_has_does_not_pass() {
        assert_eq!(differ(&[("a", 1), ("b", 1)], &[("a", 1)]), [false, true]);
        assert_eq!(differ(&[("a", 1)], &[("a", 1), ("b", 1)]), [false, true]);
    }

    #[test]
    fn the_table_has_count_baseline_and_difference() {
        let rows = rows(&counts(&[("a", 1_000_000), ("c", 1)]), &counts(&[("a", 1_062_000), ("b", 12_345)]));
        let expected = "\
instructions                         now        baseline    difference
a                              1,062,000       1,000,000      +6.2 % !
b                                 12,345               -         new !
c                                      -               1        gone !
";
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn a_difference_has_its_sign() {
        assert_eq!([percent(1000, 949), percent(1000, 1000)], ["-5.1 %", "+0.0 %"]);
        assert_eq!(grouped(123), "123");
    }
}
