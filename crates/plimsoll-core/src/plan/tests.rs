use proptest::prelude::*;

use super::*;
use crate::diagnostic::{DatabaseMessage, Place};
use crate::history::{Attempt, Done, Instant, Progress, UnderWay};
use crate::migration::{LockFile, Script};

fn migration(name: &str) -> Migration {
    Migration::new(name, format!("migrations/{name}/migration.sql"), Script::new(format!("-- {name}")))
}

fn migrations(names: &[&str]) -> Migrations {
    Migrations::new(names.iter().map(|name| migration(name)).collect(), None)
}

fn row(name: &str, state: RowState) -> Row {
    Row {
        id: format!("id-{name}"),
        migration_name: name.to_owned(),
        checksum: Script::new(format!("-- {name}")).checksum().to_string(),
        started_at: Instant(0),
        finished_at: (state == RowState::Applied).then_some(Instant(1)),
        rolled_back_at: (state == RowState::RolledBack).then_some(Instant(1)),
        logs: None,
        applied_steps_count: 1,
    }
}

fn managed(rows: Vec<Row>) -> Snapshot {
    Snapshot::Managed(History::new(rows))
}

fn names<'a>(plan: &Plan<'a>) -> Vec<&'a str> {
    plan.steps.iter().map(|step| step.migration.name()).collect()
}

fn plan_of<'a>(migrations: &'a Migrations, snapshot: &'a Snapshot) -> Plan<'a> {
    plan(migrations, Provider::Postgresql, snapshot, IfAhead::Warn)
}

#[test]
fn a_fresh_database_gets_everything_in_order() {
    let migrations = migrations(&["2", "1", "3"]);
    let snapshot = Snapshot::Unmanaged { tables: vec![] };
    assert_eq!(names(&plan_of(&migrations, &snapshot)), ["1", "2", "3"]);
}

#[test]
fn a_migration_older_than_the_last_applied_one_is_pending() {
    let migrations = migrations(&["1", "2", "3"]);
    let snapshot = managed(vec![row("1", RowState::Applied), row("3", RowState::Applied)]);
    assert_eq!(names(&plan_of(&migrations, &snapshot)), ["2"]);
}

#[test]
fn a_rolled_back_row_does_not_count() {
    let migrations = migrations(&["1"]);
    let snapshot = managed(vec![row("1", RowState::RolledBack)]);
    assert_eq!(names(&plan_of(&migrations, &snapshot)), ["1"]);
    let snapshot = managed(vec![row("1", RowState::RolledBack), row("1", RowState::Applied)]);
    assert!(plan_of(&migrations, &snapshot).is_up_to_date());
}

#[test]
fn an_attempt_of_another_release_follows_the_policy() {
    let migrations = migrations(&["1"]);
    let snapshot = managed(vec![row("1", RowState::Applied), row("2_newer", RowState::Started)]);
    let with = |if_ahead| plan(&migrations, Provider::Postgresql, &snapshot, if_ahead);
    let newer = || vec!["2_newer".to_owned()];
    for policy in [IfAhead::Ok, IfAhead::Warn] {
        assert_eq!((with(policy).is_up_to_date(), with(policy).unfinished), (true, newer()));
    }
    let beyond = Beyond { names: newer(), unfinished: newer() };
    assert_eq!(with(IfAhead::Refuse).blocked, Some(Blocked::Ahead(beyond.clone())));
    assert_eq!(with(IfAhead::Wait).blocked, Some(Blocked::AheadForNow(beyond)));
}

#[test]
fn nothing_is_applied_on_top_of_an_attempt_whose_migration_is_gone() {
    let migrations = migrations(&["1"]);
    let snapshot = managed(vec![row("gone", RowState::Started)]);
    let plan = plan_of(&migrations, &snapshot);
    assert!(
        matches!(plan.blocked, Some(Blocked::FailedElsewhere(ref attempts)) if attempts[0].migration == "gone")
    );
    assert!(plan.steps.is_empty());
}

