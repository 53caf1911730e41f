//! What a person would ask the cluster after a scenario has failed.
#![expect(clippy::print_stderr, reason = "the person who reads the failed test has to see why")]

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::ListParams;
use tokio::time::timeout;

use crate::namespace::Namespace;

/// How long the cluster may take for an answer: that it gives none may be what has failed.
const LIMIT: Duration = Duration::from_secs(20);

/// Prints what there is, what happened to it, and what every container said, now and before it was started again.
pub(crate) async fn tell(namespace: &Namespace) {
    eprintln!("\n==== the story of {}", namespace.name());
    ask(namespace, &["get", "all", "--output=wide"]);
    ask(namespace, &["describe", "pods"]);
    ask(namespace, &["get", "events", "--sort-by=.lastTimestamp"]);
    // The cluster may be what has failed.
    let api = namespace.api::<Pod>();
    let pods = timeout(LIMIT, api.list(&ListParams::default())).await;
    for pod in pods.into_iter().flatten().flatten() {
        for container in containers(&pod) {
            let (name, container) = (pod.name_any(), format!("--container={container}"));
            ask(namespace, &["logs", &name, &container, "--previous"]);
            ask(namespace, &["logs", &name, &container]);
        }
    }
}

fn containers(pod: &Pod) -> Vec<String> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let all = spec.init_containers.iter().flatten().chain(&spec.containers);
    all.map(|container| container.name.clone()).collect()
}

/// What does not exist, such as a previous run, is left out.
fn ask(namespace: &Namespace, words: &[&str]) {
    let limit = format!("--request-timeout={}s", LIMIT.as_secs());
    let answer = namespace.kubectl(&[words, &[&limit]].concat(), "");
    if answer.succeeded {
        eprintln!("---- kubectl {}\n{}", words.join(" "), answer.stdout);
    }
}
