//! Injection by the API server itself: a `MutatingAdmissionPolicy`, without any webhook.
//!
//! It is opt-in by the label `plimsoll.dev/inject: "true"` of a pod: a policy sees labels, while an annotation cannot select. The
//! gate is made of the same settings as elsewhere. The CEL expressions only use what Kubernetes 1.36 has, where these policies are
//! generally available; `copy` operations take over what the application has, so that no field has to be known here.
//! A second policy, which changes nothing, rejects a pod that opted in and has no gate.

mod cel;

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Value, json};

use crate::options::Given;
use crate::settings::{Delivery, Existing, Position, Settings};

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
        guard_binding(),
    ])
}

fn check(given: &Given, settings: &Settings) -> Result<(), Diagnostic> {
    let refuse = |flag: &str, why: &str| {
        let message = format!("`--{flag}` has no meaning for a policy: {why}");
        Err(Diagnostic::new(Code::InjectOption, message).help("leave it out, or inject into the manifest"))
    };
    for flag in ["target", "all", "template-path"] {
        if !given.many(flag).is_empty() {
            return refuse(flag, "the label `plimsoll.dev/inject` chooses the pods");
        }
    }
    if settings.existing == Existing::Keep {
        return refuse("existing", "it replaces no Prisma command");
    }
    if settings.grace.is_some() || settings.progress_deadline.is_some() {
        return refuse("grace` and `--progress-deadline", "it changes nothing but the gate");
    }
    if matches!(settings.position, Position::Before(_) | Position::After(_)) {
        return refuse("place", "only `first` and `last` are the same in every pod");
    }
    if settings.delivery == Delivery::Copy {
        return refuse("delivery copy", "an image volume does the same wherever there are such policies");
    }
    Ok(())
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

fn injects(settings: &Settings) -> Value {
    let variables: Vec<Value> = cel::variables(settings)
        .into_iter()
        .map(|(name, expression)| json!({"name": name, "expression": expression}))
        .collect();
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata(NAME),
        "spec": {
            "failurePolicy": "Fail",
            // Meshes put their sidecars in with webhooks, which come later.
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": matches(),
            "matchConditions": [{"name": "has-no-gate", "expression": format!("!({})", cel::has_gate(&settings.name))}],
            "variables": variables,
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": cel::patch(settings)}}],
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
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata(GUARD),
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": matches(),
            "validations": [{"expression": cel::has_gate(&settings.name), "message": message, "reason": "Forbidden"}],
        },
    })
}

fn guard_binding() -> Value {
    binding("ValidatingAdmissionPolicyBinding", GUARD, Some(json!(["Deny"])))
}
