//! The variables that the gate needs, and no others.

use std::collections::BTreeSet;

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Value, json};

use crate::detect::Deploy;
use crate::facts::{BESIDE, IDENTITY, PREFIX, RELEASE, TRUST, URL as OURS, URL_FILE, VERSION};
use crate::settings::{SecretKey, Settings};
use crate::value::{list, name, named, names, text};
use crate::workload::Workload;

/// The variables of a gate.
#[derive(Debug, Default)]
pub(super) struct Env {
    pub(super) entries: Vec<Value>,
    pub(super) sources: Vec<Value>,
    pub(super) reasons: Vec<String>,
}

/// Takes what the URL needs from the variables of a container.
///
/// Where a Prisma command is taken over (`deploy`) the URL may come from where no manifest shows it: it worked there.
pub(super) fn of(
    workload: &Workload,
    container: &Value,
    settings: &Settings,
    needed: &[String],
    deploy: Option<&Deploy>,
) -> Result<Env, Diagnostic> {
    let entries = list(container, "/env");
    let mut env = Env::default();
    let mut wanted = wanted(workload, container, settings, needed)?;
    let missing = close(&mut wanted, entries);
    // A wanted variable may refer to the application's URL, which is not the gate's.
    wanted.retain(|name| !is_replaced(name, settings, needed));
    env.entries = entries.iter().filter(|entry| wanted.contains(name(entry))).cloned().collect();
    let has_url = url_variable(&env.entries, &settings.env).is_some();
    let sources = list(container, "/envFrom");
    match &settings.secret {
        Some(secret) => {
            env.entries.splice(0..0, secret_entries(settings, secret));
            env.reasons.push(format!(
                "`{}` comes from `{}` of the Secret `{}`, for it alone",
                settings.env, secret.key, secret.name
            ));
        }
        None if has_url => env.reasons.push(format!("it has {} of the container", names(&env.entries))),
        None if deploy.is_some_and(|deploy| sets(deploy, &settings.env)) => {
            env.reasons.push(format!("`{}` is what the command set it to", settings.env));
        }
        None if !sources.is_empty() => {}
        None if deploy.is_some() => {
            env.reasons.push(format!(
                "no entry is called `{}`: the image or a file has to say where the database is, as before",
                settings.env
            ));
        }
        None => return Err(no_url(workload, container, settings)),
    }
    // A Secret that the gate has for itself needs nothing of the application's.
    if settings.secret.is_none()
        && !sources.is_empty()
        && let Some(why) = needs_sources(entries, settings, needed, &missing, deploy)
    {
        env.sources = sources.to_vec();
        env.reasons.push(format!("it has all of the container's `envFrom`, {why}"));
    }
    Ok(env)
}

/// The variables that the gate takes if they are there, before what they refer to.
fn wanted<'w>(
    workload: &Workload,
    container: &'w Value,
    settings: &'w Settings,
    needed: &'w [String],
) -> Result<BTreeSet<&'w str>, Diagnostic> {
    let entries = list(container, "/env");
    if let Some(lost) = settings.copy_env.iter().find(|extra| named(entries, extra).is_none()) {
        return Err(no_such(workload, container, lost));
    }
    let asked_for = needed.iter().chain(&settings.copy_env).chain([&settings.env]).map(String::as_str);
    let own = entries.iter().map(name).filter(|name| name.starts_with(PREFIX));
    let all = BESIDE.into_iter().chain(TRUST).chain(asked_for).chain(own);
    Ok(all.filter(|name| !is_replaced(name, settings, needed)).collect())
}

/// Whether a Secret that the gate has for itself takes the place of this variable.
fn is_replaced(name: &str, settings: &Settings, needed: &[String]) -> bool {
    settings.secret.is_some() && (name == settings.env || is_url(name, needed))
}

/// Why the gate needs variables that no manifest shows; `None` if everything that it may want stands among the entries.
///
/// What is left behind is not missed: the project's own files may have a `DIRECT_URL` too, of another database.
fn needs_sources(
    entries: &[Value],
    settings: &Settings,
    needed: &[String],
    missing: &[&str],
    deploy: Option<&Deploy>,
) -> Option<String> {
    let has = |name: &str| named(entries, name).is_some();
    if !missing.is_empty() {
        return Some(format!("as the URL refers to `{}`", missing.join("`, `")));
    }
    if has(OURS) || has("PLIMSOLL_URL_FILE") {
        return None;
    }
    if !has(&settings.env) {
        return Some(format!("as no entry is called `{}`", settings.env));
    }
    if deploy.is_some() {
        return Some("as the command had it".to_owned());
    }
    let unknown = needed.is_empty() && !BESIDE.iter().any(|name| has(name));
    let wanted = needed.iter().map(String::as_str).find(|name| !has(name));
    wanted.or(unknown.then_some(BESIDE[0])).map(|name| format!("as `{name}` may be in it"))
}

/// Whether a command sets this variable for itself.
fn sets(deploy: &Deploy, wanted: &str) -> bool {
    deploy.env.iter().any(|(name, _)| name == wanted)
}

