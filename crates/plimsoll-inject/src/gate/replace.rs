//! A gate that was a container with Prisma in it before.

use plimsoll_core::Diagnostic;
use serde_json::{Value, json};

use super::env;
use super::place::Containers;
use super::resources::Origin;
use super::takeover::{self, Whole};
use super::{Site, Story, arguments, common, delivery, knative, template};
use crate::edit::Editor;
use crate::facts::URL_FILE;
use crate::select::Candidate;
use crate::value::{list, name, named};

/// Turns a container that ran Prisma into the gate. What it has of its own stays; what is missing is added.
pub(super) fn replace(
    editor: &mut Editor<'_>,
    site: &Site<'_>,
    whole: &Whole,
    story: &mut Story,
) -> Result<(), Diagnostic> {
    let Whole { place, deploy } = whole;
    let Site { candidate: Candidate { workload, settings, .. }, pod, .. } = site;
    let Some(container) = place.container(pod) else { return Ok(()) };
    let at = place.at(workload);
    story.container.clone_from(&place.name);
    story.reasons.push(format!(
        "container `{}` ran `{}`: it runs Plimsoll now, in the same place",
        place.name,
        deploy.was.trim()
    ));
    let common = common(pod, container, settings, (Origin::TakenOver, Some(deploy)), story);
    let parts = delivery::of(workload, pod, settings, &common)?;
    story.reasons.push(parts.reason);

    takeover::command(editor, &at, &parts.program, arguments(settings, Some(deploy)));
    if let Some(directory) = &deploy.directory {
        editor.set(&format!("{at}/workingDir"), json!(directory));
    }
    variables(editor, site, whole, container, story)?;
    if let Some(mount) = parts.mount {
        editor.push(&format!("{at}/volumeMounts"), mount);
    }
    takeover::complete(editor, &at, container, common);
    if let Some(volume) = parts.volume {
        editor.push(&format!("{}/volumes", workload.pod()), volume);
    }
    if let Some(before) = parts.before {
        let is_it = |other: &Value| place.list == Containers::Init && name(other) == place.name;
        let index = Containers::Init.of(pod).iter().position(is_it);
        editor.insert(&format!("{}/initContainers", workload.pod()), index.unwrap_or(usize::MAX), before);
    }
    Ok(())
}

/// Adds what the variables lack, and takes the URL from a Secret if one was named.
fn variables(
    editor: &mut Editor<'_>,
    site: &Site<'_>,
    Whole { place, deploy }: &Whole,
    container: &Value,
    story: &mut Story,
) -> Result<(), Diagnostic> {
    let Site { candidate: candidate @ Candidate { workload, settings, .. }, facts, .. } = site;
    let found = env::of(workload, container, settings, &facts.variables, Some(deploy))?;
    // It keeps what it has; only where its URL comes from is worth a sentence.
    let is_news = settings.secret.is_some() || container.get("env").is_none();
    story.reasons.extend(found.reasons.into_iter().filter(|_| is_news));
    let at = format!("{}/env", place.at(workload));
    let has = |wanted: &str| named(list(container, "/env"), wanted).is_some();
    if let Some(secret) = &settings.secret {
        for entry in env::secret_entries(settings, secret) {
            editor.put(&at, entry);
        }
        // A URL and a file with a URL contradict each other; a variable of ours that is set to nothing counts as not set.
        if has(URL_FILE) {
            editor.put(&at, json!({"name": URL_FILE, "value": ""}));
        }
    }
    for own in env::own_entries(deploy, settings, &facts.variables) {
        editor.put(&at, own);
    }
    for entry in env::identity(template(candidate), knative(workload)) {
        if !has(name(&entry)) {
            editor.push(&at, entry);
        }
    }
    Ok(())
}
