//! A database that is not up yet when the runner starts.

use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use super::{Entry, Lab, ended, must_be_well};
use crate::options::Mode;
use crate::peer::Peer;
use crate::results::Cell;
use crate::rounds::{Contestant, Pace, Sample, Warm, take_turns};
use crate::rows::Row;
use crate::servers::{Base, Late};

/// How long after the runner the server is started.
fn lateness(mode: Mode) -> Duration {
    match mode {
        Mode::Quick => Duration::from_secs(3),
        Mode::Whole => Duration::from_secs(30),
    }
}

/// How long it takes from the moment in which the server accepts connections until the runner has ended.
pub(super) fn found(lab: &Lab, row: &Row, peers: &[&dyn Peer]) -> Vec<Cell> {
    let pace = row.pace(lab.mode);
    peers
        .iter()
        .map(|peer| lab.entry(row, *peer).map_or_else(Cell::Failed, |entry| of(lab, entry, pace)))
        .collect()
}

/// Not in turns: whoever waits does nothing else for half a minute, which no other run disturbs.
fn of(lab: &Lab, entry: Entry<'_>, pace: Pace) -> Cell {
    let (late, base) = lab.servers.late();
    if entry.peer.waiting(&lab.tools, &entry.project, base.target()).is_none() {
        return Cell::Absent(impatience(lab, &entry, late, &base));
    }
    drop(base);
    let contestant = Contestant::new(move || wait(lab, &entry));
    let cell = take_turns(vec![contestant], pace, Warm::Already).pop();
    cell.unwrap_or_else(|| Cell::Failed("not measured".into()))
}

/// What somebody does who does not wait.
fn impatience(lab: &Lab, entry: &Entry<'_>, late: Late<'_>, base: &Base<'_>) -> String {
    late.stop();
    let timing = lab.stopwatch.time(&entry.command(base), &entry.project, 1);
    late.start();
    match timing {
        Ok(timing) => {
            let how = timing.runs.first().map_or_else(String::new, ended);
            format!("does not wait: {how} after {:.1} s", timing.seconds)
        }
        Err(why) => why,
    }
}

fn wait(lab: &Lab, entry: &Entry<'_>) -> Result<Sample, String> {
    let (late, base) = lab.servers.late();
    let command = entry.peer.waiting(&lab.tools, &entry.project, base.target()).ok_or("it does not wait")?;
    let (stopwatch, project) = (&lab.stopwatch, &entry.project);
    late.stop();
    let (timing, began, ended) = scope(|scope| {
        let run = scope.spawn(|| (stopwatch.time(&command, project, 1), Instant::now()));
        sleep(lateness(lab.mode));
        let began = late.start();
        let (timing, ended) = run.join().unwrap_or_else(|_| (Err("the stopwatch broke".into()), began));
        (timing, began, ended)
    });
    let timing = timing?;
    must_be_well(&timing)?;
    entry.must_be_applied(&base)?;
    let note = format!("{} s late", lateness(lab.mode).as_secs());
    let seconds = ended.saturating_duration_since(began).as_secs_f64();
    Ok(Sample { seconds, note, ..lab.sample(entry.peer, &timing) })
}
