//! A run can be struck before and after every step that it takes: the next one finishes, nothing is done twice, and nobody
//! can tell afterwards. Steps are counted, so that none of them is left to chance.

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::database::Rows;
use plimsoll_testkit::history::HistoryRow;
use plimsoll_testkit::kill::{CALLS, Call, Struck, killed_before, struck};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::proxy::{Deed, Moment, Side, Strike};
use plimsoll_testkit::transcript::Transcript;

use crate::story::{POSTGRES, deploy};

/// Each script counts: whatever is done twice, or not at all, shows in `counter` or in `log`.
fn story(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Postgres(_) => &[
            (
                "1_init",
                "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n\
                 CREATE TABLE log (what TEXT NOT NULL);\nINSERT INTO log VALUES ('init');\n",
            ),
            ("2_data", "BEGIN;\nUPDATE counter SET n = n + 1;\nINSERT INTO log VALUES ('data');\nCOMMIT;\n"),
            ("3_index", "CREATE INDEX CONCURRENTLY log_what ON log (what);"),
            ("4_data", "UPDATE counter SET n = n + 10;\nINSERT INTO log VALUES ('more data');\n"),
            ("5_drop", "DROP INDEX CONCURRENTLY log_what;"),
        ],
        Kind::Sqlite => &[
            (
                "1_init",
                "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n\
                 CREATE TABLE log (what TEXT NOT NULL);\nINSERT INTO log VALUES ('init');\n",
            ),
            ("2_data", "UPDATE counter SET n = n + 1;\nINSERT INTO log VALUES ('data');\n"),
            (
                "3_redefine",
                "PRAGMA foreign_keys=OFF;\nCREATE TABLE new_log (what TEXT NOT NULL, at INTEGER);\n\
                 INSERT INTO new_log (what) SELECT what FROM log;\nDROP TABLE log;\nALTER TABLE new_log RENAME TO log;\n\
                 INSERT INTO log (what) VALUES ('redefine');\nPRAGMA foreign_keys=ON;\n",
            ),
        ],
    }
}

fn project(kind: Kind, base: &Base) -> Project {
    let project = Project::new(kind.provider()).env_url(base.url());
    for (name, script) in story(kind) {
        project.set_migration(name, script);
    }
    project
}

/// What is in a database, comparable between databases.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    schema: String,
    data: [Rows; 2],
    invalid_indexes: Rows,
    history: Vec<HistoryRow>,
}

async fn found(base: &Base) -> Found {
    let data =
        [base.query("SELECT n FROM counter").await, base.query("SELECT what FROM log ORDER BY what").await];
    let invalid_indexes = match base {
        Base::Postgres(database) => {
            database.query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid").await
        }
        Base::Sqlite(_) => Rows::new(),
    };
    Found { schema: base.schema_dump(), data, invalid_indexes, history: base.history().await }
}

async fn undisturbed(kind: Kind) -> Found {
    let base = kind.missing();
    deploy(&project(kind, &base)).run().expect_code(0);
    found(&base).await
}

/// What a step was, and how the run ended that was struck there: it stands in front of every failure.
fn told(strike: &impl std::fmt::Debug, first: &Transcript, next: &Transcript) -> String {
    format!("{strike:?}\n{first}\nand then\n{next}")
}

/// Strikes at every step of one side.
async fn at_every_step(kind: Kind, deed: Deed, side: Side, moment: Moment) {
    let expected = undisturbed(kind).await;
    let mut number = 1;
    while is_taken_up(kind, Strike { deed, side, moment, number }, &expected).await {
        number += 1;
    }
    assert!(number > 2 * story(kind).len(), "a run of {number} steps cannot have been all of it");
}

