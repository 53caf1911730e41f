//! Injection by the API server itself, without a webhook.

use plimsoll_e2e::{Namespace, Release, cluster, policies, restarts, terminated};
use plimsoll_testkit::wait;
use serde_json::json;

use crate::scene::{APP, application, applied, with_scene};

#[tokio::test]
async fn a_pod_with_the_label_is_gated_by_the_api_server() {
    with_scene(async |ns, database| {
        cluster().kubectl(&["apply", "--filename=-"], &policies()).expect("the policies are accepted");
        let image = ns.push(&Release::number(1));
        let labelled = application(&image).replace(
            "labels: { app: my-backend }",
            "labels: { app: my-backend, plimsoll.dev/inject: \"true\" }",
        );
        // A policy is at work a moment after it was accepted.
        wait::until("the policy is at work", || dry_run(ns, &image).contains("initContainers"));
        ns.apply(&labelled);
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(restarts(&pod), 0);
        assert_eq!(terminated(&pod, "plimsoll").unwrap().exit_code, 0);
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}

/// What would become of a pod with the label.
fn dry_run(ns: &Namespace, image: &str) -> String {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "probe", "labels": { "plimsoll.dev/inject": "true" } },
        "spec": { "containers": [{ "name": "it", "image": image }] },
    });
    ns.kubectl(&["create", "--dry-run=server", "--output=json", "--filename=-"], &pod.to_string()).stdout
}
