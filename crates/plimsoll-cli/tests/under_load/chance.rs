//! Blows at moments that nobody has chosen: runners are killed and ended, their sessions ended, the server crashed, while an
//! application changes rows. At last one run is left alone: it finishes, and nobody can tell afterwards.
//!
//! A failure names its seed. `PLIMSOLL_TEST_SEED` gives the first round the blows of that seed again (not the very moments, which
//! are the machine's), `PLIMSOLL_TEST_SECONDS` says for how long new rounds are begun.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use fastrand::Rng;
use plimsoll_testkit::database::Database;
use plimsoll_testkit::program::{Running, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Options, PostgresServer, Stop, Version};
use plimsoll_testkit::wait::moment;

use crate::hundred::{Found, found, rounds, undisturbed};
use crate::story::deploy;

/// How long new rounds are begun where nobody says otherwise.
const SECONDS: u64 = 25;

/// Every shape of script, twice.
const LENGTH: usize = 2;

/// What can happen to a run.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// As the kernel does when memory runs out. Its session goes on until the server notices.
    KillRunner,
    /// As a node that is gone: neither its processes nor their sessions are there any more.
    KillRunnerAndSessions,
    /// As an administrator does, or a proxy that is restarted.
    EndSessions,
    /// As Kubernetes does when a pod is deleted.
    EndRunner,
    /// As a power failure of the database.
    CrashServer,
}

const BLOWS: [Blow; 5] =
    [Blow::KillRunner, Blow::KillRunnerAndSessions, Blow::EndSessions, Blow::EndRunner, Blow::CrashServer];

/// One database with its runners, and what has happened to them so far.
struct Round<'a> {
    server: &'a PostgresServer,
    database: &'a Database<'a>,
    project: Project,
    runners: Vec<Running>,
    rng: Rng,
    told: String,
}

impl<'a> Round<'a> {
    fn new(database: &'a Database<'a>, seed: u64) -> Self {
        let (server, project) = (database.server(), rounds(LENGTH, database));
        let told = format!("PLIMSOLL_TEST_SEED={seed}\n");
        Self { server, database, project, runners: Vec::new(), rng: Rng::with_seed(seed), told }
    }

    /// Lets one to three replicas run, each of which is started again when it has ended, and strikes them.
    async fn disturb(&mut self) {
        for _ in 0..self.rng.usize(1..=3) {
            self.runners.push(deploy(&self.project).spawn());
        }
        for _ in 0..self.rng.usize(1..=8) {
            let most = if self.rng.bool() { 60 } else { 900 };
            let pause = self.rng.u64(0..most);
            moment(Duration::from_millis(pause)).await;
            let blow = BLOWS[self.rng.usize(0..BLOWS.len())];
            writeln!(self.told, "after {pause} ms: {blow:?}").expect("a string takes every text");
            self.strike(blow).await;
            self.start_again().await;
        }
    }

    async fn strike(&mut self, blow: Blow) {
        let one = self.rng.usize(0..self.runners.len());
        match blow {
            Blow::KillRunner => self.runners[one].kill(),
            Blow::EndRunner => self.runners[one].signal(Signal::TERM),
            Blow::EndSessions => end_sessions(self.database).await,
            Blow::KillRunnerAndSessions => {
                self.runners[one].kill();
                end_sessions(self.database).await;
            }
            Blow::CrashServer => self.server.restart(Stop::Immediate),
        }
    }

    /// As Kubernetes starts a container again, and without its pauses.
    async fn start_again(&mut self) {
        for at in 0..self.runners.len() {
            if self.runners[at].has_ended() {
                let next = deploy(&self.project).spawn();
                let ended = std::mem::replace(&mut self.runners[at], next);
                self.ended(ended).await;
            }
        }
    }

    /// Waits for a runner. One that was not killed says that another start may help, or that all is well.
    async fn ended(&mut self, mut runner: Running) {
        while !runner.has_ended() {
            moment(Duration::from_millis(2)).await;
        }
        let ended = runner.wait();
        writeln!(self.told, "{ended}").expect("a string takes every text");
        let good = ended.code().is_none_or(|code| [0, 69, 75, 143].contains(&code));
        assert!(good, "exit code {:?}", ended.code());
    }

    /// Waits for the runners, and has one more run finish what they have left.
    async fn finish(mut self, expected: &Found) {
        for runner in std::mem::take(&mut self.runners) {
            self.ended(runner).await;
        }
        let last = deploy(&self.project).run();
        writeln!(self.told, "and at last\n{last}").expect("a string takes every text");
        assert_eq!(last.code(), Some(0));
        assert_eq!(found(self.database).await, *expected);
    }
}

/// Whatever a round fails with, its story is told.
impl Drop for Round<'_> {
    #[expect(clippy::print_stderr, reason = "the person who reads the failed test has to know what happened")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.told);
        }
    }
}

/// Ends everybody's session in a database, if it is there.
async fn end_sessions(database: &Database<'_>) {
    const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
    if let Ok(client) = database.try_connect().await {
        client.batch_execute(END).await.expect("a superuser may do it");
    }
}

/// Changes a row now and then, in transactions that a concurrent build has to wait for, and takes it back. It does not mind
/// what happens to it.
async fn application(database: &Database<'_>, mut rng: Rng) {
    const CHANGE: &str = "BEGIN; UPDATE \"User\" SET \"email\" = 'x@example.com' WHERE \"id\" = 1;";
    loop {
        if let Ok(client) = database.try_connect().await
            && client.batch_execute(CHANGE).await.is_ok()
        {
            let most = if rng.u8(0..8) == 0 { 800 } else { 40 };
            moment(Duration::from_millis(rng.u64(0..most))).await;
            let _gone = client.batch_execute("ROLLBACK").await;
        }
        moment(Duration::from_millis(rng.u64(0..40))).await;
    }
}

async fn struck_at_random(server: &PostgresServer, seed: u64, expected: &Found) {
    let database = server.missing_database();
    let mut round = Round::new(&database, seed);
    tokio::select! {
        () = round.disturb() => {}
        () = application(&database, Rng::with_seed(seed)) => {}
    }
    round.finish(expected).await;
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("it is a number"))
}

#[tokio::test]
async fn whatever_happens_to_runs_on_postgresql_the_next_one_finishes() {
    // A server that is stopped waits for whoever has connected and not yet said a word. The application may have, and is not heard while
    // this thread waits for the server.
    let options =
        Options::default().setting("synchronous_commit", "on").setting("authentication_timeout", "5s");
    let server = PostgresServer::start(Version::V15, &options);
    let expected = undisturbed(LENGTH, &server.missing_database()).await;
    let length = Duration::from_secs(number("PLIMSOLL_TEST_SECONDS").unwrap_or(SECONDS));
    let begun = Instant::now();
    let mut seed = number("PLIMSOLL_TEST_SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    while begun.elapsed() < length {
        struck_at_random(&server, seed, &expected).await;
        seed += 1;
    }
}
