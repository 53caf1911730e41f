//! The gate itself: an init container made from the application's, or one that ran Prisma and now runs Plimsoll.

mod advice;
mod delivery;
mod env;
mod mounts;
mod position;
mod proxy;
mod resources;
mod security;
mod takeover;

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Map, Value, json};

use crate::detect::Deploy;
use crate::edit::Editor;
use crate::inject::Facts;
use crate::select::{Candidate, application, without_image};
use crate::settings::{Mode, Settings};
use crate::value::{list, name, named, text};
use crate::workload::Workload;
pub(crate) use delivery::{DIRECTORY, VOLUME};
use env::{Knative, OURS_FILE};
pub(crate) use env::{OURS, close, is_url, url_variable};
use resources::Origin;
use takeover::Takeover;

/// What was decided, and what a person may want to change.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The name of the gate's container.
    pub(crate) container: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) advice: Vec<String>,
}

/// Puts a gate into a workload.
pub(crate) fn put(
    editor: &mut Editor<'_>,
    candidate: &Candidate,
    facts: &Facts,
) -> Result<Story, Diagnostic> {
    let pod = pod(candidate)?;
    let takeover = takeover::of(candidate, pod, &facts.variables)?;
    let mut story = Story::default();
    match &takeover.whole {
        Some((place, deploy)) => replace(editor, candidate, pod, place, deploy, facts, &mut story)?,
        None => insert(editor, candidate, pod, &takeover, facts, &mut story)?,
    }
    for (place, rest, was) in &takeover.starts {
        takeover::cut(editor, &format!("{}/{place}", candidate.workload.pod()), rest);
        story.reasons.push(format!("`{was}` left the start command of `{}`: the gate does it", last(place)));
    }
    story.reasons.extend(takeover.notes);
    set_pod_fields(editor, candidate, &mut story);
    advice::add(candidate, pod, &mut story);
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
    let selected = pod.pointer("/nodeSelector/kubernetes.io~1os").and_then(Value::as_str);
    if text(pod, "/os/name").or(selected) == Some("windows") {
        let trouble = workload
            .trouble(Code::InjectUnsupported, "its pods run on Windows, and Plimsoll is a program for Linux");
        return Err(trouble.help(LEAVE));
    }
    Ok(pod)
}

/// How a workload is kept out of it.
const LEAVE: &str = "to leave it alone: `plimsoll.dev/inject: \"false\"` among its labels or annotations";

fn last(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or(place)
}

