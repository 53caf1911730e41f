//! Injection by the API server itself, without a webhook.

mod case;
mod database;
mod guard;
mod same;

use plimsoll_e2e::{Namespace, Release, cluster, policies, restarts, terminated};
use plimsoll_testkit::wait;

use crate::scene::{APP, application, applied, with_scene};
use case::{Case, create, plain};

#[tokio::test]
async fn a_pod_with_the_label_is_gated_by_the_api_server() {
    with_scene(async |ns, database| {
        bind(ns, &[], &plain());
        let image = ns.push(&Release::number(1));
        let labelled = application(&image).replace(
            "labels: { app: my-backend }",
            "labels: { app: my-backend, plimsoll.dev/inject: \"true\" }",
        );
        ns.apply(&labelled);
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(restarts(&pod), 0);
        assert_eq!(terminated(&pod, "plimsoll").unwrap().exit_code, 0);
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}

/// Makes the policies for this namespace and returns when both are at work, which is a moment after they were accepted:
/// when a pod is gated that can be, and one is refused that cannot.
fn bind(ns: &Namespace, flags: &[&str], gated: &Case) {
    cluster().kubectl(&["apply", "--filename=-"], &policies(ns, flags)).expect("the policies are accepted");
    let never = Case::of("a pod on Windows", "{os: {name: windows}, containers: [APP]}");
    wait::until("the policy injects", || {
        create(ns, &gated.manifest()).stdout.contains("FallbackToLogsOnError")
    });
    wait::until("the policy guards", || {
        create(ns, &never.manifest()).stderr.contains("Plimsoll cannot gate this pod")
    });
}
