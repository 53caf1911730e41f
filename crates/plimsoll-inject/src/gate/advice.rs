//! What a person may want to change, and nothing here changes without being asked.

use serde_json::Value;

use super::Story;
use crate::select::Candidate;
use crate::settings::{Delivery, Mode};
use crate::value::text;
use crate::workload::Workload;

/// Kubernetes' default for `progressDeadlineSeconds`, in seconds.
const PROGRESS_DEADLINE: u64 = 600;

/// How long a runner may take to end after SIGTERM, in seconds, with a margin.
const GRACE: u64 = 5;

/// Whether a rollout of this workload has a deadline.
pub(super) fn has_progress_deadline(workload: &Workload) -> bool {
    matches!(
        (workload.group.as_str(), workload.kind.as_str()),
        ("apps" | "extensions", "Deployment") | ("argoproj.io", "Rollout")
    )
}

/// Adds what is worth saying about this workload.
pub(super) fn add(candidate: &Candidate, pod: &Value, story: &mut Story) {
    let advice = [
        deadline(candidate),
        grace(candidate, pod),
        super::proxy::advice(pod),
        job(candidate, pod),
        knative(candidate),
        binary(candidate),
    ];
    story.advice.extend(advice.into_iter().flatten());
}

/// A gate of its own is a second container with the image of the first.
pub(super) fn two_images(base: &str, gate: &str) -> String {
    format!(
        "what changes the image of `{base}` has to change that of `{gate}` with it, as in `kubectl set image … {base}=IMAGE {gate}=IMAGE`"
    )
}

fn deadline(candidate: &Candidate) -> Option<String> {
    let seconds = candidate.object.pointer("/spec/progressDeadlineSeconds").and_then(Value::as_u64);
    let is_short = seconds.unwrap_or(PROGRESS_DEADLINE) <= PROGRESS_DEADLINE;
    let applies = has_progress_deadline(&candidate.workload)
        && candidate.settings.progress_deadline.is_none()
        && is_short;
    applies.then(|| {
        let seconds = seconds.unwrap_or(PROGRESS_DEADLINE);
        format!("a migration longer than {seconds} s makes the rollout count as failed: `--progress-deadline SECONDS` sets more")
    })
}

fn grace(candidate: &Candidate, pod: &Value) -> Option<String> {
    let seconds = pod.get("terminationGracePeriodSeconds").and_then(Value::as_u64)?;
    (seconds < GRACE && candidate.settings.grace.is_none()).then(|| {
        format!("{seconds} s may be too short to roll a migration back after SIGTERM: `--grace 30` sets more")
    })
}

fn job(candidate: &Candidate, pod: &Value) -> Option<String> {
    let is_job = matches!(candidate.workload.kind.as_str(), "Job" | "CronJob");
    let template = candidate.workload.template.strip_suffix("/template")?;
    let has_policy = candidate.object.pointer(&format!("{template}/podFailurePolicy")).is_some();
    (is_job && !has_policy).then(|| {
        let needs = match text(pod, "/restartPolicy") {
            Some("Never") => "",
            _ => " (with `restartPolicy: Never`)",
        };
        format!("exit codes 64, 65, 77 and 78 do not go away by trying again: a `podFailurePolicy` can fail the Job at once{needs}")
    })
}

fn knative(candidate: &Candidate) -> Option<String> {
    (candidate.workload.group == "serving.knative.dev").then(|| {
        "Knative allows init containers only with the feature `kubernetes.podspec-init-containers`".to_owned()
    })
}

fn binary(candidate: &Candidate) -> Option<String> {
    let settings = &candidate.settings;
    (settings.delivery == Delivery::Image && settings.mode == Mode::Deploy).then(|| {
        "if the image does not hold the binary yet, `--plimsoll-image IMAGE` brings it in as an image volume".to_owned()
    })
}
