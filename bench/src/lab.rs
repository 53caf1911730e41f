//! Where rows are measured: everything that they share.

mod files;
mod late;
mod runners;
mod size;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll_testkit::wait::wait_for;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::history::{History, Style};
use crate::options::Mode;
use crate::peer::{Peer, Tools};
use crate::results::{Cell, Entrant, Measurements, Results};
use crate::rounds::{Contestant, Sample, Warm, take_turns};
use crate::rows::{Row, What};
use crate::servers::{Base, Place, Servers};
use crate::stopwatch::{Run, Stopwatch, Timing};

/// As a shell calls the end by Ctrl-C.
const STOPPED: i32 = 130;

/// The peers, the servers, the stopwatch.
pub(crate) struct Lab {
    pub(crate) servers: Servers,
    peers: Vec<Box<dyn Peer>>,
    /// Why those cannot run who cannot.
    broken: HashMap<&'static str, String>,
    tools: Tools,
    mode: Mode,
    stopwatch: Stopwatch,
    /// Projects, on the memory file system too.
    place: TempDir,
    /// Set before anything is taken away.
    stopped: Arc<AtomicBool>,
    /// As much memory as each has ever been seen with, in kibibytes.
    memory: RefCell<HashMap<&'static str, f64>>,
}

/// A peer with the project that it is to deploy.
struct Entry<'lab> {
    lab: &'lab Lab,
    peer: &'lab dyn Peer,
    project: PathBuf,
    history: History,
    place: Place,
}

impl Lab {
    /// Installs the peers, each as if it had been there for long. What cannot be installed does not run, and keeps nobody else from running.
    pub(crate) fn new(peers: Vec<Box<dyn Peer>>, tools: Tools, mode: Mode) -> Result<Self, String> {
        let place = TempDir::with_prefix("plimsoll-bench-").map_err(|error| format!("no room: {error}"))?;
        let stopped = Arc::new(AtomicBool::new(false));
        gone_when_stopped(place.path().to_owned(), Arc::clone(&stopped));
        let stopwatch = Stopwatch::in_directory(place.path());
        let stopwatch = stopwatch.map_err(|error| format!("{}: {error}", place.path().display()))?;
        std::fs::create_dir_all(&tools.directory)
            .map_err(|error| format!("{}: {error}", tools.directory.display()))?;
        let ready = |peer: &dyn Peer| peer.install(&tools).and_then(|()| files::forget(peer, &tools));
        let broken = peers.iter().filter_map(|peer| Some((peer.name(), ready(peer.as_ref()).err()?)));
        let broken = broken.collect();
        let (servers, memory) = (Servers::default(), RefCell::default());
        Ok(Self { servers, peers, broken, tools, mode, stopwatch, place, stopped, memory })
    }

    /// Who takes part, with what is wrong with those who do not.
    pub(crate) fn broken(&self) -> impl Iterator<Item = (&str, &str)> {
        self.broken.iter().map(|(name, why)| (*name, why.as_str()))
    }

    /// Measures one row.
    pub(crate) fn measure(&self, row: &Row, so_far: &Results) -> Measurements {
        let peers: Vec<&dyn Peer> =
            self.peers.iter().map(Box::as_ref).filter(|peer| row.fits(*peer)).collect();
        let kept_out = |peer: &dyn Peer| {
            let broken = self.broken.get(peer.name()).cloned().map(Cell::Failed);
            broken.or_else(|| row.absence(peer, so_far, self.mode).map(Cell::Absent))
        };
        let mut cells: Vec<Option<Cell>> = peers.iter().map(|peer| kept_out(*peer)).collect();
        let (at, running): (Vec<usize>, Vec<&dyn Peer>) = peers
            .iter()
            .enumerate()
            .filter(|(at, _)| cells[*at].is_none())
            .map(|(at, peer)| (at, *peer))
            .unzip();
        for (at, cell) in at.into_iter().zip(self.run(row, &running)) {
            cells[at] = Some(cell);
        }
        self.end_if_stopped();
        let failed = || Cell::Failed("not measured".into());
        let cells = peers.iter().zip(cells).map(|(peer, cell)| (entrant(*peer), cell.unwrap_or_else(failed)));
        Measurements { id: row.id, title: row.title, unit: row.unit(), cells: cells.collect() }
    }

