//! The run loop and `resolve` alone, over a database that does what the test says.

mod resume;
mod together;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use plimsoll_core::history::{History, Instant, Progress, Row, Snapshot};
use plimsoll_core::plan::{IfAhead, Plan, Step};
use plimsoll_core::script::How;
use plimsoll_core::{Code, DatabaseMessage, Diagnostic, Migration, Migrations, Provider, Report, Script};
use plimsoll_engine::{
    Backend, Blocker, Cancel, CancellationToken, CancelledBy, Error, Event, Failure, Holder, Kind, Limits,
    Lock, Next, Observe, Options, Result, Session, Silence, Tell, Told, Unobserved, Witness, Work, deploy,
};
use plimsoll_testkit::wait::moment;
use tokio::time::timeout;

/// What the database does when it is asked to apply something; once these are used up, it does it.
#[derive(Clone, Copy)]
enum Apply {
    Fails(Kind),
    CommitsAndIsLost,
    /// So many that are on the way are committed, and nobody hears of it.
    CommitAndAreLost(usize),
    /// It does it, slowly.
    Takes(Duration),
}

#[derive(Default)]
struct State {
    rows: Vec<Row>,
    managed: bool,
    missing: bool,
    created: usize,
    recorded: usize,
    applied: Vec<String>,
    answers: VecDeque<Apply>,
    locks: VecDeque<Kind>,
    /// How often nothing is said of the lock.
    silences: usize,
    creations: VecDeque<Kind>,
    /// What stops the run while its history is created, which is done all the same.
    stop_at_creation: Option<CancellationToken>,
    /// How the next looks at the history end. With the last one the rows are gone.
    reads: VecDeque<Option<Kind>>,
    /// How often somebody has looked at the history.
    looks: usize,
    /// Which look a standby answers that has not heard of anything yet. It gives no lock.
    standby_at: usize,
    /// The database goes away with the next failure.
    vanishes: bool,
    /// How many may be on the way together, if several may.
    together: usize,
    /// How many were, each time.
    sent: Vec<usize>,
    /// How many migrations another runner, who has the lock until then, turns out to have applied at each look.
    elsewhere: VecDeque<usize>,
    /// How often the lock has been asked for.
    tries: usize,
}

/// A database whose state the test can see.
#[derive(Clone, Default)]
struct Scripted(Rc<RefCell<State>>);

struct Nothing;

impl Cancel for Nothing {
    async fn cancel(&self) {}
}

impl Witness for Nothing {
    async fn blockers(&mut self) -> Option<Vec<Blocker>> {
        None
    }
}

fn error(kind: Kind) -> Error {
    Error::new(kind, Diagnostic::new(Code::Database, "scripted"))
}

impl Scripted {
    fn finish(&self, name: &str, id: &str) {
        let mut state = self.0.borrow_mut();
        let started_at = Instant(i64::try_from(state.rows.len()).expect("there are few rows"));
        state.applied.push(name.to_owned());
        state.rows.push(Row {
            id: id.to_owned(),
            migration_name: name.to_owned(),
            checksum: Script::new("").checksum().to_string(),
            started_at,
            finished_at: Some(started_at),
            rolled_back_at: None,
            logs: None,
            applied_steps_count: 1,
        });
    }
}

impl Backend for Scripted {
    type Session = Self;

    async fn connect(&self, _: Option<&Migrations>) -> Result<Self> {
        if self.0.borrow().missing { Err(error(Kind::Missing)) } else { Ok(self.clone()) }
    }

    async fn create_database(&self) -> Result<()> {
        let mut state = self.0.borrow_mut();
        state.missing = false;
        state.created += 1;
        Ok(())
    }
}

impl Session for Scripted {
    type Canceller = Nothing;
    type Witness = Nothing;
    const SILENCE: Silence = Silence { after: SHORT, ..Silence::OF_A_FILE };

    async fn read(&mut self) -> Result<Snapshot> {
        let mut state = self.0.borrow_mut();
        state.looks += 1;
        if state.looks == state.standby_at {
            return Ok(Snapshot::Managed(History::new(Vec::new())));
        }
        if let Some(end) = state.reads.pop_front() {
            if let Some(kind) = end {
                return Err(error(kind));
            }
            if state.reads.is_empty() {
                state.rows.clear();
            }
        }
        let history = History::new(state.rows.clone());
        Ok(if state.managed {
            Snapshot::Managed(history)
        } else {
            Snapshot::Unmanaged { tables: Vec::new() }
        })
    }

