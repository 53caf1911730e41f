//! A row as bars.

use svg::Document;
use svg::node::element::{Rectangle, Style, Text, Title};

use crate::peer::Role;
use crate::results::{Entrant, Measured, Measurements};
use crate::table::amount;

const WIDTH: f64 = 760.0;
const NAMES: f64 = 170.0;
const VALUES: f64 = 80.0;
const LINE: f64 = 24.0;
const BAR: f64 = 16.0;
const TOP: f64 = 40.0;

/// Readable on white and on black.
const STYLE: &str = "text { font: 13px sans-serif; fill: #777; } .title { font-weight: bold; } \
                     .ours { fill: #1f6feb; } .rival { fill: #8b949e; } .floor { fill: #d4a72c; }";

/// The fastest first; nothing if nobody has a number.
pub(crate) fn bars(row: &Measurements) -> Option<String> {
    let mut bars: Vec<_> = row.measured().collect();
    bars.sort_by(|left, right| left.1.value.median.total_cmp(&right.1.value.median));
    let most = bars.last()?.1.value.median;
    let lines = f64::from(u32::try_from(bars.len()).ok()?);
    let mut document = Document::new()
        .set("viewBox", (0.0, 0.0, WIDTH, TOP + lines * LINE + 8.0))
        .set("role", "img")
        .add(Title::new(row.title))
        .add(Style::new(STYLE))
        .add(Text::new(row.title).set("class", "title").set("x", 8).set("y", 22));
    let mut y = TOP;
    for (entrant, measured) in bars {
        document = add_bar(document, row, entrant, measured, most, y);
        y += LINE;
    }
    Some(format!("{document}\n"))
}

fn add_bar(
    document: Document,
    row: &Measurements,
    entrant: &Entrant,
    measured: &Measured,
    most: f64,
    y: f64,
) -> Document {
    let class = match entrant.role {
        Role::Ours => "ours",
        Role::Rival => "rival",
        Role::Floor | Role::FloorOnce | Role::FloorAtOnce => "floor",
    };
    // Something has to be seen of the shortest one.
    let length = (measured.value.median / most * (WIDTH - NAMES - VALUES)).max(1.0);
    let length = (length * 10.0).round() / 10.0;
    let middle = y + BAR - 3.0;
    let name = Text::new(entrant.name).set("x", NAMES - 8.0).set("y", middle).set("text-anchor", "end");
    let bar = Rectangle::new().set("class", class).set("x", NAMES).set("y", y);
    let value =
        Text::new(amount(measured.value.median, row.unit)).set("x", NAMES + length + 6.0).set("y", middle);
    document.add(name).add(bar.set("width", length).set("height", BAR)).add(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Cell;
    use crate::results::tests::{measured, row};

    #[test]
    fn bars_are_as_long_as_their_numbers_and_errors_have_none() {
        let cells = [
            ("b < c", Role::Rival, measured(2.0)),
            ("plimsoll", Role::Ours, measured(1.0)),
            ("broken", Role::Rival, Cell::Failed("exit code 1".into())),
        ];
        let svg = bars(&row("r", &cells)).unwrap();
        assert!(svg.contains("width=\"510\"") && svg.contains("width=\"255\""), "{svg}");
        assert!(svg.contains("b &lt; c") && !svg.contains("broken"), "{svg}");
        assert!(svg.find("plimsoll") < svg.find("b &lt; c"), "{svg}");
        assert_eq!(bars(&row("r", &cells[2..])), None);
    }
}