    /// What failed because its project was taken away is no result.
    fn end_if_stopped(&self) {
        while self.stopped.load(Ordering::SeqCst) {
            std::thread::park();
        }
    }

    fn run(&self, row: &Row, peers: &[&dyn Peer]) -> Vec<Cell> {
        let pace = row.pace(self.mode);
        match row.what {
            What::Size => peers.iter().map(|peer| size::weigh(*peer, &self.tools)).collect(),
            What::Start => {
                take_turns(peers.iter().map(|peer| self.starting(*peer)).collect(), pace, Warm::Up)
            }
            What::Apply(..) => take_turns(self.entries(row, peers, Entry::applying), pace, Warm::Up),
            What::Again(..) => take_turns(self.entries(row, peers, Entry::again), pace, Warm::Up),
            What::Runners(count) => runners::at_once(self, row, peers, count),
            What::Late => late::found(self, row, peers),
        }
    }

    fn starting<'lab>(&'lab self, peer: &'lab dyn Peer) -> Contestant<'lab> {
        Contestant::new(move || self.time(peer, &peer.start(&self.tools), self.place.path()))
    }

    /// A contestant for each peer, or the reason why its project cannot be written.
    fn entries<'lab>(
        &'lab self,
        row: &Row,
        peers: &[&'lab dyn Peer],
        contestant: impl Fn(Entry<'lab>) -> Contestant<'lab>,
    ) -> Vec<Contestant<'lab>> {
        let entry = |peer: &&'lab dyn Peer| self.entry(row, *peer);
        peers.iter().map(|peer| entry(peer).map_or_else(Contestant::failed, &contestant)).collect()
    }

    fn entry<'lab>(&'lab self, row: &Row, peer: &'lab dyn Peer) -> Result<Entry<'lab>, String> {
        let style = match row.what {
            What::Again(_, style) | What::Apply(_, style) => style,
            What::Late => Style::Schema(1),
            What::Start | What::Runners(_) | What::Size => Style::Schema(100),
        };
        let (place, history) = (row.place(), History::new(style, row.place().kind()));
        let project = self.place.path().join(format!("{}-{}", row.id, peer.name().replace([' ', ','], "-")));
        let written = std::fs::create_dir_all(&project)
            .and_then(|()| peer.write(&project, &history.migrations, place.kind()));
        written.map_err(|error| format!("the project could not be written: {error}"))?;
        Ok(Entry { lab: self, peer, project, history, place })
    }

    /// One run, which has to end well.
    fn time(&self, peer: &dyn Peer, command: &Command, directory: &Path) -> Result<Sample, String> {
        let timing = self.stopwatch.time(command, directory, 1)?;
        must_be_well(&timing)?;
        Ok(self.sample(peer, &timing))
    }

    fn sample(&self, peer: &dyn Peer, timing: &Timing) -> Sample {
        let kibibytes = timing.runs.iter().map(|run| run.kibibytes).fold(0.0, f64::max);
        let mut memory = self.memory.borrow_mut();
        let most = memory.entry(peer.name()).or_default();
        *most = most.max(kibibytes);
        let cpu = timing.runs.iter().map(|run| run.cpu).sum();
        Sample { seconds: timing.seconds, cpu, kibibytes, ..Sample::default() }
    }
}

impl<'lab> Entry<'lab> {
    fn command(&self, base: &Base<'_>) -> Command {
        self.peer.deploy(&self.lab.tools, &self.project, base.target())
    }

    /// Applies everything to a new database.
    fn apply(&self) -> Result<Sample, String> {
        let base = self.lab.servers.fresh(self.place);
        self.deploy(&base)
    }

    fn deploy(&self, base: &Base<'_>) -> Result<Sample, String> {
        let sample = self.lab.time(self.peer, &self.command(base), &self.project)?;
        self.must_be_applied(base)?;
        Ok(sample)
    }

    fn must_be_applied(&self, base: &Base<'_>) -> Result<(), String> {
        let expected = self.history.expected;
        match base.number(&self.history.query) {
            Some(found) if found == expected => Ok(()),
            Some(found) => Err(format!("{found} of {expected} applied")),
            None => Err(format!("nothing of {expected} applied")),
        }
    }