    async fn try_lock(&mut self, _: Option<&Plan<'_>>) -> Result<Lock> {
        let silences = self.0.borrow().silences;
        if silences > 0 {
            self.0.borrow_mut().silences -= 1;
            return std::future::pending().await;
        }
        let mut state = self.0.borrow_mut();
        state.tries += 1;
        if !state.elsewhere.is_empty() {
            return Ok(Lock::Held);
        }
        if state.looks > 0 && state.looks == state.standby_at {
            return Err(error(Kind::NotYet));
        }
        state.locks.pop_front().map_or(Ok(Lock::Taken), |kind| Err(error(kind)))
    }

    async fn holder(&mut self) -> Result<Option<Holder>> {
        Ok(None)
    }

    async fn count_finished(&mut self) -> Result<Option<usize>> {
        let Some(done) = self.0.borrow_mut().elsewhere.pop_front() else { return Ok(None) };
        let before = self.0.borrow().rows.len();
        (before..done).for_each(|number| self.finish(&number.to_string(), "another runner's"));
        self.0.borrow_mut().applied.clear();
        Ok(Some(done))
    }

    async fn create_history(&mut self) -> Result<()> {
        let mut state = self.0.borrow_mut();
        if let Some(kind) = state.creations.pop_front() {
            return Err(error(kind));
        }
        if let Some(stop) = &state.stop_at_creation {
            stop.cancel();
        }
        state.managed = true;
        Ok(())
    }

    fn check(&self, _: &Migration, _: &Script) -> std::result::Result<(), Diagnostic> {
        Ok(())
    }

    async fn apply(&mut self, step: &Step<'_>, id: &str, _: Limits, _: &mut Tell<'_>) -> Result<()> {
        let answer = self.0.borrow_mut().answers.pop_front();
        if let Some(Apply::Fails(kind)) = answer {
            let mut state = self.0.borrow_mut();
            state.missing = state.vanishes;
            return Err(error(kind));
        }
        if let Some(Apply::Takes(length)) = answer {
            moment(length).await;
        }
        self.finish(step.migration.name(), id);
        if matches!(answer, Some(Apply::CommitsAndIsLost)) { Err(error(Kind::Lost)) } else { Ok(()) }
    }