#[test]
fn an_attempt_of_ours_is_taken_up_if_the_script_is_the_same() {
    let mut started = row("1", RowState::Started);
    started.logs = Some(Progress::new(Attempt::Running, "pod").running_log());
    let migrations = migrations(&["1"]);
    let snapshot = managed(vec![started.clone()]);
    assert_eq!(plan_of(&migrations, &snapshot).steps[0].resume, Some(&started));

    started.checksum = "0".repeat(64);
    let snapshot = managed(vec![started]);
    assert!(matches!(plan_of(&migrations, &snapshot).blocked, Some(Blocked::Failed(_))));
}

#[test]
fn what_has_been_given_up_or_is_taken_up_is_pending_and_not_new() {
    let mut started = row("3", RowState::Started);
    started.logs = Some(Progress::new(Attempt::Running, "pod").running_log());
    let migrations = migrations(&["1", "2", "3", "4"]);
    let snapshot = managed(vec![row("1", RowState::Applied), row("2", RowState::RolledBack), started]);
    let steps = plan_of(&migrations, &snapshot).steps;
    let new: Vec<_> = steps.iter().map(|step| (step.migration.name(), step.is_new)).collect();
    assert_eq!(new, [("2", false), ("3", false), ("4", true)]);
}

#[test]
fn an_attempt_of_a_newer_release_does_not_hold_up_an_older_one() {
    let mut started = row("2_newer", RowState::Started);
    started.logs = Some(Progress::new(Attempt::Running, "pod").running_log());
    let migrations = migrations(&["1"]);
    let snapshot = managed(vec![row("1", RowState::Applied), started]);
    let plan = plan_of(&migrations, &snapshot);
    assert_eq!((plan.is_up_to_date(), plan.ahead.as_slice()), (true, ["2_newer".to_owned()].as_slice()));
}

#[test]
fn tables_without_a_history_block() {
    let migrations = migrations(&["1"]);
    let snapshot = Snapshot::Unmanaged { tables: vec!["legacy".to_owned()] };
    let plan = plan_of(&migrations, &snapshot);
    assert_eq!(plan.blocked, Some(Blocked::NotEmpty { tables: vec!["legacy".to_owned()] }));
}

#[test]
fn another_provider_in_the_lock_file_blocks_before_anything_else() {
    let lock = LockFile::parse("provider = \"sqlite\"");
    let migrations = Migrations::new(vec![migration("1")], Some(lock));
    let snapshot = Snapshot::Unmanaged { tables: vec!["legacy".to_owned()] };
    assert!(matches!(plan_of(&migrations, &snapshot).blocked, Some(Blocked::ProviderMismatch { .. })));
}

#[test]
fn an_edited_migration_is_reported_and_does_not_block() {
    let mut edited = row("1", RowState::Applied);
    edited.checksum = "0".repeat(64);
    let migrations = migrations(&["1", "2"]);
    let snapshot = managed(vec![edited]);
    let plan = plan_of(&migrations, &snapshot);
    assert_eq!(plan.edited, ["1"]);
    assert_eq!(names(&plan), ["2"]);
}

#[test]
fn a_database_ahead_is_reported_and_blocks_only_if_it_is_refused() {
    let migrations = migrations(&["1"]);
    let snapshot = managed(vec![row("1", RowState::Applied), row("2", RowState::Applied)]);
    let warned = plan_of(&migrations, &snapshot);
    assert_eq!((warned.ahead.as_slice(), warned.is_up_to_date()), (["2".to_owned()].as_slice(), true));
    let refused = plan(&migrations, Provider::Postgresql, &snapshot, IfAhead::Refuse);
    assert_eq!(
        refused.blocked,
        Some(Blocked::Ahead(Beyond { names: vec!["2".to_owned()], unfinished: vec![] }))
    );
}

/// One of ours, of which two steps are done.
fn attempt_with_progress(attempt: Attempt, script: Compared) -> FailedAttempt {
    let progress = Progress { done: Done::of(["a", "b"]), ..Progress::new(attempt, "pod") };
    let source = "CREATE TABLE a ();\nALTER TABLE b\n  ADD c int;\n";
    let failure = Diagnostic::new(Code::MigrationFailed, "boom")
        .at(Place::new("m/2_half/migration.sql", source, 19..24))
        .said_by(DatabaseMessage::new("relation \"b\" does not exist"));
    let words = crate::history::failure_text("2_half", &failure);
    FailedAttempt {
        migration: "2_half".to_owned(),
        started_at: Instant(1_795_353_049_412_000),
        logs: Some(progress.log(&words)),
        progress: Some(progress),
        script,
    }
}

