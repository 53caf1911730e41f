//! What is measured: the rows of the table.

use crate::history::Style;
use crate::options::Mode;
use crate::peer::{Peer, Role};
use crate::results::{Results, Unit};
use crate::rounds::Pace;
use crate::servers::Place;

/// A row that only those are asked for who took no longer than so many seconds for less, in a row before it.
struct Less {
    row: &'static str,
    seconds: f64,
}

const LESS_FAR: Less = Less { row: "far-200", seconds: 3.5 };
const LESS_HISTORY: Less = Less { row: "apply-1000", seconds: 6.0 };

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) what: What,
}

/// What is done in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Only started, to say its version.
    Start,
    /// Run on a database that is up to date.
    Again(Place, Style),
    /// Run on an empty database.
    Apply(Place, Style),
    /// So many at once on an empty database, with a hundred migrations.
    Runners(u32),
    /// Run before its database is there.
    Late,
    /// Not run: weighed.
    Size,
}

const fn row(id: &'static str, title: &'static str, what: What) -> Row {
    Row { id, title, what }
}

/// In this order.
pub(crate) const ROWS: [Row; 28] = [
    row("size", "What has to be installed", What::Size),
    row("start", "Cold start, `--version`", What::Start),
    row("no-op-0", "Nothing to do, no migrations", What::Again(Place::Postgres, Style::Schema(0))),
    row("no-op-100", "Nothing to do, 100 applied", What::Again(Place::Postgres, Style::Schema(100))),
    row("no-op-1000", "Nothing to do, 1000 applied", What::Again(Place::Postgres, Style::Schema(1000))),
    row("apply-1", "Apply 1", What::Apply(Place::Postgres, Style::Schema(1))),
    row("apply-100", "Apply 100", What::Apply(Place::Postgres, Style::Schema(100))),
    row("apply-1000", "Apply 1000", What::Apply(Place::Postgres, Style::Schema(1000))),
    row("no-op-10000", "Nothing to do, 10,000 applied", What::Again(Place::Postgres, Style::Light(10_000))),
    row(
        "far-no-op-100",
        "Nothing to do, 100 applied, 2 ms away",
        What::Again(Place::FarPostgres, Style::Schema(100)),
    ),
    row("far-1", "Apply 1, 2 ms away", What::Apply(Place::FarPostgres, Style::Schema(1))),
    row("far-100", "Apply 100, 2 ms away", What::Apply(Place::FarPostgres, Style::Schema(100))),
    row("far-200", "Apply 200, 2 ms away", What::Apply(Place::FarPostgres, Style::Schema(200))),
    row("far-1000", "Apply 1000, 2 ms away", What::Apply(Place::FarPostgres, Style::Schema(1000))),
    row(
        "tls-no-op-100",
        "Nothing to do, 100 applied, TLS",
        What::Again(Place::TlsPostgres, Style::Schema(100)),
    ),
    row("tls-100", "Apply 100, TLS", What::Apply(Place::TlsPostgres, Style::Schema(100))),
    row("script", "Apply one script of 5 MB", What::Apply(Place::Postgres, Style::Long)),
    row("runners-8", "8 runners at once, 100 migrations", What::Runners(8)),
    row("runners-100", "100 runners at once, 100 migrations", What::Runners(100)),
    row(
        "mysql-no-op-100",
        "Nothing to do, 100 applied, MySQL",
        What::Again(Place::Mysql, Style::Schema(100)),
    ),
    row("mysql-100", "Apply 100, MySQL", What::Apply(Place::Mysql, Style::Schema(100))),
    row(
        "mariadb-no-op-100",
        "Nothing to do, 100 applied, MariaDB",
        What::Again(Place::Mariadb, Style::Schema(100)),
    ),
    row("mariadb-100", "Apply 100, MariaDB", What::Apply(Place::Mariadb, Style::Schema(100))),
    row(
        "sqlite-no-op-100",
        "Nothing to do, 100 applied, SQLite",
        What::Again(Place::Sqlite, Style::Schema(100)),
    ),
    row("sqlite-1", "Apply 1, SQLite", What::Apply(Place::Sqlite, Style::Schema(1))),
    row("sqlite-100", "Apply 100, SQLite", What::Apply(Place::Sqlite, Style::Schema(100))),
    row("sqlite-1000", "Apply 1000, SQLite", What::Apply(Place::Sqlite, Style::Schema(1000))),
    row("late", "A database that comes up later: until it is found and 1 applied", What::Late),
];

impl Row {
    pub(crate) fn unit(&self) -> Unit {
        if self.what == What::Size { Unit::Bytes } else { Unit::Seconds }
    }

    /// Where its database is; of what needs none, where that would be.
    pub(crate) fn place(&self) -> Place {
        match self.what {
            What::Again(place, _) | What::Apply(place, _) => place,
            What::Start | What::Runners(_) | What::Late | What::Size => Place::Postgres,
        }
    }

    /// How many runs there are of it.
    pub(crate) fn pace(&self, mode: Mode) -> Pace {
        match self.what {
            What::Late | What::Apply(Place::FarPostgres, Style::Schema(1000)) => Pace::of_long_rows(mode),
            _ => Pace::of(mode),
        }
    }

