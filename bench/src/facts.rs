//! What the numbers depend on: the machine, the versions, the network.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use plimsoll_testkit::wait::wait_for;
use rustix::fs::statfs;
use tokio_postgres::NoTls;

use crate::peer::Target;
use crate::servers::{Place, Servers};
use crate::stats::Summary;

/// Where Linux has a memory file system for everybody.
pub(crate) const MEMORY: &str = "/dev/shm";

/// What `statfs` says of one.
const TMPFS: i64 = 0x0102_1994;

/// How often the way there and back is measured.
const TRIPS: usize = 21;

/// Whether files there are in memory.
pub(crate) fn is_in_memory(directory: &Path) -> bool {
    statfs(directory).is_ok_and(|it| it.f_type == TMPFS)
}

/// All of them, as names and texts.
pub(crate) fn collect(servers: &Servers, plimsoll: &Path) -> Vec<(&'static str, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let place = tempfile::env::temp_dir();
    let place = if is_in_memory(&place) { "a memory file system" } else { "a disk" };
    vec![
        ("processor", format!("{processors} × {}", processor(&read("/proc/cpuinfo")))),
        ("memory", memory(&read("/proc/meminfo"))),
        ("system", read("/proc/sys/kernel/osrelease").trim().to_owned()),
        ("load before", read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned()),
        ("data and projects on", place.to_owned()),
        ("PostgreSQL", version(servers)),
        ("round trip, near", shown(round_trip(servers, Place::Postgres))),
        ("round trip, far", shown(round_trip(servers, Place::FarPostgres))),
        ("Plimsoll", format!("{}, commit {}", said(plimsoll), commit())),
    ]
}

fn processor(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    line.map_or("unknown", |line| line.trim_start_matches([' ', '\t', ':'])).to_owned()
}

fn memory(meminfo: &str) -> String {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let mebibytes = total.and_then(|it| it.parse::<u64>().ok()).map(|it| it / 1024);
    mebibytes.map_or_else(|| "unknown".into(), |it| format!("{it} MiB"))
}

fn said(plimsoll: &Path) -> String {
    let output = Command::new(plimsoll).arg("--version").output();
    output.map_or_else(|error| error.to_string(), |it| String::from_utf8_lossy(&it.stdout).trim().to_owned())
}

/// Of which sources it is, and whether they were changed.
fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    output.map_or_else(|error| error.to_string(), |it| String::from_utf8_lossy(&it.stdout).trim().to_owned())
}

fn version(servers: &Servers) -> String {
    let base = servers.fresh(Place::Postgres);
    let number = base.number("SELECT current_setting('server_version_num')").unwrap_or_default();
    format!("{}.{}, fsync on", number / 10_000, number % 10_000)
}

fn shown(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "unknown".into(), |it| format!("{:.2} ms", it * 1000.0))
}

/// The median of a query that does nothing.
fn round_trip(servers: &Servers, place: Place) -> Option<f64> {
    let base = servers.fresh(place);
    let Target::Server { host, port, user, password, database, .. } = base.target() else { return None };
    let mut config = tokio_postgres::Config::new();
    config.host(host).port(*port).user(user).password(password).dbname(database);
    let times = wait_for(async {
        let (client, connection) = config.connect(NoTls).await.ok()?;
        tokio::spawn(connection);
        let mut times = Vec::new();
        for _ in 0..TRIPS {
            let begun = Instant::now();
            client.simple_query("SELECT 1").await.ok()?;
            times.push(begun.elapsed().as_secs_f64());
        }
        Some(times)
    });
    Summary::of(times?).map(|it| it.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_read_as_linux_writes_it() {
        assert_eq!(processor("vendor_id\t: X\nmodel name\t: A CPU\n"), "A CPU");
        assert_eq!(processor(""), "unknown");
        assert_eq!(memory("MemTotal:       2048 kB\n"), "2 MiB");
    }
}
