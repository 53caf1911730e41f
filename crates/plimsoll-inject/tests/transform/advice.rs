//! What is said beside a gate, and when it is not.

use serde_json::{Value, json};

use crate::support::{app, deployment, pod_in_deployment, try_inject};

/// The advice that begins or goes on like this.
fn advice(object: &Value, flags: &[(&str, &str)], words: &str) -> Option<String> {
    let injected = try_inject(std::slice::from_ref(object), flags).unwrap();
    let mut advice = injected.outcomes.into_iter().flat_map(|outcome| outcome.advice);
    advice.find(|sentence| sentence.contains(words))
}

const DEADLINE: &str = "makes the rollout count as failed";
const GRACE: &str = "may be too short to roll a migration back";
const JOB: &str = "a `podFailurePolicy` can fail the Job at once";

fn with_deadline(seconds: &Value) -> Value {
    let mut object = deployment(app());
    object["spec"]["progressDeadlineSeconds"] = seconds.clone();
    object
}

#[test]
fn a_rollout_that_fails_within_ten_minutes_is_told_to_whoever_has_set_nothing_longer() {
    let usual = advice(&deployment(app()), &[], DEADLINE).unwrap();
    assert!(usual.starts_with("a migration longer than 600 s "), "{usual}");
    assert!(advice(&with_deadline(&json!(60)), &[], DEADLINE).unwrap().contains("longer than 60 s"));
    assert!(advice(&with_deadline(&json!(600)), &[], DEADLINE).is_some());
    assert_eq!(advice(&with_deadline(&json!(601)), &[], DEADLINE), None);
    assert_eq!(advice(&deployment(app()), &[("progress-deadline", "60")], DEADLINE), None);
}

#[test]
fn only_kinds_with_a_deadline_are_told_about_it() {
    for (version, kind, has_one) in [
        ("apps/v1", "Deployment", true),
        ("argoproj.io/v1alpha1", "Rollout", true),
        ("apps/v1", "StatefulSet", false),
        ("apps/v1", "DaemonSet", false),
    ] {
        let mut object = deployment(app());
        object["apiVersion"] = json!(version);
        object["kind"] = json!(kind);
        assert_eq!(advice(&object, &[], DEADLINE).is_some(), has_one, "{kind}");
    }
}

#[test]
fn a_grace_period_is_too_short_below_five_seconds_and_nobody_is_told_who_sets_it() {
    let object = |seconds: u64| {
        pod_in_deployment(json!({"terminationGracePeriodSeconds": seconds, "containers": [app()]}))
    };
    assert!(advice(&object(4), &[], GRACE).unwrap().starts_with("4 s "));
    assert_eq!(advice(&object(5), &[], GRACE), None);
    assert_eq!(advice(&object(4), &[("grace", "4")], GRACE), None);
    assert_eq!(advice(&deployment(app()), &[], GRACE), None);
}

fn job(fields: &Value, pod: &Value) -> Value {
    let mut spec = json!({"template": {"spec": {"containers": [app()]}}});
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    spec["template"]["spec"].as_object_mut().unwrap().extend(pod.as_object().unwrap().clone());
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "m"}, "spec": spec})
}

#[test]
fn a_job_without_a_failure_policy_is_told_of_one() {
    let policy = json!({"podFailurePolicy": {"rules": []}});
    let never = json!({"restartPolicy": "Never"});
    assert!(advice(&job(&json!({}), &never), &[], JOB).unwrap().ends_with("at once"));
    let on_failure = advice(&job(&json!({}), &json!({"restartPolicy": "OnFailure"})), &[], JOB).unwrap();
    assert!(on_failure.ends_with("(with `restartPolicy: Never`)"), "{on_failure}");
    assert_eq!(advice(&job(&policy, &never), &[], JOB), None);
    assert_eq!(advice(&deployment(app()), &[], JOB), None);
}

#[test]
fn a_cron_job_has_its_policy_in_the_template_of_its_jobs() {
    let cron = |fields: &Value| {
        let job = job(fields, &json!({"restartPolicy": "Never"}));
        json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "m"},
            "spec": {"schedule": "@daily", "jobTemplate": {"spec": job["spec"]}},
        })
    };
    assert!(advice(&cron(&json!({})), &[], JOB).is_some());
    assert_eq!(advice(&cron(&json!({"podFailurePolicy": {"rules": []}})), &[], JOB), None);
}

#[test]
fn a_proxy_that_starts_with_the_application_is_told_and_a_native_sidecar_is_not() {
    let proxy = json!({"name": "cloud-sql-proxy", "image": "proxy"});
    let beside = pod_in_deployment(json!({"containers": [app(), proxy]}));
    assert!(advice(&beside, &[], "starts after every init container").unwrap().contains("`cloud-sql-proxy`"));
    let before = pod_in_deployment(json!({"initContainers": [proxy], "containers": [app()]}));
    assert_eq!(advice(&before, &[], "starts after every init container"), None);
}
