//! The application is rolled back; its database is not.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_e2e::{Namespace, Release, inject, restarts, terminated};
use plimsoll_testkit::database::Database;

use crate::scene::{APP, application, applied, deployment, with_scene};

#[tokio::test]
async fn an_older_image_runs_before_a_newer_database_and_its_gate_says_so() {
    with_scene(async |ns, database| {
        let older = roll_out_two(ns, database).await;
        ns.apply(&deployment(&older));
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        let log = ns.log(&pod, "plimsoll").await;
        assert!(log.contains(&Release::migration(2)), "the migration that it does not know: {log}");
        assert_eq!((restarts(&pod), ns.ask(&pod).await.as_str()), (0, "1: `release_1` has 1 rows\n"));
        assert_eq!(applied(database).await.len(), 2, "nothing was taken back");
    })
    .await;
}

#[tokio::test]
async fn an_older_image_that_must_not_run_is_refused_and_the_newer_keeps_serving() {
    with_scene(async |ns, database| {
        let older = roll_out_two(ns, database).await;
        let newer = ns.pod(APP, "it is there", |_| true).await;
        let refuses = inject(&application(&older), &["--if-ahead=refuse"]);
        ns.apply(&refuses);
        let has_refused = |pod: &Pod| terminated(pod, "plimsoll").is_some_and(|end| end.exit_code == 65);
        let pod = ns.pod(APP, "its gate has refused", has_refused).await;
        let described = ns.describe(&pod);
        assert!(described.contains(&Release::migration(2)), "{described}");
        assert_eq!(ns.ask(&newer).await, "2: `release_2` has 1 rows\n");
    })
    .await;
}

/// Rolls out release 1 and then release 2; returns the image of the first.
async fn roll_out_two(ns: &Namespace, database: &Database<'_>) -> String {
    let older = ns.push(&Release::number(1));
    ns.apply(&deployment(&older));
    ns.rollout_done("my-backend-deployment").await;
    ns.apply(&deployment(&ns.push(&Release::number(2))));
    ns.rollout_done("my-backend-deployment").await;
    assert_eq!(applied(database).await.len(), 2);
    older
}
