//! Several migrations on the way at once, over a database that does what the test says.

use super::*;

/// A database that takes so many at once.
fn taking(together: usize, answers: impl IntoIterator<Item = Apply>) -> Scripted {
    let database = Scripted::default();
    database.0.borrow_mut().together = together;
    database.0.borrow_mut().answers.extend(answers);
    database
}

const ALL: [&str; 5] = ["1", "2", "3", "4", "5"];

/// Deploys five migrations, and returns what was said and the outcome.
async fn run_five(database: &Scripted) -> (Vec<String>, std::result::Result<Report, Failure>) {
    let migrations = ALL.iter().map(|name| Migration::new(*name, *name, Script::new(""))).collect();
    let migrations = Migrations::new(migrations, None);
    let work = Work { migrations: &migrations, provider: Provider::Postgresql };
    let options = Options { wait: LONG, lock_wait: LONG, ..Options::default() };
    let mut said = Said::default();
    let outcome = deploy(database, work, &options, &mut said, &CancellationToken::new()).await;
    (said.0, outcome)
}

/// What is said of a run in which all goes well from this one on.
fn said_from(first: usize) -> Vec<String> {
    ALL[first - 1..].iter().flat_map(|name| [format!("applying {name}"), format!("applied {name}")]).collect()
}

#[tokio::test]
async fn what_is_on_the_way_is_spoken_of_when_it_is_its_turn() {
    let database = taking(4, []);
    let (said, outcome) = run_five(&database).await;
    assert_eq!(said, said_from(1));
    assert_eq!(names(&outcome.unwrap()), ALL);
    assert_eq!(database.0.borrow().sent, [4, 1]);
}

#[tokio::test]
async fn what_has_to_be_tried_again_is_alone_and_what_follows_it_is_not() {
    let nothing = Apply::Takes(Duration::ZERO);
    let database = taking(4, [nothing, Apply::Fails(Kind::Again), Apply::Fails(Kind::Again)]);
    let (said, outcome) = run_five(&database).await;
    assert_eq!(said, said_from(1), "each is announced once");
    assert_eq!(names(&outcome.unwrap()), ALL);
    assert_eq!(database.0.borrow().applied, ALL);
    assert_eq!(database.0.borrow().sent, [4, 1, 1, 3]);
}

/// A server that ends its connections at each of them would otherwise be asked for as often as there are some.
#[tokio::test]
async fn behind_a_lost_connection_each_is_alone() {
    let database = taking(4, [Apply::CommitAndAreLost(2)]);
    let (said, outcome) = run_five(&database).await;
    assert_eq!(names(&outcome.unwrap()), ALL, "two commits had arrived");
    assert_eq!(database.0.borrow().applied, ALL);
    assert_eq!(database.0.borrow().sent, [4, 1, 1, 1]);
    assert_eq!(said, said_from(1));
}

#[tokio::test]
async fn one_that_loses_its_connection_among_others_and_then_alone_is_given_up_by_name() {
    let lost = Apply::Fails(Kind::Lost);
    let database = taking(4, [Apply::Takes(Duration::ZERO), lost, lost]);
    let (_, outcome) = run_five(&database).await;
    let failure = outcome.unwrap_err();
    assert!(failure.diagnostic.help.iter().any(|help| help.contains("`2`")), "{failure}");
    assert_eq!(names(&failure.report), ["1"]);
}

#[tokio::test]
async fn what_fails_is_recorded_once_and_what_follows_it_is_not_sent() {
    let database = taking(4, [Apply::Takes(Duration::ZERO), Apply::Fails(Kind::Script)]);
    let (said, outcome) = run_five(&database).await;
    let failure = outcome.unwrap_err();
    assert_eq!(names(&failure.report), ["1"]);
    assert_eq!(failure.report.pending, ["2", "3", "4", "5"]);
    assert_eq!(said, ["applying 1", "applied 1", "applying 2"]);
    assert_eq!((database.0.borrow().recorded, database.0.borrow().sent.len()), (1, 1));
}
