//! Injection by the API server itself: a `MutatingAdmissionPolicy`, without any webhook.
//!
//! It is opt-in by the label `plimsoll.dev/inject: "true"` of a pod: a policy sees labels, while an annotation cannot select. It
//! makes the gate that `inject` makes for that pod, or it refuses the pod with a sentence that names the way on: never
//! something in between. A second policy, which changes nothing, says those sentences, and rejects a pod that has no
//! gate for whatever reason. The expressions only use what Kubernetes 1.36 has, where these policies are generally available.

mod cel;
mod gated;
mod patch;
mod problem;
mod proxy;
mod source;
mod target;

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Value, json};

use crate::options::Given;
use crate::settings::{Delivery, Position, Settings};

/// What the policies and their bindings are called in a cluster.
const NAME: &str = "plimsoll-inject.plimsoll.dev";
/// What the policy that checks, and its binding, are called.
const GUARD: &str = "plimsoll-guard.plimsoll.dev";

/// The policy that injects, the one that checks, and their bindings, for the API group `admissionregistration.k8s.io/v1`.
///
/// Options that only a whole manifest can answer are errors.
pub fn policies(given: &Given) -> Result<Vec<Value>, Diagnostic> {
    let settings = Settings::read(given, None)?;
    check(given, &settings)?;
    Ok(vec![
        injects(&settings),
        binding("MutatingAdmissionPolicyBinding", NAME, None),
        guards(&settings),
        binding("ValidatingAdmissionPolicyBinding", GUARD, Some(json!(["Deny"]))),
    ])
}

fn check(given: &Given, settings: &Settings) -> Result<(), Diagnostic> {
    let is_given = |flag: &str| !given.many(flag).is_empty();
    let chosen = "the label `plimsoll.dev/inject` chooses the pods";
    let only_gate = "it changes nothing but the gate";
    let refused = [
        ("--target", is_given("target"), chosen),
        ("--all", is_given("all"), chosen),
        ("--template-path", is_given("template-path"), chosen),
        ("--grace", settings.grace.is_some(), only_gate),
        ("--progress-deadline", settings.progress_deadline.is_some(), only_gate),
        (
            "--place",
            matches!(settings.position, Position::Before(_) | Position::After(_)),
            "only `first` and `last` are the same in every pod",
        ),
        (
            "--delivery copy",
            settings.delivery == Delivery::Copy,
            "an image volume does the same wherever there are such policies",
        ),
    ];
    match refused.iter().find(|(_, is_refused, _)| *is_refused) {
        None => Ok(()),
        Some((flag, _, why)) => {
            let message = format!("`{flag}` has no meaning for a policy: {why}");
            Err(Diagnostic::new(Code::InjectOption, message)
                .help("leave it out, or inject into the manifest"))
        }
    }
}

fn metadata(name: &str) -> Value {
    json!({"name": name, "labels": {"app.kubernetes.io/name": "plimsoll", "app.kubernetes.io/managed-by": "plimsoll"}})
}

fn matches() -> Value {
    json!({
        "matchPolicy": "Equivalent",
        "objectSelector": {"matchLabels": {"plimsoll.dev/inject": "true"}},
        "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
    })
}

/// An annotation wins over a label, as everywhere.
fn conditions() -> Value {
    let expression = "!(has(object.metadata.annotations) && 'plimsoll.dev/inject' in object.metadata.annotations && \
                      object.metadata.annotations['plimsoll.dev/inject'].trim() == 'false')";
    json!([{"name": "is-not-left-alone", "expression": expression}])
}

fn variables(settings: &Settings) -> Vec<Value> {
    let all = [
        target::containers(settings),
        vec![("gated", gated::gated(settings))],
        target::environment(settings),
        source::source(settings),
        proxy::way(settings),
        target::mounts(settings),
        vec![("problem", problem::problem(settings))],
    ];
    all.into_iter().flatten().map(variable).collect()
}

fn variable((name, expression): target::Variable) -> Value {
    json!({"name": name, "expression": expression})
}

fn injects(settings: &Settings) -> Value {
    let mut variables = variables(settings);
    variables.extend(target::circumstances(settings).into_iter().map(variable));
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata(NAME),
        "spec": {
            "failurePolicy": "Fail",
            // Meshes put their sidecars in with webhooks, which come later.
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": matches(),
            "matchConditions": conditions(),
            "variables": variables,
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch::patch(settings)}}],
        },
    })
}

fn binding(kind: &str, policy: &str, actions: Option<Value>) -> Value {
    let mut spec = json!({"policyName": policy});
    if let Some(actions) = actions {
        spec["validationActions"] = actions;
    }
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": metadata(policy), "spec": spec})
}

fn guards(settings: &Settings) -> Value {
    let message = "the pod has the label plimsoll.dev/inject: \"true\" and no gate: is the policy that injects bound here?";
    let sentence = format!(
        "variables.problem != '' ? 'Plimsoll cannot gate this pod: ' + variables.problem : {}",
        cel::text(message)
    );
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata(GUARD),
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": matches(),
            "matchConditions": conditions(),
            "variables": variables(settings),
            "validations": [{
                "expression": "variables.gated",
                "messageExpression": sentence,
                "message": message,
                "reason": "Forbidden",
            }],
        },
    })
}
