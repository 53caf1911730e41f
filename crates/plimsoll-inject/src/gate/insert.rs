//! A gate that was not there before: an init container made from the application's.

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Map, Value, json};

use super::env::{self, Env};
use super::place::Containers;
use super::resources::Origin;
use super::takeover::{self, Takeover};
use super::{Site, Story, advice, arguments, common, delivery, knative, mounts, position, proxy, template};
use crate::detect::Deploy;
use crate::edit::Editor;
use crate::select::{Candidate, application};
use crate::value::{list, name, named, text};
use crate::workload::Workload;

/// Makes a new container and puts it in its place. It runs what a start command ran, if one ran a migration.
pub(super) fn insert(
    editor: &mut Editor<'_>,
    site: &Site<'_>,
    takeover: &Takeover,
    story: &mut Story,
) -> Result<(), Diagnostic> {
    let Site { candidate: candidate @ Candidate { workload, settings, .. }, pod, facts } = site;
    let deploy = takeover.deploy.as_ref();
    let base = application(candidate, pod, &facts.variables)?;
    takeover::is_of(candidate, base, takeover, &facts.variables)?;
    proxy::check(candidate, pod, base, deploy, &facts.variables)?;
    is_free(workload, pod, &settings.name)?;
    let (index, why) = position::index(workload, list(pod, "/initContainers"), &settings.position)?;
    story.container.clone_from(&settings.name);
    story.advice.push(advice::two_images(name(base), &settings.name));
    story.reasons.push(format!(
        "init container `{}` from the image of `{}`: {why}",
        settings.name,
        name(base)
    ));
    let env = variables(site, base, deploy, story)?;
    let (mut mounts, said) = mounts::of(workload, pod, base, settings)?;
    story.reasons.extend(said);
    let common = common(pod, base, settings, (Origin::New, deploy), story);
    let parts = delivery::of(workload, pod, settings, &common)?;
    story.reasons.push(parts.reason);
    mounts.extend(parts.mount);

    let mut container = program(site, base, deploy, &parts.program);
    fill(&mut container, "envFrom", (!env.sources.is_empty()).then_some(Value::Array(env.sources)));
    fill(&mut container, "env", Some(Value::Array(env.entries)));
    fill(&mut container, "volumeMounts", (!mounts.is_empty()).then_some(Value::Array(mounts)));
    container.extend(common);
    let init = format!("{}/initContainers", workload.pod());
    editor.insert(&init, index, Value::Object(container));
    if let Some(before) = parts.before {
        editor.insert(&init, index, before);
    }
    if let Some(volume) = parts.volume {
        editor.push(&format!("{}/volumes", workload.pod()), volume);
    }
    Ok(())
}

/// The container's own variables that the URL needs, those that a command set for itself, and who the gate is: a later one
/// takes the place of an earlier one of its name.
fn variables(
    site: &Site<'_>,
    base: &Value,
    deploy: Option<&Deploy>,
    story: &mut Story,
) -> Result<Env, Diagnostic> {
    let Site { candidate: candidate @ Candidate { workload, settings, .. }, facts, .. } = site;
    let mut env = env::of(workload, base, settings, &facts.variables, deploy)?;
    story.reasons.append(&mut env.reasons);
    for own in deploy.into_iter().flat_map(|deploy| env::own_entries(deploy, settings, &facts.variables)) {
        env.entries.retain(|entry| name(entry) != name(&own));
        env.entries.push(own);
    }
    let identity = env::identity(template(candidate), knative(workload));
    env.entries.retain(|entry| named(&identity, name(entry)).is_none());
    env.entries.extend(identity);
    Ok(env)
}

/// What the container is called, and what it runs where.
fn program(site: &Site<'_>, base: &Value, deploy: Option<&Deploy>, program: &str) -> Map<String, Value> {
    let settings = &site.candidate.settings;
    let directory =
        deploy.and_then(|deploy| deploy.directory.as_deref()).or_else(|| text(base, "/workingDir"));
    let (verb, args) = arguments(settings, deploy);
    let mut container = Map::new();
    fill(&mut container, "name", Some(json!(settings.name)));
    fill(&mut container, "image", base.get("image").cloned());
    fill(&mut container, "imagePullPolicy", base.get("imagePullPolicy").cloned());
    fill(&mut container, "command", Some(json!([program, verb])));
    fill(&mut container, "args", (!args.is_empty()).then(|| json!(args)));
    fill(&mut container, "workingDir", directory.map(|directory| json!(directory)));
    container
}

fn fill(container: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    container.extend(value.map(|value| (key.to_owned(), value)));
}

fn is_free(workload: &Workload, pod: &Value, wanted: &str) -> Result<(), Diagnostic> {
    let is_taken = |list: Containers| named(list.of(pod), wanted).is_some();
    if !is_taken(Containers::Main) && !is_taken(Containers::Init) {
        return Ok(());
    }
    let message = format!("it has a container `{wanted}` already, which is no gate");
    let trouble = workload.trouble(Code::InjectUnclear, &message);
    Err(trouble.help("give the gate another name: `--name NAME`"))
}
