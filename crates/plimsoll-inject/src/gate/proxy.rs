//! Proxies that stand between the application and its database: those among the containers are not there yet when a gate runs.

use plimsoll_core::{Code, Diagnostic};
use serde_json::Value;

use super::env::{is_url, references};
use crate::detect::Deploy;
use crate::facts::{DATABASE_PROXIES, LOCAL, URL as OURS};
use crate::select::{Candidate, is_one_of};
use crate::value::{join, list, name, named, text};

/// Names of containers and images that everything of a pod goes through, in a mesh.
const MESH: [&str; 4] = ["istio-proxy", "proxyv2", "linkerd-proxy", "envoy"];

/// Where a URL leads, as far as a manifest shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// To something in the pod.
    Local,
    Elsewhere,
    Unseen,
}

/// Says that a proxy starts late, which may or may not matter.
pub(super) fn advice(pod: &Value) -> Option<String> {
    let is_proxy =
        |container: &&Value| is_one_of(container, &DATABASE_PROXIES) || is_one_of(container, &MESH);
    let proxy = list(pod, "/containers").iter().find(is_proxy).map(name)?;
    Some(format!(
        "`{proxy}` starts after every init container: if it is the way to the database, make it a native sidecar (an init container with `restartPolicy: Always`)"
    ))
}

/// Refuses a gate that would wait for what starts only after it.
///
/// A Secret that the gate has for itself is somebody's word that there is another way.
pub(super) fn check(
    candidate: &Candidate,
    pod: &Value,
    base: &Value,
    deploy: Option<&Deploy>,
    needed: &[String],
) -> Result<(), Diagnostic> {
    if candidate.settings.secret.is_some() {
        return Ok(());
    }
    let others = list(pod, "/containers").iter().filter(|container| name(container) != name(base));
    let (where_to, others): (_, Vec<&str>) = match way(&urls(base, deploy, &candidate.settings.env, needed)) {
        Way::Elsewhere => return Ok(()),
        Way::Local if has_its_own_way(pod) => return Ok(()),
        Way::Local => ("its URL leads into the pod itself", others.map(name).collect()),
        Way::Unseen => (
            "its database may be behind a proxy",
            others.filter(|container| is_one_of(container, &DATABASE_PROXIES)).map(name).collect(),
        ),
    };
    if others.is_empty() { Ok(()) } else { Err(too_late(candidate, where_to, &others)) }
}

fn too_late(candidate: &Candidate, where_to: &str, late: &[&str]) -> Diagnostic {
    let late = join(late.iter().copied());
    let message = format!("{where_to}, and a gate is an init container: it ends before {late} starts");
    candidate
        .workload
        .trouble(Code::InjectUnclear, &message)
        .help("make the proxy a native sidecar: an init container with `restartPolicy: Always`, before the gate")
        .help("or migrate where the application starts: `plimsoll exec -- CMD` as its command, and `plimsoll.dev/inject: \"false\"`")
        .help("if the gate can go another way, give it a URL of its own: `--secret NAME/KEY`")
}

/// Whether something listens on the pod's own addresses when init containers run.
fn has_its_own_way(pod: &Value) -> bool {
    let is_native = |container: &Value| text(container, "/restartPolicy") == Some("Always");
    pod.get("hostNetwork") == Some(&Value::Bool(true)) || list(pod, "/initContainers").iter().any(is_native)
}

/// The URLs that the gate may use: their texts, or nothing where a manifest does not show them.
fn urls(base: &Value, deploy: Option<&Deploy>, env: &str, needed: &[String]) -> Vec<Option<String>> {
    let entries = list(base, "/env");
    let of = |entry: &Value| text(entry, "/value").map(|value| expanded(value, entries));
    if let Some(ours) = named(entries, OURS) {
        return vec![of(ours)];
    }
    let inline: Vec<_> = deploy.into_iter().flat_map(|deploy| &deploy.env).collect();
    let is_wanted = |name: &str| name == env || is_url(name, needed);
    let is_replaced = |entry: &&Value| inline.iter().any(|(other, _)| other == name(entry));
    let set = inline.iter().filter(|(name, _)| is_wanted(name)).map(|(_, value)| Some(value.clone()));
    let kept = entries.iter().filter(|entry| is_wanted(name(entry)) && !is_replaced(entry)).map(of);
    set.chain(kept).collect()
}

/// One that leads elsewhere is enough: a `DIRECT_URL` is there to go past a pooler.
fn way(urls: &[Option<String>]) -> Way {
    let ways: Vec<Way> = urls.iter().map(|url| url.as_deref().map_or(Way::Unseen, way_of)).collect();
    let has = |wanted| ways.contains(&wanted);
    if has(Way::Elsewhere) {
        Way::Elsewhere
    } else if has(Way::Local) {
        Way::Local
    } else {
        Way::Unseen
    }
}

fn way_of(url: &str) -> Way {
    if url.starts_with("file:") {
        return Way::Elsewhere;
    }
    let Some((_, rest)) = url.split_once("://") else { return Way::Unseen };
    let (authority, _) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let socket = parameters.split('&').find_map(|pair| pair.strip_prefix("host="));
    match socket.unwrap_or(host) {
        host if host.contains("$(") => Way::Unseen,
        "" => Way::Local,
        host if LOCAL.iter().any(|start| host.starts_with(start)) => Way::Local,
        _ => Way::Elsewhere,
    }
}

/// A value with the texts of the entries that it refers to; what no entry shows stays a reference.
fn expanded(value: &str, entries: &[Value]) -> String {
    references(value).into_iter().fold(value.to_owned(), |all, wanted| {
        match named(entries, wanted).and_then(|entry| text(entry, "/value")) {
            Some(found) => all.replace(&format!("$({wanted})"), found),
            None => all,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_leads_into_the_pod_is_told_from_one_that_does_not() {
        for url in [
            "postgres://u:p@127.0.0.1:5432/d",
            "postgres://u:p%40@localhost/d?schema=a",
            "postgres://[::1]:5432/d",
            "postgres://u:$(PASSWORD)@localhost",
            "postgres://u@localhost/d?host=/cloudsql/a:b:c",
            "postgres://u@db/d?sslmode=disable&host=%2Fcloudsql%2Fa",
            "postgres:///d",
        ] {
            assert_eq!(way_of(url), Way::Local, "{url}");
        }
        for url in [
            "postgres://u:p@db:5432/d",
            "postgres://localhost@db/d",
            "file:/data/a",
            "postgres://localhost/d?host=db",
        ] {
            assert_eq!(way_of(url), Way::Elsewhere, "{url}");
        }
        for url in ["postgres://u:p@$(HOST)/d", "$(URL)", ""] {
            assert_eq!(way_of(url), Way::Unseen, "{url}");
        }
    }
}
