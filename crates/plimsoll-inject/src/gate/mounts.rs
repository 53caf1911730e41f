//! The volumes that the gate needs.
//!
//! What configures (a Secret, a certificate, a `ConfigMap`) is mounted as the container mounts it, but read-only. What holds data is
//! not, unless it is the file of a SQLite database or was named: a gate cannot harm what it does not see.

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Value, json};

use super::env::url_file;
use super::security::Files;
use crate::detect::Deploy;
use crate::facts::CONFIGURATION;
use crate::settings::Settings;
use crate::value::{join, list, name, named, names, text};
use crate::workload::Workload;

/// The mounts of the gate, and why.
pub(super) fn of(
    workload: &Workload,
    pod: &Value,
    container: &Value,
    settings: &Settings,
) -> Result<(Vec<Value>, Vec<String>), Diagnostic> {
    let mounts = list(container, "/volumeMounts");
    for wanted in &settings.mounts {
        if named(mounts, wanted).is_none() {
            let message = format!("container `{}` does not mount a volume `{wanted}`", name(container));
            let trouble = workload.trouble(Code::InjectUnclear, &message);
            return Err(trouble.help(format!("it mounts {}", names(mounts))));
        }
    }
    let file = sqlite_file(container, settings);
    let url_file = url_file(container, settings);
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for mount in mounts {
        if settings.mounts.iter().any(|wanted| wanted == name(mount))
            || file.as_ref().is_some_and(|file| holds(mount, file))
        {
            taken.push(mount.clone());
        } else if is_configuration(pod, mount) || url_file.is_some_and(|file| holds(mount, file)) {
            taken.push(read_only(mount));
        } else {
            left.push(name(mount));
        }
    }
    let mut reasons = Vec::new();
    if !taken.is_empty() {
        reasons.push(format!("it mounts {}", names(&taken)));
    }
    if !left.is_empty() {
        reasons.push(format!("it does not mount {}: `--mount NAME` would", join(left)));
    }
    Ok((taken, reasons))
}

/// Whether the database is a file, as far as the manifest or a command shows it.
pub(super) fn database(container: &Value, settings: &Settings, deploy: Option<&Deploy>) -> Files {
    let mut set = deploy.into_iter().flat_map(|deploy| &deploy.env);
    let is_set = settings.secret.is_none()
        && set.any(|(name, value)| *name == settings.env && value.starts_with("file:"));
    if is_set || sqlite_file(container, settings).is_some() { Files::Shared } else { Files::None }
}

/// The SQLite file that the URL names, if the manifest shows it.
fn sqlite_file(container: &Value, settings: &Settings) -> Option<String> {
    if settings.secret.is_some() {
        return None;
    }
    let entry = named(list(container, "/env"), &settings.env)?;
    let path = text(entry, "/value")?.strip_prefix("file:")?;
    Some(path.split('?').next().unwrap_or(path).trim_start_matches("//").to_owned())
}

/// Whether a file may lie on a mount; of a relative one nobody knows.
fn holds(mount: &Value, file: &str) -> bool {
    let path = text(mount, "/mountPath").unwrap_or_default().trim_end_matches('/');
    !file.starts_with('/')
        || file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_configuration(pod: &Value, mount: &Value) -> bool {
    let volume = named(list(pod, "/volumes"), name(mount));
    volume.is_some_and(|volume| CONFIGURATION.iter().any(|source| volume.get(source).is_some()))
}

fn read_only(mount: &Value) -> Value {
    let mut mount = mount.clone();
    if let Some(fields) = mount.as_object_mut() {
        fields.insert("readOnly".to_owned(), json!(true));
    }
    mount
}