#[test]
fn what_died_in_a_step_is_not_carried_on_with_another_text() {
    let mut attempt = attempt_with_progress(Attempt::Running, Compared::Changed);
    assert!(attempt.can_be_resumed());
    let progress =
        attempt.progress.take().map(|progress| Progress { under_way: Some(UnderWay::default()), ..progress });
    attempt.progress = progress;
    assert!(!attempt.can_be_resumed());
    assert!(!FailedAttempt { progress: None, ..attempt }.can_be_resumed());
}

#[test]
fn every_block_says_what_to_do_next() {
    let attempt = FailedAttempt {
        migration: "20240104000000_bad".to_owned(),
        started_at: Instant(1_795_353_049_412_000),
        logs: Some(
            "A migration failed to apply. …\n\nERROR: relation \"Nope\" does not exist\n\n   0: stack"
                .to_owned(),
        ),
        progress: None,
        script: Compared::Same,
    };
    let blocks = [
        Blocked::ProviderMismatch { schema: Provider::Postgresql, lock: "sqlserver".to_owned() },
        Blocked::ProviderMismatch { schema: Provider::Postgresql, lock: "cockroachdb".to_owned() },
        Blocked::NotEmpty { tables: (0..10).map(|n| format!("t{n}")).collect() },
        Blocked::Failed(vec![attempt.clone()]),
        Blocked::Failed(vec![attempt_with_progress(Attempt::Failed, Compared::Same)]),
        Blocked::Failed(vec![attempt_with_progress(Attempt::Running, Compared::Changed)]),
        Blocked::Failed(vec![attempt_with_progress(Attempt::Doubtful, Compared::Same)]),
        Blocked::FailedElsewhere(vec![FailedAttempt { script: Compared::Missing, ..attempt }]),
        Blocked::Ahead(Beyond { names: vec!["20240105000000_later".to_owned()], unfinished: vec![] }),
        Blocked::AheadForNow(Beyond {
            names: vec!["20240105000000_later".to_owned(), "20240106000000_half".to_owned()],
            unfinished: vec!["20240106000000_half".to_owned()],
        }),
    ];
    let shown: Vec<String> = blocks
        .iter()
        .map(|block| {
            let diagnostic = block.diagnostic();
            format!("{diagnostic}\n  = {}", diagnostic.help.join("\n  = "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

fn any_state() -> impl Strategy<Value = RowState> {
    prop_oneof![Just(RowState::Applied), Just(RowState::RolledBack), Just(RowState::Started)]
}

proptest! {
    #[test]
    fn nothing_is_applied_twice_or_out_of_the_projects_order(
        local in prop::collection::btree_set("[a-e]", 0..5),
        rows in prop::collection::vec(("[a-g]", any_state()), 0..8),
    ) {
        let migrations = Migrations::new(local.iter().map(|name| migration(name)).collect(), None);
        let snapshot = managed(rows.iter().map(|(name, state)| row(name, *state)).collect());
        let plan = plan_of(&migrations, &snapshot);

        let planned = names(&plan);
        let applied = |name: &str| rows.iter().any(|(row, state)| row == name && *state == RowState::Applied);
        prop_assert!(planned.iter().all(|name| !applied(name)), "an applied migration is planned");
        let in_order: Vec<&str> = migrations.list().iter().map(Migration::name).filter(|name| planned.contains(name)).collect();
        prop_assert_eq!(&planned, &in_order);

        let failed = |name: &str| rows.iter().any(|(row, state)| row == name && *state == RowState::Started);
        let ours = local.iter().any(|name| failed(name));
        let theirs = rows.iter().any(|(name, _)| !local.contains(name) && failed(name));
        let pending = local.iter().any(|name| !applied(name));
        prop_assert_eq!(plan.blocked.is_some(), ours || theirs && pending);
        prop_assert!(plan.blocked.is_none() || plan.steps.is_empty(), "blocked and yet something is planned");
        if plan.blocked.is_none() {
            let missing: Vec<&str> = migrations.list().iter().map(Migration::name).filter(|name| !applied(name)).collect();
            prop_assert_eq!(planned, missing);
        }
    }
}
