//! The results as text: Markdown that can be read on a terminal too.

use std::fmt::Write as _;

use crate::goals::{self, Verdict};
use crate::peer::Role;
use crate::results::{Cell, Entrant, Measured, Measurements, Results, Unit};

/// Everything that was measured.
pub(crate) fn document(results: &Results) -> String {
    let mut text =
        String::from("# Results\n\nMade by `cargo xtask bench --write`; [README.md](README.md) says how.\n");
    section(&mut text, "Machine", &facts(results));
    section(&mut text, "Goals", &goals(results));
    section(&mut text, "Medians", &medians(results));
    for row in &results.rows {
        let title = format!("{} (`{}`)", row.title, row.id);
        section(&mut text, &title, &details(row));
    }
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    write!(text, "\n## {title}\n\n{body}").expect("a string takes every text");
}

fn facts(results: &Results) -> String {
    let rows = results.facts.iter().map(|(name, fact)| vec![(*name).to_owned(), fact.clone()]);
    table(&["what", "is"], rows.collect())
}

/// The goals, and the rows in which somebody else is ahead.
pub(crate) fn goals(results: &Results) -> String {
    let verdict = |verdict| match verdict {
        Verdict::Met => "met",
        Verdict::NotMet => "**not met**",
        Verdict::Unknown => "unknown",
    };
    let goals = goals::all(results).into_iter();
    let rows = goals.map(|it| vec![it.row.to_owned(), it.claim, it.measured, verdict(it.verdict).to_owned()]);
    let table = table(&["row", "goal", "measured", "verdict"], rows.collect());
    let behind = goals::behind(results);
    if results.rows.iter().all(|row| row.fastest().is_none()) {
        return table;
    }
    if behind.is_empty() {
        return format!("{table}\nPlimsoll is ahead of every peer in every row that was measured.\n");
    }
    format!("{table}\nPlimsoll is behind in:\n\n* {}\n", behind.join("\n* "))
}

/// One line for each row, one column for each who was in any.
fn medians(results: &Results) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (entrant, _) in results.rows.iter().flat_map(|row| &row.cells) {
        if !names.contains(&entrant.name) {
            names.push(entrant.name);
        }
    }
    let median = |row: &Measurements, name: &str| {
        let cell = row.cells.iter().find(|(entrant, _)| entrant.name == name).map(|(_, cell)| cell);
        match cell {
            Some(Cell::Measured(it)) => amount(it.value.median, row.unit),
            Some(Cell::Failed(_)) => "error".into(),
            Some(Cell::Absent(_)) | None => "–".into(),
        }
    };
    let line = |row: &Measurements| {
        std::iter::once(row.title.to_owned()).chain(names.iter().map(|name| median(row, name))).collect()
    };
    let head: Vec<_> = std::iter::once("row").chain(names.iter().copied()).collect();
    table(&head, results.rows.iter().map(line).collect())
}

/// All that is known of one row.
pub(crate) fn details(row: &Measurements) -> String {
    let ours = row.measured().find(|(entrant, _)| entrant.role == Role::Ours).map(|(_, it)| it.value.median);
    let lines = row.cells.iter().map(|(entrant, cell)| detail(row.unit, entrant, cell, ours));
    table(
        &["who", "median", "min", "max", "of Plimsoll's", "CPU", "peak MiB", "runs", "remarks"],
        lines.collect(),
    )
}

fn detail(unit: Unit, entrant: &Entrant, cell: &Cell, ours: Option<f64>) -> Vec<String> {
    let name = match entrant.role {
        Role::Ours => format!("**{}** {}", entrant.name, entrant.version),
        Role::Rival => format!("{} {}", entrant.name, entrant.version),
        Role::Floor | Role::FloorOnce | Role::FloorAtOnce => format!("*{}*", entrant.name),
    };
    let mut line = vec![name];
    match cell {
        Cell::Measured(it) => line.extend(numbers(unit, it, ours)),
        Cell::Failed(why) => line.extend(nothing(format!("error: {}", plain(why)))),
        Cell::Absent(why) => line.extend(nothing(format!("not run: {}", plain(why)))),
    }
    line
}

fn numbers(unit: Unit, it: &Measured, ours: Option<f64>) -> [String; 8] {
    let times = ours.map_or_else(String::new, |ours| format!("{:.2} ×", it.value.median / ours));
    let alone = it.alone.map(|alone| format!("one alone {}", amount(alone, Unit::Seconds)));
    let note = Some(it.note.clone()).filter(|note| !note.is_empty());
    let [median, least, most] =
        [it.value.median, it.value.least, it.value.most].map(|value| amount(value, unit));
    let cpu = it.cpu.map_or_else(String::new, |cpu| amount(cpu, Unit::Seconds));
    let memory = it.mebibytes.map_or_else(String::new, |mebibytes| format!("{mebibytes:.1}"));
    let remarks = alone.into_iter().chain(note).collect::<Vec<_>>().join("; ");
    [median, least, most, times, cpu, memory, it.runs.to_string(), remarks]
}

fn nothing(why: String) -> [String; 8] {
    let mut line = [const { String::new() }; 8];
    line[7] = why;
    line
}

/// Nothing in it ends a cell of a table.
fn plain(text: &str) -> String {
    text.replace('|', "/").replace('`', "'").replace(['<', '>'], "")
}

/// With as many digits as mean something.
pub(crate) fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => format!("{:.1} MB", value / 1e6),
        Unit::Seconds if value < 0.1 => format!("{:.1} ms", value * 1000.0),
        Unit::Seconds if value < 1.0 => format!("{:.0} ms", value * 1000.0),
        Unit::Seconds => format!("{value:.2} s"),
    }
}

/// Columns of one width each.
fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut lines = vec![head.iter().map(|&it| it.to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
    let width =
        |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|it| it.chars().count()).max();
    let widths: Vec<_> = (0..head.len()).map(|column| width(column).unwrap_or_default()).collect();
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, rule);
    let padded = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(text, width)| format!("{text:width$}"));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    lines.iter().map(padded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{measured, row};

    #[test]
    fn an_error_is_never_a_number() {
        let cells = [
            ("plimsoll", Role::Ours, measured(0.0123)),
            ("a", Role::Rival, Cell::Failed("exit code 1: a | b".into())),
            ("b", Role::Rival, measured(2.46)),
            ("c", Role::Rival, Cell::Absent("does not wait".into())),
        ];
        let results = Results { facts: vec![("processor", "2 × X".into())], rows: vec![row("r", &cells)] };
        let text = document(&results);
        assert!(text.contains("| a row | 12.3 ms  | error | 2.46 s | – |"), "{text}");
        assert!(text.contains("error: exit code 1: a / b "), "{text}");
        assert!(text.contains("not run: does not wait"), "{text}");
        assert!(text.contains("| 200.00 ×"), "{text}");
    }

    #[test]
    fn amounts_have_the_digits_that_mean_something() {
        let seconds = [0.001_23, 0.0999, 0.45, 12.345].map(|it| amount(it, Unit::Seconds));
        assert_eq!(seconds, ["1.2 ms", "99.9 ms", "450 ms", "12.35 s"]);
        assert_eq!(amount(9_753_944.0, Unit::Bytes), "9.8 MB");
    }
}