/// The words behind the program: what it does, and with what.
pub(crate) fn arguments(settings: &Settings, deploy: Option<&Deploy>) -> (&'static str, Vec<String>) {
    let (verb, skipped) = match settings.mode {
        Mode::Deploy => ("deploy", ""),
        // Who applies nothing waits for no lock.
        Mode::Wait => ("wait", "lock-wait"),
    };
    let given = settings.passed.iter().filter(|(name, _)| *name != skipped);
    let given: Vec<String> = given.map(|(name, value)| format!("--{name}={}", env::literal(value))).collect();
    let is_given = |arg: &&String| {
        let flag = arg.split('=').next().unwrap_or_default();
        given.iter().any(|other| other.split('=').next() == Some(flag))
    };
    let kept = deploy.into_iter().flat_map(|deploy| &deploy.args).filter(|arg| !is_given(arg));
    let mut all: Vec<String> = kept.map(|arg| env::literal(arg)).collect();
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

/// Makes a new container and puts it in its place.
fn insert(
    editor: &mut Editor<'_>,
    candidate: &Candidate,
    pod: &Value,
    takeover: &Takeover,
    facts: &Facts,
    story: &mut Story,
) -> Result<(), Diagnostic> {
    let Candidate { workload, settings, .. } = candidate;
    let base = application(candidate, pod, &facts.variables)?;
    takeover::is_of(candidate, base, takeover, &facts.variables)?;
    proxy::check(candidate, pod, base, takeover.deploy.as_ref(), &facts.variables)?;
    is_free(workload, pod, &settings.name)?;
    let init = list(pod, "/initContainers");
    let (index, why) = position::index(workload, init, &settings.position)?;
    story.container.clone_from(&settings.name);
    story.advice.push(advice::two_images(name(base), &settings.name));
    story.reasons.push(format!(
        "init container `{}` from the image of `{}`: {why}",
        settings.name,
        name(base)
    ));
    let mut env = env::of(workload, base, settings, &facts.variables, takeover.deploy.as_ref())?;
    story.reasons.append(&mut env.reasons);
    let (mut mounts, said) = mounts::of(workload, pod, base, settings)?;
    story.reasons.extend(said);
    let common = common(pod, base, settings, (Origin::New, takeover.deploy.as_ref()), story);
    let parts = delivery::of(workload, pod, settings, &common)?;
    story.reasons.push(parts.reason);
    mounts.extend(parts.mount);

    let deploy = takeover.deploy.as_ref();
    let mut entries = env.entries;
    for own in deploy.into_iter().flat_map(|deploy| env::own_entries(deploy, settings, &facts.variables)) {
        entries.retain(|entry| name(entry) != name(&own));
        entries.push(own);
    }
    let identity = env::identity(template(candidate), knative(workload));
    entries.retain(|entry| named(&identity, name(entry)).is_none());
    entries.extend(identity);
    let directory =
        deploy.and_then(|deploy| deploy.directory.as_deref()).or_else(|| text(base, "/workingDir"));
    let (verb, args) = arguments(settings, deploy);

    let mut container = Map::new();
    let mut set =
        |key: &str, value: Option<Value>| container.extend(value.map(|value| (key.to_owned(), value)));
    set("name", Some(json!(settings.name)));
    set("image", base.get("image").cloned());
    set("imagePullPolicy", base.get("imagePullPolicy").cloned());
    set("command", Some(json!([parts.program, verb])));
    set("args", (!args.is_empty()).then(|| json!(args)));
    set("workingDir", directory.map(|directory| json!(directory)));
    set("envFrom", (!env.sources.is_empty()).then_some(Value::Array(env.sources)));
    set("env", Some(Value::Array(entries)));
    set("volumeMounts", (!mounts.is_empty()).then_some(Value::Array(mounts)));
    container.extend(common);

    let list = format!("{}/initContainers", workload.pod());
    editor.insert(&list, index, Value::Object(container));
    if let Some(before) = parts.before {
        editor.insert(&list, index, before);
    }
    if let Some(volume) = parts.volume {
        editor.push(&format!("{}/volumes", workload.pod()), volume);
    }
    Ok(())
}

/// The pod template, or the pod itself.
fn template(candidate: &Candidate) -> &Value {
    candidate.object.pointer(&candidate.workload.template).unwrap_or(&Value::Null)
}

fn is_free(workload: &Workload, pod: &Value, wanted: &str) -> Result<(), Diagnostic> {
    let taken =
        ["/containers", "/initContainers"].iter().any(|pointer| named(list(pod, pointer), wanted).is_some());
    if taken {
        let trouble = workload.trouble(
            Code::InjectUnclear,
            &format!("it has a container `{wanted}` already, which is no gate"),
        );
        return Err(trouble.help("give the gate another name: `--name NAME`"));
    }
    Ok(())
}

/// Turns a container that ran Prisma into the gate. What it has of its own stays; what is missing is added.
fn replace(
    editor: &mut Editor<'_>,
    candidate: &Candidate,
    pod: &Value,
    place: &str,
    deploy: &Deploy,
    facts: &Facts,
    story: &mut Story,
) -> Result<(), Diagnostic> {
    let Candidate { workload, settings, .. } = candidate;
    let (kind, own) = place.split_once('/').unwrap_or_default();
    let Some(container) = named(list(pod, &format!("/{kind}")), own) else { return Ok(()) };
    let at = format!("{}/{kind}/{own}", workload.pod());
    own.clone_into(&mut story.container);
    story.reasons.push(format!(
        "container `{own}` ran `{}`: it runs Plimsoll now, in the same place",
        deploy.was.trim()
    ));
    let common = common(pod, container, settings, (Origin::TakenOver, Some(deploy)), story);
    let parts = delivery::of(workload, pod, settings, &common)?;
    story.reasons.push(parts.reason);

    takeover::command(editor, &at, &parts.program, arguments(settings, Some(deploy)));
    if let Some(directory) = &deploy.directory {
        editor.set(&format!("{at}/workingDir"), json!(directory));
    }
    replace_env(editor, candidate, container, &at, deploy, facts, story)?;
    if let Some(mount) = parts.mount {
        editor.push(&format!("{at}/volumeMounts"), mount);
    }
    takeover::complete(editor, &at, container, common);
    if let Some(volume) = parts.volume {
        editor.push(&format!("{}/volumes", workload.pod()), volume);
    }
    if let Some(before) = parts.before {
        let init = format!("{}/initContainers", workload.pod());
        let index = list(pod, "/initContainers")
            .iter()
            .position(|container| name(container) == own && kind == "initContainers");
        editor.insert(&init, index.unwrap_or(usize::MAX), before);
    }
    Ok(())
}

fn replace_env(
    editor: &mut Editor<'_>,
    candidate: &Candidate,
    container: &Value,
    at: &str,
    deploy: &Deploy,
    facts: &Facts,
    story: &mut Story,
) -> Result<(), Diagnostic> {
    let Candidate { workload, settings, .. } = candidate;
    let found = env::of(workload, container, settings, &facts.variables, Some(deploy))?;
    // It keeps what it has; only where its URL comes from is worth a sentence.
    story.reasons.extend(
        found.reasons.into_iter().filter(|_| settings.secret.is_some() || container.get("env").is_none()),
    );
    let list = format!("{at}/env");
    if let Some(secret) = &settings.secret {
        for entry in env::secret_entries(container, settings, secret, &facts.variables) {
            editor.put(&list, entry);
        }
        // A URL and a file with a URL contradict each other; a variable of ours that is set to nothing counts as not set.
        if named(crate::value::list(container, "/env"), OURS_FILE).is_some() {
            editor.put(&list, json!({"name": OURS_FILE, "value": ""}));
        }
    }
    for own in env::own_entries(deploy, settings, &facts.variables) {
        editor.put(&list, own);
    }
    for entry in env::identity(template(candidate), knative(workload)) {
        if named(crate::value::list(container, "/env"), name(&entry)).is_none() {
            editor.push(&list, entry);
        }
    }
    Ok(())
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
