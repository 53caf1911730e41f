//! Pods as somebody wrote them, and what the API server would make of them.

use plimsoll_e2e::{Answer, Namespace};
use serde_json::Value;

/// A container with a URL.
const APPLICATION: &str =
    "{name: app, image: \"example.test/app:1\", env: [{name: DATABASE_URL, value: \"postgres://db/app\"}]}";

/// One pod.
pub(crate) struct Case {
    /// What is special about it.
    pub(crate) what: &'static str,
    labels: &'static str,
    annotations: &'static str,
    spec: String,
}

impl Case {
    /// A pod with this spec, in YAML; `APP` in it is a container with a URL.
    pub(crate) fn of(what: &'static str, spec: &str) -> Self {
        Self { what, labels: "", annotations: "", spec: spec.replace("APP", APPLICATION) }
    }

    /// The same with labels.
    pub(crate) fn labelled(self, labels: &'static str) -> Self {
        Self { labels, ..self }
    }

    /// The same with annotations.
    pub(crate) fn annotated(self, annotations: &'static str) -> Self {
        Self { annotations, ..self }
    }

    /// The pod, which has opted in.
    pub(crate) fn manifest(&self) -> String {
        let Self { labels, annotations, spec, .. } = self;
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: it, labels: {{plimsoll.dev/inject: \"true\", {labels}}}, \
             annotations: {{{annotations}}}}}\nspec: {spec}\n"
        )
    }
}

/// A pod with a URL and nothing else.
pub(crate) fn plain() -> Case {
    Case::of("a plain pod", "{containers: [APP]}")
}

/// What would become of a pod.
pub(crate) fn create(ns: &Namespace, manifest: &str) -> Answer {
    ns.kubectl(&["create", "--dry-run=server", "--output=json", "--filename=-"], manifest)
}

/// The pod that would be there: what it is to run, and what is noted on it but for the record of `inject`.
#[track_caller]
pub(crate) fn created(answer: Answer, what: &str) -> Value {
    let mut pod: Value = serde_json::from_str(&answer.expect(what)).unwrap();
    if let Some(annotations) = pod["metadata"]["annotations"].as_object_mut() {
        annotations.remove("plimsoll.dev/gate");
    }
    serde_json::json!({
        "labels": pod["metadata"]["labels"],
        "annotations": pod["metadata"]["annotations"].as_object().filter(|all| !all.is_empty()),
        "spec": without_random_names(&pod["spec"]),
    })
}

/// The API server gives the volume of a service account's token a random name, and puts it in before or after the gate's.
fn without_random_names(spec: &Value) -> Value {
    let text = spec.to_string();
    let volumes =
        spec["volumes"].as_array().into_iter().flatten().filter_map(|volume| volume["name"].as_str());
    let random = volumes.filter(|name| name.starts_with("kube-api-access-"));
    let text = random.fold(text, |text, name| text.replace(name, "kube-api-access"));
    let mut spec: Value = serde_json::from_str(&text).unwrap();
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        volumes.sort_by_key(|volume| volume["name"].to_string());
    }
    spec
}
