//! The gate itself: an init container made from the application's, or one that ran Prisma and now runs Plimsoll.

mod advice;
mod delivery;
mod env;
mod insert;
mod mounts;
mod place;
mod position;
mod proxy;
mod replace;
mod resources;
mod security;
mod takeover;

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Map, Value, json};

use crate::detect::Deploy;
use crate::edit::Editor;
use crate::facts::NODE_OS;
use crate::inject::Facts;
use crate::select::{Candidate, without_image};
use crate::settings::{Mode, Settings};
use crate::value::{escape, list, text};
use crate::workload::Workload;
use env::Knative;
pub(crate) use env::{close, is_url, url_variable};
use resources::Origin;
use takeover::Start;

/// What was decided, and what a person may want to change.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The name of the gate's container.
    pub(crate) container: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) advice: Vec<String>,
}

/// Where a gate goes, and what is known there.
struct Site<'s> {
    candidate: &'s Candidate,
    /// The pod's spec.
    pod: &'s Value,
    facts: &'s Facts,
}

/// Puts a gate into a workload.
pub(crate) fn put(
    editor: &mut Editor<'_>,
    candidate: &Candidate,
    facts: &Facts,
) -> Result<Story, Diagnostic> {
    let site = Site { candidate, pod: pod(candidate)?, facts };
    let takeover = takeover::of(candidate, site.pod, &facts.variables)?;
    let mut story = Story::default();
    match &takeover.whole {
        Some(whole) => replace::replace(editor, &site, whole, &mut story)?,
        None => insert::insert(editor, &site, &takeover, &mut story)?,
    }
    for Start { place, rest, was } in &takeover.starts {
        takeover::cut(editor, &place.at(&candidate.workload), rest);
        story.reasons.push(format!("`{was}` left the start command of `{}`: the gate does it", place.name));
    }
    story.reasons.extend(takeover.notes);
    set_pod_fields(editor, candidate, &mut story);
    advice::add(candidate, site.pod, &mut story);
    Ok(story)
}

/// The pod's spec, if it can hold a gate.
fn pod(candidate: &Candidate) -> Result<&Value, Diagnostic> {
    let Candidate { workload, object, .. } = candidate;
    let pod = object.pointer(&workload.pod()).filter(|pod| !list(pod, "/containers").is_empty()).ok_or_else(
        || {
            let message = format!("it has no containers at `{}/containers`", workload.pod());
            let trouble = workload.trouble(Code::InjectUnsupported, &message);
            trouble.help("if its pod template is elsewhere: `--template-path KIND=PATH`").help(LEAVE)
        },
    )?;
    if let Some(name) = without_image(candidate) {
        let message = format!("container `{name}` has no image: it looks like a patch of kustomize's");
        let trouble = workload.trouble(Code::InjectUnsupported, &message);
        return Err(trouble.help("inject into what `kustomize build` makes of it").help(LEAVE));
    }
    let selected = pod.pointer(&format!("/nodeSelector/{}", escape(NODE_OS))).and_then(Value::as_str);
    if text(pod, "/os/name").or(selected) == Some("windows") {
        let trouble = workload
            .trouble(Code::InjectUnsupported, "its pods run on Windows, and Plimsoll is a program for Linux");
        return Err(trouble.help(LEAVE));
    }
    Ok(pod)
}

/// How a workload is kept out of it.
const LEAVE: &str = "to leave it alone: `plimsoll.dev/inject: \"false\"` among its labels or annotations";

/// The words behind the program: what it does, and with what.
pub(crate) fn arguments(settings: &Settings, deploy: Option<&Deploy>) -> (&'static str, Vec<String>) {
    let (verb, skipped): (_, &[&str]) = match settings.mode {
        Mode::Deploy => ("deploy", &[]),
        // Who applies nothing waits for no lock, and `--wait` is all the time that there is.
        Mode::Wait => ("wait", &["lock-wait", "lock-timeout", "statement-timeout", "timeout"]),
    };
    let given = settings.passed.iter().filter(|(name, _)| !skipped.contains(name));
    let given: Vec<String> = given.map(|(name, value)| format!("--{name}={}", env::literal(value))).collect();
    let is_given = |arg: &&String| {
        let flag = arg.split('=').next().unwrap_or_default();
        given.iter().any(|other| other.split('=').next() == Some(flag))
    };
    let kept = deploy.into_iter().flat_map(|deploy| &deploy.args).filter(|arg| !is_given(arg));
    // Words of the manifest are in Kubernetes' syntax already.
    let mut all: Vec<String> = kept.cloned().collect();
    all.extend(given);
    (verb, all)
}

/// What a container of ours has whatever it does: policy, resources, security context.
fn common(
    pod: &Value,
    container: &Value,
    settings: &Settings,
    (origin, deploy): (Origin, Option<&Deploy>),
    story: &mut Story,
) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("terminationMessagePolicy".to_owned(), json!("FallbackToLogsOnError"));
    let (resources, said) = resources::of(pod, origin);
    fields.extend(resources.map(|resources| ("resources".to_owned(), resources)));
    story.reasons.extend(said);
    let files = mounts::database(container, settings, deploy);
    let (security, said) = security::of(pod, container, settings, files);
    fields.extend(security.map(|security| ("securityContext".to_owned(), security)));
    story.reasons.extend(said);
    fields
}

fn knative(workload: &Workload) -> Knative {
    if workload.group == "serving.knative.dev" { Knative::Yes } else { Knative::No }
}

/// The pod template, or the pod itself.
fn template(candidate: &Candidate) -> &Value {
    candidate.object.pointer(&candidate.workload.template).unwrap_or(&Value::Null)
}

/// Sets what was asked for beside the gate.
fn set_pod_fields(editor: &mut Editor<'_>, candidate: &Candidate, story: &mut Story) {
    let Candidate { workload, settings, .. } = candidate;
    if let Some(seconds) = settings.grace {
        editor.set(&format!("{}/terminationGracePeriodSeconds", workload.pod()), json!(seconds));
        story.reasons.push(format!("`terminationGracePeriodSeconds` is {seconds}, as `--grace` says"));
    }
    if let Some(seconds) = settings.progress_deadline.filter(|_| advice::has_progress_deadline(workload)) {
        editor.set("/spec/progressDeadlineSeconds", json!(seconds));
        story.reasons.push(format!("`progressDeadlineSeconds` is {seconds}, as `--progress-deadline` says"));
    }
}
