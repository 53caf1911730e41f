//! What happens when something goes wrong.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use plimsoll_e2e::{Release, restarts, terminated};
use plimsoll_testkit::wait;

use crate::scene::{APP, Held, STOP, applied, deployment, until_held, with_scene};

#[tokio::test]
async fn a_migration_that_fails_is_explained_by_describe_and_a_corrected_image_heals_it() {
    with_scene(async |ns, database| {
        let old = ns.push(&Release::number(1));
        ns.apply(&deployment(&old));
        ns.rollout_done("my-backend-deployment").await;
        let serving = ns.pod(APP, "it is there", |_| true).await;
        ns.apply(&deployment(&ns.push(&Release::number(2).first("SELECT * FROM lifeboats;"))));
        let failed =
            |code| move |pod: &Pod| terminated(pod, "plimsoll").is_some_and(|it| it.exit_code == code);
        let pod = ns.pod(APP, "its migration has failed", failed(65)).await;
        // Between two starts it is `Init:0/1` for a moment.
        wait::until("`kubectl get pods` says so", || {
            let listed = ns.kubectl(&["get", "pods"], "").expect("pods can be listed");
            listed.contains("Init:Error") || listed.contains("Init:CrashLoopBackOff")
        });
        let described = ns.describe(&pod);
        for word in ["P3018", "42P01", "lifeboats", "Exit Code:    65"] {
            assert!(described.contains(word), "no `{word}` in:\n{described}");
        }
        assert_eq!(ns.ask(&serving).await, "1: `release_1` has 1 rows\n");
        assert_eq!(applied(database).await, [Release::migration(1)]);
        ns.apply(&deployment(&ns.push(&Release::number(2))));
        ns.rollout_done("my-backend-deployment").await;
        assert_eq!(applied(database).await, [1, 2].map(Release::migration));
    })
    .await;
}

#[tokio::test]
async fn a_pod_that_is_deleted_in_the_middle_of_a_migration_leaves_nothing_and_the_next_carries_on() {
    with_scene(async |ns, database| {
        let script = format!("CREATE TABLE half_done (); {STOP} DROP TABLE half_done;");
        let image = ns.push(&Release::number(1).first(&script));
        let held = Held::over(database).await;
        ns.apply(&deployment(&image));
        until_held(database).await;
        let first = ns.pod(APP, "it is there", |_| true).await;
        ns.delete_pod(&first).await;
        ns.pod(APP, "another is there", |pod| pod.metadata.uid != first.metadata.uid).await;
        ns.until(&first.name_any(), "the first is gone", |pods: &[Pod]| pods.is_empty().then_some(())).await;
        until_held(database).await;
        assert!(applied(database).await.is_empty());
        drop(held);
        ns.rollout_done("my-backend-deployment").await;
        let second = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(restarts(&second), 0);
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}
