//! In which order runs follow one another, and how many there are: A B C, B C A, so that a slow minute of the machine is
//! everybody's, and nobody always comes behind the same one: a large program leaves pages to be cleared and caches without
//! anything of the next one's.

use std::time::Instant;

use fastrand::Rng;

use crate::options::Mode;
use crate::results::{Cell, Measured};
use crate::stats::Summary;

/// How many runs are counted of each, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    most: usize,
    least: usize,
    /// Beyond the least there is no run once all of them together have taken so long, in seconds.
    budget: f64,
}

impl Pace {
    pub(crate) fn of(mode: Mode) -> Self {
        match mode {
            Mode::Quick => Self { most: 5, least: 2, budget: 2.0 },
            Mode::Whole => Self { most: 11, least: 3, budget: 5.0 },
        }
    }

    /// For what takes long each time, whoever does it.
    pub(crate) fn of_long_rows(mode: Mode) -> Self {
        match mode {
            Mode::Quick => Self { most: 1, least: 1, budget: 0.0 },
            Mode::Whole => Self { most: 2, least: 2, budget: 0.0 },
        }
    }

    fn wants_more(self, runs: usize, spent: f64) -> bool {
        // Whoever has taken all of the time already in the run that does not count is believed after one less.
        let least = if spent > 2.0 * self.budget { self.least.min(2) } else { self.least };
        runs < self.most && (runs < least || spent < self.budget)
    }
}

/// Whether the first run counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warm {
    Up,
    Already,
}

/// One run that did what it should have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) seconds: f64,
    pub(crate) cpu: f64,
    pub(crate) kibibytes: f64,
    pub(crate) alone: Option<f64>,
    pub(crate) note: String,
}

/// Somebody, and how a run of his is made.
pub(crate) struct Contestant<'a> {
    pub(crate) run: Box<dyn FnMut() -> Result<Sample, String> + 'a>,
    samples: Vec<Sample>,
    failed: Option<String>,
    spent: f64,
}

impl<'a> Contestant<'a> {
    pub(crate) fn new(run: impl FnMut() -> Result<Sample, String> + 'a) -> Self {
        Self { run: Box::new(run), samples: Vec::new(), failed: None, spent: 0.0 }
    }

    /// One who cannot even begin.
    pub(crate) fn failed(why: String) -> Self {
        let mut contestant = Self::new(|| Err(String::new()));
        contestant.failed = Some(why);
        contestant
    }

    fn goes_on(&self, pace: Pace) -> bool {
        self.failed.is_none() && pace.wants_more(self.samples.len(), self.spent)
    }

    fn run(&mut self) -> Option<Sample> {
        let begun = Instant::now();
        let outcome = (self.run)();
        self.spent += begun.elapsed().as_secs_f64();
        outcome.map_err(|why| self.failed = Some(why)).ok()
    }

    fn cell(self) -> Cell {
        if let Some(why) = self.failed {
            return Cell::Failed(why);
        }
        let all = |value: fn(&Sample) -> f64| Summary::of(self.samples.iter().map(value));
        let Some(value) = all(|sample| sample.seconds) else { return Cell::Failed("no run".into()) };
        Cell::Measured(Measured {
            runs: self.samples.len(),
            value,
            cpu: all(|sample| sample.cpu).map(|it| it.median),
            mebibytes: all(|sample| sample.kibibytes).map(|it| it.most / 1024.0),
            alone: Summary::of(self.samples.iter().filter_map(|sample| sample.alone)).map(|it| it.median),
            note: self.samples.last().map(|sample| sample.note.clone()).unwrap_or_default(),
        })
    }
}

/// Runs all of them in turns until nobody wants more.
pub(crate) fn take_turns(mut contestants: Vec<Contestant<'_>>, pace: Pace, warm: Warm) -> Vec<Cell> {
    if warm == Warm::Up {
        for contestant in contestants.iter_mut().filter(|it| it.failed.is_none()) {
            contestant.run();
        }
    }
    // The same orders in each run of the benchmark.
    let mut dice = Rng::with_seed(0);
    let mut order: Vec<usize> = (0..contestants.len()).collect();
    while contestants.iter().any(|it| it.goes_on(pace)) {
        dice.shuffle(&mut order);
        for &turn in &order {
            let contestant = &mut contestants[turn];
            if contestant.goes_on(pace) {
                let sample = contestant.run();
                contestant.samples.extend(sample);
            }
        }
    }
    contestants.into_iter().map(Contestant::cell).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const THREE: Pace = Pace { most: 3, least: 3, budget: 1000.0 };

    #[test]
    fn runs_take_turns_in_another_order_each_round_and_the_first_of_each_does_not_count() {
        let order = RefCell::new(String::new());
        let contestant =
            |name: char| Contestant::new(move || Ok(Sample { note: name.into(), ..Sample::default() }));
        let mut contestants = vec![contestant('A'), contestant('B'), contestant('C')];
        for contestant in &mut contestants {
            let mut inner = std::mem::replace(&mut contestant.run, Box::new(|| Err(String::new())));
            let order = &order;
            contestant.run = Box::new(move || {
                let sample = inner()?;
                order.borrow_mut().push_str(&sample.note);
                Ok(sample)
            });
        }
        let pace = Pace { most: 20, least: 20, budget: 1000.0 };
        let cells = take_turns(contestants, pace, Warm::Up);
        assert!(cells.iter().all(|cell| matches!(cell, Cell::Measured(it) if it.runs == 20)));
        let order = order.into_inner();
        assert!(order.starts_with("ABC"), "the round that does not count");
        for round in order.as_bytes().chunks(3) {
            assert!(b"ABC".iter().all(|name| round.contains(name)), "{order}");
        }
        for behind in ["AB", "AC", "BA", "BC", "CA", "CB"] {
            assert!(order.contains(behind), "{behind} in {order}");
        }
    }

    #[test]
    fn whoever_fails_once_has_no_number_and_does_not_end_the_rest() {
        let mut runs = 0;
        let fails_late = Contestant::new(move || {
            runs += 1;
            if runs < 3 { Ok(Sample::default()) } else { Err("exit code 1".into()) }
        });
        let cells = take_turns(vec![fails_late, Contestant::new(|| Ok(Sample::default()))], THREE, Warm::Up);
        assert_eq!(cells[0], Cell::Failed("exit code 1".into()));
        assert!(matches!(&cells[1], Cell::Measured(it) if it.runs == 3));
    }

    #[test]
    fn whoever_is_slow_is_run_less_often_but_never_too_seldom() {
        let pace = Pace { most: 5, least: 2, budget: 1.0 };
        assert!(pace.wants_more(1, 100.0));
        assert!(!pace.wants_more(2, 100.0));
        assert!(pace.wants_more(4, 0.9));
        assert!(!pace.wants_more(5, 0.0));
        let pace = Pace { least: 3, ..pace };
        assert!(pace.wants_more(2, 1.5) && !pace.wants_more(2, 2.5));
    }
}
