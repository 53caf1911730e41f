//! Many runners at once, as the pods of one deployment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll_testkit::wait::wait_for;
use tokio_postgres::{Config, NoTls};

use super::{Entry, Lab, must_be_well};
use crate::peer::{Peer, Target};
use crate::results::Cell;
use crate::rounds::{Contestant, Sample, Warm, take_turns};
use crate::rows::Row;
use crate::servers::Base;

/// How often connections are counted: often enough to see the most, seldom enough to be in nobody's way.
const TICK: Duration = Duration::from_millis(20);

/// One alone, then all at once on another database, for each peer.
pub(super) fn at_once(lab: &Lab, row: &Row, peers: &[&dyn Peer], count: u32) -> Vec<Cell> {
    let room: Vec<_> = peers.iter().map(|peer| lack_of_memory(lab, *peer, count)).collect();
    let running: Vec<_> =
        peers.iter().zip(&room).filter(|(_, lack)| lack.is_none()).map(|(peer, _)| *peer).collect();
    let contestants = lab.entries(row, &running, |entry| contestant(entry, count));
    let mut cells = take_turns(contestants, row.pace(lab.mode), Warm::Up).into_iter();
    let missing = || Cell::Failed("not measured".into());
    room.into_iter()
        .map(|lack| lack.map_or_else(|| cells.next().unwrap_or_else(missing), Cell::Absent))
        .collect()
}

fn contestant(entry: Entry<'_>, count: u32) -> Contestant<'_> {
    Contestant::new(move || {
        let alone = entry.apply()?.seconds;
        let base = entry.lab.servers.fresh(entry.place);
        let counter = Counter::default();
        let (config, name, command) = (maintenance(&base), base.name(), entry.command(&base));
        let (timing, most) = std::thread::scope(|scope| {
            let most = scope.spawn(|| counter.most(&config, name));
            let timing = entry.lab.stopwatch.time(&command, &entry.project, count);
            counter.stop();
            (timing, most.join().ok().flatten())
        });
        let timing = timing?;
        must_be_well(&timing)?;
        entry.must_be_applied(&base)?;
        let note = most.map_or_else(String::new, |most| format!("at most {most} connections seen"));
        Ok(Sample { alone: Some(alone), note, ..entry.lab.sample(entry.peer, &timing) })
    })
}

/// How to look at the server from another database, so that who looks is not counted.
fn maintenance(base: &Base<'_>) -> Config {
    let mut config = Config::new();
    if let Target::Server { host, port, user, password, .. } = base.target() {
        config.host(host).port(*port).user(user).password(password).dbname("postgres");
    }
    config
}

/// Counts the connections to a database until it is stopped.
#[derive(Default)]
struct Counter {
    stopped: AtomicBool,
}

impl Counter {
    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn most(&self, config: &Config, database: &str) -> Option<u64> {
        let query = format!("SELECT count(*)::text FROM pg_stat_activity WHERE datname = '{database}'");
        wait_for(async {
            let (client, connection) = config.connect(NoTls).await.ok()?;
            tokio::spawn(connection);
            let mut most = 0;
            while !self.stopped.load(Ordering::Relaxed) {
                let row = client.query_one(&query, &[]).await.ok()?;
                most = most.max(row.get::<_, &str>(0).parse().ok()?);
                tokio::time::sleep(TICK).await;
            }
            Some(most)
        })
    }
}

/// Why so many of them cannot be started: what one has been seen to need, so many times, is more than is free.
fn lack_of_memory(lab: &Lab, peer: &dyn Peer, count: u32) -> Option<String> {
    let memory = lab.memory.borrow();
    let needed = memory.get(peer.name())? * f64::from(count);
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    lack(needed, available(&meminfo)?)
}

/// In kibibytes.
fn available(meminfo: &str) -> Option<f64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Half of it, since the servers and their data are in memory too.
fn lack(needed: f64, available: f64) -> Option<String> {
    (needed > available / 2.0)
        .then(|| format!("{:.0} MiB are needed, more than is to spare", needed / 1024.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_started_who_would_fill_the_memory() {
        assert_eq!(available("MemTotal:  9 kB\nMemAvailable:    2048 kB\n"), Some(2048.0));
        assert_eq!(lack(1024.0, 2048.0), None);
        assert_eq!(lack(2048.0, 2048.0), Some("2 MiB are needed, more than is to spare".into()));
    }
}
