//! Migrations and application in one container: `plimsoll exec`.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use plimsoll_e2e::{Release, restarts};

use crate::scene::{APP, application, applied, with_scene};

#[tokio::test]
async fn the_application_behind_exec_is_the_first_process_and_gets_the_signals_of_its_pod() {
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(1));
        let line = format!("image: {image}\n          command: [plimsoll, exec, --, backend, serve]\n");
        ns.apply(&application(&image).replace(&format!("image: {image}\n"), &line));
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(restarts(&pod), 0);
        assert_eq!(applied(database).await, [Release::migration(1)]);
        let name = pod.name_any();
        let first = ns.kubectl(&["exec", &name, "--", "cat", "/proc/1/cmdline"], "").expect("it runs");
        assert_eq!(first, "backend\0serve\0");
        ns.delete_pod(&pod).await;
        let code =
            ns.until(&name, "it ends when it is told to", |pods: &[Pod]| exit_code(pods.first()?)).await;
        assert_eq!(code, 0, "killed after its grace period it would be 137");
    })
    .await;
}

fn exit_code(pod: &Pod) -> Option<i32> {
    let app = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
    Some(app.state.as_ref()?.terminated.as_ref()?.exit_code)
}
