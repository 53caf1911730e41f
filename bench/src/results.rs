//! What was measured, as values.

use serde_json::{Value, json};

use crate::peer::Role;
use crate::stats::Summary;

/// What a row's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
}

/// What came of one peer in one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Measured(Measured),
    /// It ended with an error, or did not do what it should have.
    Failed(String),
    /// It was not tried.
    Absent(String),
}

/// Numbers that stand for a success each time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// How many runs were counted.
    pub(crate) runs: usize,
    pub(crate) value: Summary,
    /// The median of the seconds in user and system.
    pub(crate) cpu: Option<f64>,
    /// The most that a process had at any time.
    pub(crate) mebibytes: Option<f64>,
    /// The median of one runner alone, where the row has many at once.
    pub(crate) alone: Option<f64>,
    pub(crate) note: String,
}

/// A peer that took part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entrant {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) role: Role,
}

/// A row with a cell for each peer that can do such a thing, in the order of the peers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measurements {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    pub(crate) cells: Vec<(Entrant, Cell)>,
}

/// Everything.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// What the numbers depend on.
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) rows: Vec<Measurements>,
}

impl Results {
    /// What was measured of Plimsoll in a row.
    pub(crate) fn ours(&self, row: &str) -> Option<&Measured> {
        self.row(row)?
            .measured()
            .find(|(entrant, _)| entrant.role == Role::Ours)
            .map(|(_, measured)| measured)
    }

    /// The median of somebody in a row.
    pub(crate) fn median(&self, row: &str, name: &str) -> Option<f64> {
        let (_, measured) = self.row(row)?.measured().find(|(entrant, _)| entrant.name == name)?;
        Some(measured.value.median)
    }

    /// The fastest rival in a row.
    pub(crate) fn fastest(&self, row: &str) -> Option<(&'static str, f64)> {
        self.row(row)?.fastest()
    }

    /// A row, if it was asked for and it is done.
    pub(crate) fn row(&self, id: &str) -> Option<&Measurements> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// For programs to read.
    pub(crate) fn json(&self) -> Value {
        let facts: serde_json::Map<_, _> =
            self.facts.iter().map(|(name, fact)| ((*name).to_owned(), json!(fact))).collect();
        json!({ "facts": facts, "rows": self.rows.iter().map(Measurements::json).collect::<Vec<_>>() })
    }
}

impl Measurements {
    /// Those that have numbers.
    pub(crate) fn measured(&self) -> impl Iterator<Item = (&Entrant, &Measured)> {
        self.cells.iter().filter_map(|(entrant, cell)| match cell {
            Cell::Measured(measured) => Some((entrant, measured)),
            Cell::Failed(_) | Cell::Absent(_) => None,
        })
    }

    /// The rival with the least median.
    pub(crate) fn fastest(&self) -> Option<(&'static str, f64)> {
        let rivals = self.measured().filter(|(entrant, _)| entrant.role == Role::Rival);
        let medians = rivals.map(|(entrant, measured)| (entrant.name, measured.value.median));
        medians.min_by(|left, right| left.1.total_cmp(&right.1))
    }

    fn json(&self) -> Value {
        let unit = match self.unit {
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
        };
        let cells: Vec<_> = self.cells.iter().map(|(entrant, cell)| cell_json(entrant, cell)).collect();
        json!({ "row": self.id, "title": self.title, "unit": unit, "peers": cells })
    }
}

fn cell_json(entrant: &Entrant, cell: &Cell) -> Value {
    let Entrant { name, version, role } = entrant;
    let role = match role {
        Role::Ours => "ours",
        Role::Rival => "rival",
        Role::Floor | Role::FloorOnce | Role::FloorAtOnce => "floor",
    };
    match cell {
        Cell::Measured(it) => json!({
            "peer": name, "version": version, "role": role, "runs": it.runs,
            "median": it.value.median, "min": it.value.least, "max": it.value.most,
            "cpu_seconds": it.cpu, "peak_mebibytes": it.mebibytes, "alone": it.alone, "note": it.note,
        }),
        Cell::Failed(why) => json!({ "peer": name, "version": version, "role": role, "error": why }),
        Cell::Absent(why) => json!({ "peer": name, "version": version, "role": role, "not_run": why }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn measured(median: f64) -> Cell {
        let value = Summary { median, least: median, most: median };
        Cell::Measured(Measured {
            runs: 3,
            value,
            cpu: None,
            mebibytes: None,
            alone: None,
            note: String::new(),
        })
    }

    pub(crate) fn row(id: &'static str, cells: &[(&'static str, Role, Cell)]) -> Measurements {
        let entrant = |name, role| Entrant { name, version: "1", role };
        let cells = cells.iter().map(|(name, role, cell)| (entrant(*name, *role), cell.clone())).collect();
        Measurements { id, title: "a row", unit: Unit::Seconds, cells }
    }

    #[test]
    fn the_fastest_rival_is_neither_a_floor_nor_one_that_failed() {
        let row = row(
            "r",
            &[
                ("plimsoll", Role::Ours, measured(0.1)),
                ("psql", Role::FloorOnce, measured(0.2)),
                ("loop", Role::Floor, measured(0.2)),
                ("a", Role::Rival, Cell::Failed("exit code 1".into())),
                ("b", Role::Rival, measured(0.5)),
                ("c", Role::Rival, measured(0.4)),
            ],
        );
        assert_eq!(row.fastest(), Some(("c", 0.4)));
        let results = Results { facts: Vec::new(), rows: vec![row] };
        assert_eq!(results.median("r", "a"), None);
        assert_eq!(results.ours("r").map(|it| it.value.median), Some(0.1));
        assert_eq!(results.fastest("other"), None);
    }

    #[test]
    fn an_error_has_no_number_in_the_json() {
        let row = row("r", &[("a", Role::Rival, Cell::Failed("exit code 1".into()))]);
        let json = Results { facts: Vec::new(), rows: vec![row] }.json();
        assert_eq!(json["rows"][0]["peers"][0]["error"], "exit code 1");
        assert_eq!(json["rows"][0]["peers"][0].get("median"), None);
    }
}
