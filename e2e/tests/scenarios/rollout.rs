//! The application and its migrations, when all is well.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use plimsoll_e2e::{
    Release, init, inject, is_running, own_postgres, restarts, terminated, url_for_pods, with_namespace,
    within,
};
use plimsoll_testkit::server::Stop;
use plimsoll_testkit::wait;

use crate::scene::{APP, Held, STOP, application, applied, deployment, until_held, with_scene};

#[tokio::test]
async fn the_application_never_starts_before_its_migrations_are_done() {
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(2).first(STOP));
        let held = Held::over(database).await;
        ns.apply(&deployment(&image));
        until_held(database).await;
        let pod = ns.pod(APP, "its gate is at work", |pod| is_running(pod, "plimsoll")).await;
        let app = &pod.status.as_ref().unwrap().container_statuses.as_ref().unwrap()[0];
        assert_eq!(app.started, Some(false), "{app:?}");
        drop(held);
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert!(ns.log(&pod, "my-backend-app").await.contains("backend 2: ready, `release_2` has 1 rows"));
        assert_eq!(restarts(&pod), 0);
        assert!(migrated_at(&pod) <= started_at(&pod), "{:?}", pod.status);
        assert_eq!(applied(database).await, [Release::migration(1), Release::migration(2)]);
    })
    .await;
}

/// The same application shows that the scenario above can fail.
#[tokio::test]
async fn without_a_gate_the_application_starts_too_early() {
    with_scene(async |ns, _| {
        let image = ns.push(&Release::number(1));
        ns.apply(&application(&image));
        let pod = ns.pod(APP, "it has failed", |pod| restarts(pod) > 0).await;
        ns.previous_log_says(&pod, "my-backend-app", "42P01: relation \"release_1\" does not exist").await;
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_up_thirty_seconds_late_costs_one_start_and_no_restart() {
    let server = own_postgres();
    let database = within("a database is made", server.database()).await;
    with_namespace(async |ns| {
        ns.secret("database-secret", &[("database_url", &url_for_pods(database.address()))]);
        let image = ns.push(&Release::number(1));
        server.stop(Stop::Fast);
        // The gate's own 60 s are enough for 30; what is not is a node on which everything else runs at the same time.
        ns.apply(&inject(&application(&image), &["--wait=5m"]));
        let pod = ns.pod(APP, "its gate is at work", |pod| is_running(pod, "plimsoll")).await;
        wait::moment(Duration::from_secs(30)).await;
        server.start_again();
        ns.rollout_done("my-backend-deployment").await;
        let same = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(same.metadata.uid, pod.metadata.uid);
        assert_eq!(restarts(&same), 0);
        assert_eq!(applied(&database).await, [Release::migration(1)]);
    })
    .await;
}

#[tokio::test]
async fn twenty_replicas_at_once_apply_every_migration_once() {
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(3).first(STOP));
        let held = Held::over(database).await;
        ns.apply(&deployment(&image).replace("replicas: 1", "replicas: 20"));
        ns.until(APP, "twenty gates are at work", |pods: &[Pod]| {
            (pods.iter().filter(|pod| is_running(pod, "plimsoll")).count() == 20).then_some(())
        })
        .await;
        drop(held);
        ns.rollout_done("my-backend-deployment").await;
        let pods = ns.pods(APP).await;
        assert_eq!(pods.len(), 20);
        assert_eq!(pods.iter().map(restarts).sum::<i32>(), 0);
        assert_eq!(applied(database).await, [1, 2, 3].map(Release::migration));
        assert_eq!(database.history().await.len(), 3, "nobody has tried in vain");
    })
    .await;
}

#[tokio::test]
async fn a_rolling_update_never_lacks_a_replica_and_ends_at_the_new_release() {
    with_scene(async |ns, database| {
        let first = deployment(&ns.push(&Release::number(1))).replace("replicas: 1", "replicas: 2");
        let second = first.replace(&image_of(&first), &ns.push(&Release::number(2)));
        ns.apply(&first);
        ns.rollout_done("my-backend-deployment").await;
        ns.apply(&second);
        let mut least = i32::MAX;
        ns.until("my-backend-deployment", "the update is done", |all: &[Deployment]| {
            let status = all.first()?.status.clone()?;
            least = least.min(status.available_replicas.unwrap_or(0));
            let new = status.observed_generation == all[0].metadata.generation;
            (new && status.updated_replicas == Some(2) && status.replicas == Some(2)).then_some(())
        })
        .await;
        assert_eq!(least, 2);
        assert_eq!(applied(database).await, [1, 2].map(Release::migration));
    })
    .await;
}

/// The image that a manifest names.
fn image_of(manifest: &str) -> String {
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix("image: "));
    line.unwrap().to_owned()
}

fn migrated_at(pod: &Pod) -> jiff::Timestamp {
    assert!(init(pod, "plimsoll").unwrap().ready);
    terminated(pod, "plimsoll").unwrap().finished_at.clone().unwrap().0
}

fn started_at(pod: &Pod) -> jiff::Timestamp {
    let app = &pod.status.as_ref().unwrap().container_statuses.as_ref().unwrap()[0];
    app.state.as_ref().unwrap().running.as_ref().unwrap().started_at.clone().unwrap().0
}