    fn applying(self) -> Contestant<'lab> {
        Contestant::new(move || self.apply())
    }

    /// Runs again and again on one database, which it has migrated itself.
    fn again(self) -> Contestant<'lab> {
        let base = self.lab.servers.fresh(self.place);
        match self.deploy(&base) {
            Ok(_) => Contestant::new(move || self.deploy(&base)),
            Err(why) => Contestant::failed(why),
        }
    }
}

/// Ctrl-C takes the projects away, which are in memory. Servers have watchdogs of their own.
fn gone_when_stopped(place: PathBuf, stopped: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let signalled = wait_for(async {
            let mut terminated = signal(SignalKind::terminate())?;
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted,
                _ = terminated.recv() => Ok(()),
            }
        });
        if signalled.is_ok() {
            stopped.store(true, Ordering::SeqCst);
            remove(&place);
            std::process::exit(STOPPED);
        }
    });
}

/// Whoever runs at that moment may still write into it.
fn remove(place: &Path) {
    const TRIES: usize = 20;
    for _ in 0..TRIES {
        if std::fs::remove_dir_all(place).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn entrant(peer: &dyn Peer) -> Entrant {
    Entrant { name: peer.name(), version: peer.version(), role: peer.role() }
}

/// Every run has ended with 0; otherwise how many did, and the last of what was said.
fn must_be_well(timing: &Timing) -> Result<(), String> {
    let well = timing.runs.iter().filter(|run| run.code == Some(0)).count();
    if well == timing.runs.len() && well > 0 {
        return Ok(());
    }
    let last = last_words(&timing.said);
    match timing.runs.as_slice() {
        [run] => Err(format!("{}: {last}", ended(run))),
        runs => Err(format!("{well} of {} ended with 0: {last}", runs.len())),
    }
}

fn ended(run: &Run) -> String {
    run.code.map_or_else(|| "killed".to_owned(), |code| format!("exit code {code}"))
}

/// The last line that tells of an error, otherwise the last that says something: short enough for a table, and without what connects
/// to the servers. Of many runners, the one that ended well may have spoken last.
fn last_words(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| line.chars().any(char::is_alphabetic));
    let tells = |line: &&str| line.to_lowercase().contains("error") && !line.contains("://");
    let line = lines().rfind(tells).or_else(|| lines().next_back()).unwrap_or("nothing was said");
    let line: String = line.chars().take(120).collect();
    line.split_whitespace().map(without_secret).collect::<Vec<_>>().join(" ")
}

fn without_secret(word: &str) -> &str {
    if word.contains("://") || word.contains("hush-") { "…" } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(codes: &[Option<i64>], said: &str) -> Timing {
        let runs = codes.iter().map(|code| Run { code: *code, cpu: 0.0, kibibytes: 0.0 }).collect();
        Timing { seconds: 1.0, runs, said: said.into() }
    }

    #[test]
    fn only_a_run_that_ended_with_zero_is_one() {
        assert_eq!(must_be_well(&timing(&[Some(0)], "")), Ok(()));
        assert_eq!(must_be_well(&timing(&[], "")), Err("0 of 0 ended with 0: nothing was said".into()));
        assert_eq!(must_be_well(&timing(&[Some(1)], "it\nbroke\n\n")), Err("exit code 1: broke".into()));
        assert_eq!(must_be_well(&timing(&[None], "")), Err("killed: nothing was said".into()));
        let some = must_be_well(&timing(&[Some(0), Some(1), Some(0)], "lock"));
        assert_eq!(some, Err("2 of 3 ended with 0: lock".into()));
    }

    #[test]
    fn what_is_said_last_holds_no_password() {
        let said = "cannot connect to postgresql://a:hush-1@h/d as hush-1";
        assert_eq!(last_words(said), "cannot connect to … as …");
    }

    #[test]
    fn an_error_is_shown_though_somebody_else_has_spoken_after_it() {
        assert_eq!(
            last_words("1\nERROR: a key is there twice\nall applied\n"),
            "ERROR: a key is there twice"
        );
        assert_eq!(last_words("one\ntwo\n...\n"), "two");
    }
}
