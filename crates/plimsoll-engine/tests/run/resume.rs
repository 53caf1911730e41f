//! `resolve --resume`: which attempts the next run carries on, and why not.

use std::collections::BTreeMap;

use plimsoll_core::history::{Attempt, Done, Instant, Progress, Row, Snapshot, UnderWay};
use plimsoll_core::plan::{Blocked, IfAhead, Plan};
use plimsoll_core::{Code, Diagnostic, Migration, Migrations, Provider, Script};
use plimsoll_engine::resolve::{Verdict, resolve};
use plimsoll_engine::{CancellationToken, Session as _, Unobserved, Waits, Work};

use super::Scripted;

const BEGUN: &str = "one;two;three;";

/// An unfinished attempt at a script of which two statements are done.
fn attempt(attempt: Attempt) -> Row {
    let progress = Progress { done: Done::of(["one;", "two;"]), ..Progress::new(attempt, "pod") };
    row(Some(progress.log("relation \"three\" does not exist")))
}

fn row(logs: Option<String>) -> Row {
    Row {
        id: "4711".to_owned(),
        migration_name: "1".to_owned(),
        checksum: Script::new(BEGUN).checksum().to_string(),
        started_at: Instant(0),
        finished_at: None,
        rolled_back_at: None,
        logs,
        applied_steps_count: 2,
    }
}

fn project(script: &str) -> Migrations {
    Migrations::new(vec![Migration::new("1", "1/migration.sql", Script::new(script))], None)
}

fn work(migrations: &Migrations) -> Work<'_> {
    Work { migrations, provider: Provider::Postgresql }
}

/// A database with these rows.
fn holding(rows: Vec<Row>) -> Scripted {
    let database = Scripted::default();
    {
        let mut state = database.0.borrow_mut();
        (state.managed, state.rows) = (true, rows);
    }
    database
}

async fn resume(database: &Scripted, script: &str) -> Result<(), Box<Diagnostic>> {
    let (waits, migrations) = (Waits::default(), project(script));
    let cancel = CancellationToken::new();
    resolve(database, work(&migrations), "1", Verdict::Resume, waits, &mut Unobserved, &cancel)
        .await
        .map_err(|error| error.diagnostic)
}