    fn together(&self, steps: &[Step<'_>]) -> usize {
        self.0.borrow().together.clamp(1, steps.len())
    }

    async fn apply_together(&mut self, next: &[Next<'_>], limits: Limits, tell: &mut Tell<'_>) -> Result<()> {
        self.0.borrow_mut().sent.push(next.len());
        let answer = self.0.borrow().answers.front().copied();
        if let Some(Apply::CommitAndAreLost(number)) = answer {
            self.0.borrow_mut().answers.pop_front();
            next.iter().take(number).for_each(|next| self.finish(next.step.migration.name(), &next.id));
            return Err(error(Kind::Lost));
        }
        for next in next {
            self.apply(next.step, &next.id, limits, tell).await?;
            tell(Told::Applied);
        }
        Ok(())
    }

    async fn record_failure(&mut self, _: &Migration, _: &Diagnostic) -> Result<()> {
        self.0.borrow_mut().recorded += 1;
        Ok(())
    }

    async fn mark_applied(&mut self, _: &Migration) -> Result<()> {
        Ok(())
    }

    async fn mark_rolled_back(&mut self, _: &[&Row]) -> Result<()> {
        Ok(())
    }

    fn how(&self, migration: &Migration, script: &Script) -> How {
        How::on_sqlite(migration, script.text())
    }

    /// What is between semicolons.
    fn statements(&self, script: &Script) -> Vec<String> {
        script.text().split_inclusive(';').map(str::to_owned).collect()
    }

    async fn mark_resumable(&mut self, row: &Row, migration: &Migration, progress: &Progress) -> Result<()> {
        let mut state = self.0.borrow_mut();
        let row = state.rows.iter_mut().find(|found| found.id == row.id).expect("it is one of ours");
        row.logs = Some(progress.running_log());
        row.checksum = migration.script().expect("it can be read").checksum().to_string();
        Ok(())
    }

    fn canceller(&self) -> Nothing {
        Nothing
    }

    fn witness(&self) -> Nothing {
        Nothing
    }

    fn cancelled_by(_: &DatabaseMessage) -> CancelledBy {
        CancelledBy::Unknown
    }

    async fn close(self) {}
}

/// Deploys two migrations, whose scripts are empty.
async fn run(database: &Scripted, lock_wait: Duration) -> std::result::Result<Report, Box<Failure>> {
    run_with(database, &Options { wait: LONG, lock_wait, ..Options::default() }).await
}

async fn run_with(database: &Scripted, options: &Options) -> std::result::Result<Report, Box<Failure>> {
    run_seen(database, options, &mut Unobserved).await
}

async fn run_seen(
    database: &Scripted,
    options: &Options,
    observer: &mut dyn Observe,
) -> std::result::Result<Report, Box<Failure>> {
    let migration = |name: &str| Migration::new(name, name, Script::new(""));
    let migrations = Migrations::new(vec![migration("1"), migration("2")], None);
    let work = Work { migrations: &migrations, provider: Provider::Postgresql };
    let stop = database.0.borrow().stop_at_creation.clone().unwrap_or_default();
    deploy(database, work, options, observer, &stop).await.map_err(Box::new)
}

fn names(report: &Report) -> Vec<&str> {
    report.applied.iter().map(|applied| applied.name.as_str()).collect()
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_commit_that_arrived_before_the_connection_was_lost_is_in_the_report() {
    let database = Scripted::default();
    database.0.borrow_mut().answers.push_back(Apply::CommitsAndIsLost);
    assert_eq!(names(&run(&database, LONG).await.unwrap()), ["1", "2"]);
    assert_eq!(database.0.borrow().applied, ["1", "2"]);
}

#[tokio::test]
async fn a_migration_that_loses_its_connection_twice_is_given_up() {
    let database = Scripted::default();
    database.0.borrow_mut().answers.extend([Apply::Fails(Kind::Lost), Apply::Fails(Kind::Lost)]);
    let failure = run(&database, LONG).await.unwrap_err();
    assert!(failure.diagnostic.help.iter().any(|help| help.contains("`1`")), "{failure}");
    assert!(database.0.borrow().applied.is_empty());
}

/// The request to cancel it may still be on its way, and would meet whatever is said next.
#[tokio::test]
async fn nothing_is_said_behind_a_history_that_was_created_though_the_run_was_stopped() {
    let database = Scripted::default();
    database.0.borrow_mut().stop_at_creation = Some(CancellationToken::new());
    let failure = run(&database, LONG).await.unwrap_err();
    let state = database.0.borrow();
    assert_eq!((failure.diagnostic.code, state.looks), (Code::Interrupted, 2));
    assert!(state.managed && state.applied.is_empty());
}

#[tokio::test]
async fn a_standby_is_waited_for() {
    let database = Scripted::default();
    database.0.borrow_mut().locks.extend([Kind::NotYet, Kind::NotYet]);
    assert_eq!(names(&run(&database, LONG).await.unwrap()), ["1", "2"]);
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_recorded() {
    let database = Scripted::default();
    database.0.borrow_mut().answers.extend([Apply::Fails(Kind::Again), Apply::Fails(Kind::Script)]);
    let failure = run(&database, LONG).await.unwrap_err();
    assert_eq!((failure.diagnostic.code, database.0.borrow().recorded), (Code::Database, 1));
}

#[tokio::test]
async fn what_never_passes_is_not_the_scripts_fault() {
    let database = Scripted::default();
    database.0.borrow_mut().answers.push_back(Apply::Fails(Kind::Again));
    let failure = run(&database, Duration::ZERO).await.unwrap_err();
    assert_eq!(failure.diagnostic.code, Code::MigrationBlocked);
}

/// Shorter than [`SLOW`], and than the pause before a standby is asked again.
const SHORT: Duration = Duration::from_millis(300);
const SLOW: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_failover_is_waited_for_from_its_beginning_however_old_the_run_is() {
    let options = Options { wait: SHORT, ..Options::default() };
    let database = Scripted::default();
    database.0.borrow_mut().answers.extend([Apply::Takes(SLOW), Apply::Fails(Kind::NotYet)]);
    assert_eq!(names(&run_with(&database, &options).await.unwrap()), ["1", "2"]);

    let database = Scripted::default();
    database.0.borrow_mut().answers.extend([Apply::Fails(Kind::NotYet); 2]);
    run_with(&database, &options).await.unwrap_err();
    assert!(database.0.borrow().applied.is_empty(), "what goes on for longer is not waited for");
}

#[tokio::test]
async fn what_was_applied_before_a_lock_was_not_to_be_had_is_no_waiting_for_it() {
    let database = Scripted::default();
    database.0.borrow_mut().answers.extend([Apply::Takes(SLOW), Apply::Fails(Kind::Busy)]);
    assert_eq!(names(&run(&database, SHORT).await.unwrap()), ["1", "2"]);
}

/// What is said of migrations that are applied, or are not any more.
#[derive(Default)]
struct Said(Vec<String>);

impl Observe for Said {
    fn see(&mut self, event: Event<'_>) {
        match event {
            Event::Applying { name, .. } => self.0.push(format!("applying {name}")),
            Event::Applied { name, .. } => self.0.push(format!("applied {name}")),
            Event::Forgotten { name } => self.0.push(format!("forgotten {name}")),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_commit_that_a_failover_has_lost_is_said_to_be_lost() {
    let database = Scripted::default();
    {
        let mut state = database.0.borrow_mut();
        state.answers.extend([Apply::CommitsAndIsLost, Apply::Fails(Kind::Busy)]);
        // Without a table, with the lock, after the lost connection, with the lock, and then without the rows.
        state.reads.extend([None; 5]);
    }
    let mut said = Said::default();
    let options = Options { wait: LONG, lock_wait: LONG, ..Options::default() };
    let report = run_seen(&database, &options, &mut said).await.unwrap();
    assert_eq!(names(&report), ["1", "2"]);
    let again = ["forgotten 1", "applying 1", "applied 1", "applying 2", "applied 2"];
    assert_eq!(said.0, [&["applying 1", "applied 1", "applying 2"][..], &again].concat());
}

/// It is looked at once, between two looks at the primary.
#[tokio::test]
async fn a_standby_that_lags_takes_nothing_out_of_the_report() {
    let database = Scripted::default();
    database.0.borrow_mut().answers.extend([Apply::CommitsAndIsLost, Apply::Fails(Kind::Lost)]);
    database.0.borrow_mut().standby_at = 5;
    assert_eq!(names(&run(&database, LONG).await.unwrap()), ["1", "2"]);
    assert!(database.0.borrow().looks > 5, "a primary was asked again");
    assert_eq!(database.0.borrow().applied, ["1", "2"]);
}

#[tokio::test]
async fn somebody_who_keeps_the_database_to_himself_is_waited_for() {
    let database = Scripted::default();
    database.0.borrow_mut().creations.extend([Kind::Busy, Kind::Busy]);
    database.0.borrow_mut().answers.extend([Apply::Fails(Kind::Busy), Apply::Fails(Kind::Overtaken)]);
    assert_eq!(names(&run(&database, LONG).await.unwrap()), ["1", "2"]);
    assert_eq!(database.0.borrow().applied, ["1", "2"]);
}

#[tokio::test]
async fn a_database_is_created_before_it_has_been_seen_and_never_after() {
    let database = Scripted::default();
    database.0.borrow_mut().missing = true;
    assert!(run(&database, LONG).await.unwrap().database_created);

    let database = Scripted::default();
    database.0.borrow_mut().vanishes = true;
    database.0.borrow_mut().answers.push_back(Apply::Fails(Kind::Lost));
    run(&database, LONG).await.unwrap_err();
    assert_eq!(database.0.borrow().created, 0);
}

/// A run that waits for another one asks for the lock again and again.
#[tokio::test]
async fn a_server_that_says_nothing_of_the_lock_is_one_whose_connection_is_lost() {
    let database = Scripted::default();
    database.0.borrow_mut().silences = 1;
    let report = timeout(LONG, run(&database, LONG)).await.expect("it does not wait for ever");
    assert_eq!(names(&report.unwrap()), ["1", "2"]);
}

/// A waiter, whose project has the migrations of these numbers, on a database that has those before them.
async fn wait_for_another(project: Range<usize>, elsewhere: &[usize]) -> (Report, Scripted) {
    let (report, database) = wait_at_most(LONG, project, elsewhere).await;
    (report.expect("it ends well"), database)
}

async fn wait_at_most(
    lock_wait: Duration,
    project: Range<usize>,
    elsewhere: &[usize],
) -> (std::result::Result<Report, Failure>, Scripted) {
    let database = Scripted::default();
    (0..project.start).for_each(|number| database.finish(&number.to_string(), "of an older release"));
    {
        let mut state = database.0.borrow_mut();
        (state.managed, state.applied) = (true, Vec::new());
        state.elsewhere.extend(elsewhere);
    }
    let migration = |number: usize| {
        let name = number.to_string();
        Migration::new(name.as_str(), name.as_str(), Script::new(""))
    };
    let migrations = Migrations::new(project.map(migration).collect(), None);
    let work = Work { migrations: &migrations, provider: Provider::Postgresql };
    let options = Options { wait: LONG, lock_wait, ..Options::default() };
    let report = deploy(&database, work, &options, &mut Unobserved, &CancellationToken::new()).await;
    (report, database)
}

/// What each look asks of a server is multiplied by all who wait, and taken from the one who works.
#[tokio::test]
async fn a_waiter_does_not_read_the_history_before_it_may_be_done() {
    let (report, database) = wait_for_another(0..9, &[1, 2, 4, 6, 7, 8, 9]).await;
    let state = database.0.borrow();
    assert!(report.applied.is_empty() && state.applied.is_empty());
    // Before it waited, and when nine were done. The lock was tried before each pause, and not behind the end.
    assert_eq!((state.looks, state.tries), (2, 7));
}

#[tokio::test]
async fn where_another_gave_the_lock_up_in_the_middle_the_next_try_has_it() {
    let (report, database) = wait_for_another(0..9, &[1, 2, 4]).await;
    assert_eq!(database.0.borrow().tries, 4, "the one that had it, behind the third pause");
    assert_eq!(names(&report), ["4", "5", "6", "7", "8"]);
    assert_eq!(database.0.borrow().applied, ["4", "5", "6", "7", "8"]);
}

/// They are counted with the others, so that more are done than the project has before its own are.
#[tokio::test]
async fn rows_of_migrations_that_the_project_does_not_have_are_not_taken_for_its_own() {
    let (report, database) = wait_for_another(2..5, &[2, 3, 4, 5]).await;
    let state = database.0.borrow();
    assert!(report.applied.is_empty() && state.applied.is_empty());
    assert_eq!(state.looks, 4, "before it waited, of three, of four, and of five");
}

/// Then each look reads, and none of them begins the wait anew.
#[tokio::test]
async fn a_wait_in_which_each_look_reads_ends_when_its_time_is_over() {
    let (report, database) = wait_at_most(Duration::from_secs(2), 2..5, &[4; 1000]).await;
    assert_eq!(report.unwrap_err().diagnostic.code, Code::LockTimeout);
    let state = database.0.borrow();
    assert!(state.applied.is_empty() && state.looks > 2, "{} looks", state.looks);
}

/// Minutes of it, with a failover now and then.
#[tokio::test]
async fn a_database_that_is_ahead_may_go_away_as_often_as_it_comes_back() {
    let database = Scripted::default();
    database.finish("3", "of a newer release");
    {
        let mut state = database.0.borrow_mut();
        (state.managed, state.applied) = (true, Vec::new());
        // Longer than `wait`, then a standby; more lost connections than one trouble may have.
        state.reads.extend([None, None, None, None, Some(Kind::NotYet)]);
        state.reads.extend([Some(Kind::Lost); 5]);
        state.reads.extend([None, Some(Kind::Lost), None]);
    }
    let migrations = Migrations::new(vec![Migration::new("1", "1", Script::new(""))], None);
    let work = Work { migrations: &migrations, provider: Provider::Postgresql };
    let wait = Duration::from_millis(300);
    let options = Options { wait, lock_wait: LONG, if_ahead: IfAhead::Wait, ..Options::default() };
    let report = deploy(&database, work, &options, &mut Unobserved, &CancellationToken::new()).await;
    assert_eq!(names(&report.unwrap()), ["1"]);
}