/// Strikes one run, and has the next one finish: false if it ended before the step.
async fn is_taken_up(kind: Kind, strike: Strike, expected: &Found) -> bool {
    let base = kind.missing();
    let (struck, project) = struck(&base, project(kind, &base), strike, deploy);
    let (Struck::AtStep(first) | Struck::Never(first)) = &struck;
    let next = deploy(&project).run();
    let told = told(&strike, first, &next);
    assert_eq!(next.code(), Some(0), "{told}");
    match first.code() {
        // It has said that everything is done.
        Some(0) => assert_eq!(next.stdout, "up to date\n", "{told}"),
        // Whoever looks at the code knows that another start may help.
        Some(code) => assert!([69, 75].contains(&code), "{told}"),
        None => {}
    }
    assert_eq!(found(&base).await, *expected, "{told}");
    matches!(struck, Struck::AtStep(_))
}

#[tokio::test]
async fn a_runner_killed_before_anything_that_it_says_to_postgresql_is_taken_up() {
    at_every_step(POSTGRES, Deed::KillRunner, Side::Runner, Moment::Before).await;
}

#[tokio::test]
async fn a_runner_killed_behind_anything_that_it_says_to_postgresql_is_taken_up() {
    at_every_step(POSTGRES, Deed::KillRunner, Side::Runner, Moment::After).await;
}

#[tokio::test]
async fn a_runner_killed_before_anything_that_postgresql_answers_is_taken_up() {
    at_every_step(POSTGRES, Deed::KillRunner, Side::Server, Moment::Before).await;
}

#[tokio::test]
async fn a_runner_killed_behind_anything_that_postgresql_answers_is_taken_up() {
    at_every_step(POSTGRES, Deed::KillRunner, Side::Server, Moment::After).await;
}

#[tokio::test]
async fn a_connection_cut_before_anything_that_is_said_to_postgresql_is_made_up_for() {
    at_every_step(POSTGRES, Deed::Cut, Side::Runner, Moment::Before).await;
}

#[tokio::test]
async fn a_connection_cut_behind_anything_that_is_said_to_postgresql_is_made_up_for() {
    at_every_step(POSTGRES, Deed::Cut, Side::Runner, Moment::After).await;
}

#[tokio::test]
async fn a_connection_cut_before_anything_that_postgresql_answers_is_made_up_for() {
    at_every_step(POSTGRES, Deed::Cut, Side::Server, Moment::Before).await;
}

#[tokio::test]
async fn a_connection_cut_behind_anything_that_postgresql_answers_is_made_up_for() {
    at_every_step(POSTGRES, Deed::Cut, Side::Server, Moment::After).await;
}

#[tokio::test]
async fn a_cut_that_postgresql_does_not_notice_is_made_up_for() {
    at_every_step(POSTGRES, Deed::CutRunner, Side::Runner, Moment::After).await;
}

/// Kills runs before every call of a kind; how many there are.
async fn killed_before_every(call: Call, expected: &Found) -> usize {
    for number in 1.. {
        let base = Kind::Sqlite.missing();
        let project = project(Kind::Sqlite, &base);
        let struck = killed_before(&base, deploy(&project), call, number);
        let (Struck::AtStep(first) | Struck::Never(first)) = &struck;
        let next = deploy(&project).run();
        let told = told(&(call, number), first, &next);
        assert_eq!(next.code(), Some(0), "{told}");
        assert_eq!(found(&base).await, *expected, "{told}");
        if let Struck::Never(undisturbed) = struck {
            undisturbed.expect_code(0);
            return number - 1;
        }
    }
    unreachable!("there are more calls than numbers")
}

#[tokio::test]
async fn a_runner_killed_before_any_change_of_a_sqlite_file_is_taken_up() {
    let expected = undisturbed(Kind::Sqlite).await;
    let mut kills = Vec::new();
    for call in CALLS {
        kills.push((call, killed_before_every(call, &expected).await));
    }
    let of = |call| kills.iter().find(|(it, _)| *it == call).map_or(0, |(_, kills)| *kills);
    // Each transaction has a journal, which is gone with its commit, and the history has one more.
    assert_eq!(of(Call::OfSqlite("unlink")), story(Kind::Sqlite).len() + 1, "{kills:?}");
    assert!(of(Call::OfSqlite("pwrite64")) > 10 * story(Kind::Sqlite).len(), "{kills:?}");
    assert_eq!(of(Call::On("-plimsoll.lock", "unlink")), 1, "{kills:?}");
}