/// What the next run does with this script.
async fn planned<T>(database: &Scripted, script: &str, look: impl FnOnce(&Plan<'_>) -> T) -> T {
    let (snapshot, migrations): (Snapshot, _) =
        (database.clone().read().await.expect("it can be read"), project(script));
    look(&work(&migrations).plan(&snapshot, IfAhead::Warn))
}

async fn is_carried_on(database: &Scripted, script: &str) -> bool {
    planned(database, script, |plan| plan.steps.first().is_some_and(|step| step.resume.is_some())).await
}

/// The code, and all words.
async fn refused(rows: Vec<Row>, script: &str) -> (Code, String) {
    let database = holding(rows.clone());
    let diagnostic = resume(&database, script).await.expect_err("it cannot be carried on");
    assert_eq!(database.0.borrow().rows, rows, "nothing was changed");
    (diagnostic.code, format!("{diagnostic}\n{}", diagnostic.help.join("\n")))
}

#[tokio::test]
async fn a_failed_attempt_is_carried_on_at_the_statement_that_failed() {
    for (state, script) in [
        (Attempt::Failed, BEGUN),
        (Attempt::Failed, "one;two;drei;vier;"),
        (Attempt::Doubtful, BEGUN),
        (Attempt::Doubtful, "one;two;drei;vier;"),
    ] {
        let database = holding(vec![attempt(state)]);
        assert!(planned(&database, script, |plan| matches!(plan.blocked, Some(Blocked::Failed(_)))).await);
        resume(&database, script).await.expect("the statements that are done are those of the script");
        assert!(is_carried_on(&database, script).await, "{script}");
        let progress = database.0.borrow().rows[0].progress().expect("it is ours");
        assert_eq!((progress.attempt, progress.done), (Attempt::Running, Done::of(["one;", "two;"])));
        resume(&database, script).await.expect("saying it twice is no error");
    }
}

#[tokio::test]
async fn an_attempt_whose_script_was_changed_waits_for_a_person() {
    let changed = "one;two;drei;";
    let database = holding(vec![attempt(Attempt::Running)]);
    assert!(is_carried_on(&database, BEGUN).await, "the very same script needs nobody");
    let words = planned(&database, changed, |plan| {
        let diagnostic = plan.blocked.as_ref().expect("another text is not taken for it").diagnostic();
        format!("{diagnostic}\n{}", diagnostic.help.join("\n"))
    })
    .await;
    for word in ["the script has been changed since; 2 of its statements are done", "--resume 1", "as it was"]
    {
        assert!(words.contains(word), "{word}: {words}");
    }
    resume(&database, changed).await.expect("what was changed is behind the statements that are done");
    assert!(is_carried_on(&database, changed).await && !is_carried_on(&database, BEGUN).await);
}

#[tokio::test]
async fn statements_that_are_done_must_have_kept_their_text() {
    for script in ["eins;two;three;", "one; two;three;", "one;"] {
        let (code, words) = refused(vec![attempt(Attempt::Failed)], script).await;
        assert_eq!(code, Code::NotResumable, "{words}");
        for word in ["2 of its statements are done", "--rolled-back 1", "--applied 1"] {
            assert!(words.contains(word), "{script}: {words}");
        }
    }
}

#[tokio::test]
async fn a_statement_under_way_is_not_carried_on_with_a_changed_script() {
    let before = BTreeMap::from([("index".to_owned(), "absent".to_owned())]);
    let with = |attempt| {
        let under_way = Some(UnderWay { before: before.clone() });
        let progress = Progress { under_way, ..Progress::new(attempt, "pod") };
        row(Some(progress.running_log()))
    };
    let (code, words) = refused(vec![with(Attempt::Running)], "another;").await;
    assert!(code == Code::NotResumable && words.contains("statement 1 was under way"), "{words}");
    let (code, words) = refused(vec![with(Attempt::Failed)], "another;").await;
    assert!(code == Code::NotResumable && words.contains("statement 1 was under way"), "{words}");
}

#[tokio::test]
async fn a_failed_attempt_is_carried_on_with_what_its_statement_under_way_found() {
    let before = BTreeMap::from([("index".to_owned(), "absent".to_owned())]);
    let under_way = Some(UnderWay { before });
    let progress = Progress { under_way: under_way.clone(), ..Progress::new(Attempt::Failed, "pod") };
    let database = holding(vec![row(Some(progress.running_log()))]);
    resume(&database, BEGUN).await.expect("it is the script that was begun");
    let progress = database.0.borrow().rows[0].progress().expect("it is ours");
    assert_eq!((progress.attempt, progress.under_way), (Attempt::Running, under_way));
}

#[tokio::test]
async fn what_is_not_recorded_is_not_guessed() {
    for logs in [None, Some("A migration failed to apply.".to_owned())] {
        let (code, words) = refused(vec![row(logs)], BEGUN).await;
        assert_eq!(code, Code::NotResumable, "{words}");
        assert!(words.contains("nothing is recorded") && words.contains("--applied 1"), "{words}");
    }
    let two = vec![attempt(Attempt::Failed), Row { id: "2".to_owned(), ..attempt(Attempt::Failed) }];
    let (code, words) = refused(two, BEGUN).await;
    assert!(code == Code::NotResumable && words.contains("several attempts"), "{words}");
}

#[tokio::test]
async fn what_has_not_failed_is_not_carried_on() {
    let applied = Row { finished_at: Some(Instant(1)), ..row(None) };
    let rolled_back = Row { rolled_back_at: Some(Instant(1)), ..attempt(Attempt::RolledBack) };
    let elsewhere = Row { migration_name: "2".to_owned(), ..attempt(Attempt::Failed) };
    assert_eq!(refused(vec![applied, attempt(Attempt::Failed)], BEGUN).await.0, Code::AlreadyApplied);
    assert_eq!(refused(vec![rolled_back], BEGUN).await.0, Code::NotFailed);
    assert_eq!(refused(vec![elsewhere], BEGUN).await.0, Code::NeverApplied);
    // The migration is another one's.
    let (database, migrations) = (holding(vec![attempt(Attempt::Failed)]), Migrations::default());
    let (waits, cancel, observer) = (Waits::default(), CancellationToken::new(), &mut Unobserved);
    let asked = resolve(&database, work(&migrations), "1", Verdict::Resume, waits, observer, &cancel);
    assert_eq!(asked.await.expect_err("it is not here").diagnostic.code, Code::MigrationNotFound);
}