    /// What rivals are asked to do before this, if it takes long. A quick run is not for them then.
    fn less(&self) -> Option<Less> {
        match self.what {
            What::Again(_, Style::Light(_)) => Some(LESS_HISTORY),
            What::Apply(Place::FarPostgres, Style::Schema(1000)) => Some(LESS_FAR),
            _ => None,
        }
    }

    /// Whether this can be done at all by somebody who is what the peer is.
    pub(crate) fn fits(&self, peer: &dyn Peer) -> bool {
        let role_fits = match (peer.role(), self.what) {
            (Role::Ours | Role::Rival, _) => true,
            (Role::Floor, what) => matches!(what, What::Again(..) | What::Apply(..)),
            (Role::FloorOnce, what) => matches!(what, What::Apply(..)),
            (Role::FloorAtOnce, what) => matches!(what, What::Runners(_)),
        };
        role_fits
            && (matches!(self.what, What::Start | What::Size) || peer.kinds().contains(&self.place().kind()))
    }

    /// Why a peer that could is not run, if it is not.
    pub(crate) fn absence(&self, peer: &dyn Peer, results: &Results, mode: Mode) -> Option<String> {
        if self.place() == Place::TlsPostgres && !peer.verifies() {
            return Some("cannot verify a certificate".into());
        }
        if peer.role() != Role::Rival {
            return None;
        }
        let less = self.less()?;
        if mode == Mode::Quick {
            return Some("not in a quick run".into());
        }
        // Whoever asks for this row alone asks for all of it.
        let before = results.row(less.row)?;
        match before.measured().find(|(entrant, _)| entrant.name == peer.name()) {
            Some((_, it)) if it.value.median <= less.seconds => None,
            Some((_, it)) => Some(format!("`{}` took {:.1} s", less.row, it.value.median)),
            None => Some(format!("`{}` has no number", less.row)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::floors;
    use crate::plimsoll::Plimsoll;
    use crate::results::Cell;
    use crate::results::tests::{measured, row};

    #[test]
    fn every_row_has_a_name_of_its_own() {
        assert_eq!(ROWS.iter().map(|row| row.id).collect::<HashSet<_>>().len(), ROWS.len());
    }

    #[test]
    fn a_floor_is_only_asked_for_what_it_can_do() {
        let floors = floors::all();
        for row in ROWS {
            let once = floors.iter().filter(|peer| peer.role() == Role::FloorOnce);
            assert_eq!(
                once.into_iter().any(|peer| row.fits(peer.as_ref())),
                matches!(row.what, What::Apply(..)),
                "{}",
                row.id
            );
            let at_once =
                floors.iter().any(|peer| peer.role() == Role::FloorAtOnce && row.fits(peer.as_ref()));
            assert_eq!(at_once, matches!(row.what, What::Runners(_)), "{}", row.id);
            assert!(row.fits(&Plimsoll::new("plimsoll".into())), "{}", row.id);
        }
    }

    #[test]
    fn the_longest_rows_are_for_those_who_were_fast_with_fewer() {
        let far = ROWS.iter().find(|row| row.id == "far-1000").unwrap();
        let peer = floors::all().remove(0);
        let rival = Rival;
        let results = |median| Results {
            facts: Vec::new(),
            rows: vec![row("far-200", &[("rival", Role::Rival, measured(median))])],
        };
        assert_eq!(far.absence(peer.as_ref(), &Results::default(), Mode::Quick), None);
        assert!(far.absence(&rival, &results(1.0), Mode::Quick).is_some());
        assert_eq!(far.absence(&rival, &results(1.0), Mode::Whole), None);
        assert_eq!(far.absence(&rival, &results(4.0), Mode::Whole), Some("`far-200` took 4.0 s".into()));
        assert_eq!(far.absence(&rival, &Results::default(), Mode::Whole), None);
        let failed = row("far-200", &[("rival", Role::Rival, Cell::Failed("exit code 1".into()))]);
        let failed = Results { facts: Vec::new(), rows: vec![failed] };
        assert!(far.absence(&rival, &failed, Mode::Whole).is_some());
    }

    struct Rival;

    impl Peer for Rival {
        fn name(&self) -> &'static str {
            "rival"
        }
        fn version(&self) -> &'static str {
            "1"
        }
        fn kinds(&self) -> &'static [crate::peer::Kind] {
            &[crate::peer::Kind::Postgres]
        }
        fn install(&self, _: &crate::peer::Tools) -> Result<(), String> {
            Ok(())
        }
        fn installed(&self, _: &crate::peer::Tools) -> Vec<std::path::PathBuf> {
            Vec::new()
        }
        fn write(
            &self,
            _: &std::path::Path,
            _: &[crate::peer::Migration],
            _: crate::peer::Kind,
        ) -> std::io::Result<()> {
            Ok(())
        }
        fn start(&self, _: &crate::peer::Tools) -> std::process::Command {
            std::process::Command::new("true")
        }
        fn deploy(
            &self,
            tools: &crate::peer::Tools,
            _: &std::path::Path,
            _: &crate::peer::Target,
        ) -> std::process::Command {
            self.start(tools)
        }
    }
}