/// The entries that take the URL from a Secret.
///
/// A schema may prefer another variable, such as `DIRECT_URL`, and the image may bring one in a file: our own is set too, which
/// wins over everything that the project says. The application's role must not slip in.
pub(super) fn secret_entries<'s>(
    settings: &'s Settings,
    secret: &'s SecretKey,
) -> impl Iterator<Item = Value> + 's {
    let entry = |name: &str| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret.name, "key": secret.key}}});
    [settings.env.as_str()].into_iter().chain((settings.env != OURS).then_some(OURS)).map(entry)
}

/// The variable among these entries that says where the database is: the project's own, or one of ours.
pub(crate) fn url_variable<'n>(entries: &[Value], env: &'n str) -> Option<&'n str> {
    [env, OURS, URL_FILE].into_iter().find(|name| named(entries, name).is_some())
}

/// The file that holds the URL, if the manifest shows it and the gate reads it.
pub(super) fn url_file<'c>(container: &'c Value, settings: &Settings) -> Option<&'c str> {
    let entry = named(list(container, "/env"), URL_FILE).filter(|_| settings.secret.is_none())?;
    text(entry, "/value").filter(|path| path.starts_with('/'))
}

/// The variables that a command set for itself, without URLs that a Secret replaces.
pub(super) fn own_entries<'d>(
    deploy: &'d Deploy,
    settings: &'d Settings,
    needed: &'d [String],
) -> impl Iterator<Item = Value> + 'd {
    let kept = deploy.env.iter().filter(move |(name, _)| !is_replaced(name, settings, needed));
    kept.map(|(name, value)| json!({"name": name, "value": value}))
}

/// Whether a variable holds a URL that a migration may use.
pub(crate) fn is_url(name: &str, needed: &[String]) -> bool {
    BESIDE.contains(&name) || name.starts_with(OURS) || needed.iter().any(|other| other == name)
}

/// Who the gate is: for the lock, where others wait for it, and for its report.
///
/// All of it is the pod's own, by the downward API. The image of the manifest would be the wrong release as soon as
/// `kubectl set image` or a tool that replaces tags has been at it, so that the release is told by the pod's label or not at all.
pub(super) fn identity(template: &Value, is_knative: Knative) -> Vec<Value> {
    let field =
        |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    if is_knative == Knative::Yes {
        return Vec::new();
    }
    let mut entries: Vec<Value> = IDENTITY.iter().map(|(name, path)| field(name, path)).collect();
    let labels = template.pointer("/metadata/labels").and_then(Value::as_object);
    if labels.is_some_and(|labels| labels.contains_key(VERSION)) {
        entries.push(field(RELEASE, &format!("metadata.labels['{VERSION}']")));
    }
    entries
}

/// Whether Knative checks the pod: it refuses `fieldRef` unless a feature flag is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Knative {
    Yes,
    No,
}

/// A value that Kubernetes takes as it is: `$(` would be the beginning of a reference.
pub(super) fn literal(value: &str) -> String {
    value.replace("$(", "$$(")
}

/// Adds every variable that a wanted one refers to; returns the names that are not among the entries.
pub(crate) fn close<'e>(wanted: &mut BTreeSet<&'e str>, entries: &'e [Value]) -> Vec<&'e str> {
    let mut missing = Vec::new();
    let mut open: Vec<&str> = wanted.iter().copied().collect();
    while let Some(next) = open.pop() {
        let value = named(entries, next).and_then(|entry| text(entry, "/value")).unwrap_or_default();
        for reference in references(value) {
            if named(entries, reference).is_none() {
                missing.push(reference);
            } else if wanted.insert(reference) {
                open.push(reference);
            }
        }
    }
    missing
}

/// The names in `$(NAME)`; `$$(NAME)` is a text.
pub(super) fn references(value: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            found.push(name);
            rest = after;
        }
    }
    found
}

fn no_such(workload: &Workload, container: &Value, wanted: &str) -> Diagnostic {
    let message = format!("container `{}` has no variable `{wanted}` for `--copy-env`", name(container));
    workload.trouble(Code::InjectUnclear, &message).help(format!("it has {}", names(list(container, "/env"))))
}

fn no_url(workload: &Workload, container: &Value, settings: &Settings) -> Diagnostic {
    let message = format!(
        "nothing says where the database is: container `{}` has no variable `{}`",
        name(container),
        settings.env
    );
    workload
        .trouble(Code::InjectUnclear, &message)
        .help("name the Secret that holds the URL: `--secret NAME/KEY`")
        .help("name the variable, if it has another name: `--env NAME`; or another container: `--container NAME`")
        .help("if the container mounts a file that holds the URL: `PLIMSOLL_URL_FILE` among its variables names it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_and_escaped_ones_are_not() {
        assert_eq!(references("postgres://$(USER):$(PASS)@h/$$(NOT)/$x/$(OPEN"), ["USER", "PASS"]);
        assert_eq!(literal("a$(b)"), "a$$(b)");
    }

    #[test]
    fn what_is_referred_to_comes_along_and_its_own_references_too() {
        let entries = [
            json!({"name": "A", "value": "$(B)$(GONE)"}),
            json!({"name": "B", "value": "$(C)"}),
            json!({"name": "C"}),
            json!({"name": "D"}),
        ];
        let mut wanted = BTreeSet::from(["A"]);
        assert_eq!(close(&mut wanted, &entries), ["GONE"]);
        assert_eq!(wanted, BTreeSet::from(["A", "B", "C"]));
    }
}
