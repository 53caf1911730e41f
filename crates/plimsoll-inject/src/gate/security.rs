//! The gate's security context.

use serde_json::{Map, Value, json};

use crate::facts::NOBODY;
use crate::settings::{Security, Settings, User};

/// Whose files the gate makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// None: the database is a server.
    None,
    /// The database's: the application has to be able to write what the gate makes.
    Shared,
}

/// The security context, and what to say about its user.
///
/// With `restricted` it passes Pod Security `restricted` by itself, whatever the pod's own says; beside an application that may
/// be root it does so only if no file is shared with it.
pub(super) fn of(
    pod: &Value,
    container: &Value,
    settings: &Settings,
    files: Files,
) -> (Option<Value>, Option<String>) {
    match settings.security {
        Security::None => (None, None),
        Security::Container => (container.get("securityContext").cloned(), None),
        Security::Restricted => restricted(pod, container, settings.user, files),
    }
}

fn restricted(pod: &Value, container: &Value, user: User, files: Files) -> (Option<Value>, Option<String>) {
    let as_application = files == Files::Shared && user == User::Derived && known(pod, container).is_none();
    let (mut context, said) = if as_application {
        (
            same_user(container),
            Some(
                "it runs as the user that the application runs as, who has to write the same file".to_owned(),
            ),
        )
    } else {
        other_than_root(pod, container, user)
    };
    let mut set = |key: &str, value: Value| context.insert(key.to_owned(), value);
    if let Some(group) = number(container, "runAsGroup").filter(|group| *group != 0) {
        set("runAsGroup", json!(group));
    }
    set("allowPrivilegeEscalation", json!(false));
    set("readOnlyRootFilesystem", json!(true));
    set("capabilities", json!({"drop": ["ALL"]}));
    // A profile of the pod that is allowed as well would be loosened by ours.
    let profile = pod.pointer("/securityContext/seccompProfile/type").and_then(Value::as_str);
    if !matches!(profile, Some("RuntimeDefault" | "Localhost")) {
        set("seccompProfile", json!({"type": "RuntimeDefault"}));
    }
    (Some(Value::Object(context)), said)
}

fn other_than_root(pod: &Value, container: &Value, user: User) -> (Map<String, Value>, Option<String>) {
    let mut context = Map::from_iter([("runAsNonRoot".to_owned(), json!(true))]);
    let (id, said) = id(pod, container, user);
    context.extend(id.map(|id| ("runAsUser".to_owned(), json!(id))));
    (context, said)
}

/// What the container says of its user, be it root. Where it says nothing, the image's is as good for the gate, and the kubelet
/// could not tell of its name (`USER node`) that it is another than root.
fn same_user(container: &Value) -> Map<String, Value> {
    let own = |key: &str| {
        let value = container.pointer(&format!("/securityContext/{key}"))?;
        Some((key.to_owned(), value.clone()))
    };
    ["runAsNonRoot", "runAsUser"].into_iter().filter_map(own).collect()
}

/// The user that the manifest names, if it is another one than root.
fn known(pod: &Value, container: &Value) -> Option<u64> {
    number(container, "runAsUser").or_else(|| number(pod, "runAsUser")).filter(|id| *id != 0)
}

fn id(pod: &Value, container: &Value, user: User) -> (Option<u64>, Option<String>) {
    match user {
        User::Image => (None, None),
        User::Id(id) => (Some(id), None),
        User::Derived => match known(pod, container) {
            Some(id) => (Some(id), Some(format!("it runs as user {id}, like the application"))),
            None => (
                Some(NOBODY),
                Some(format!("it runs as user {NOBODY}, as nothing names another one than root")),
            ),
        },
    }
}

fn number(of: &Value, key: &str) -> Option<u64> {
    of.pointer(&format!("/securityContext/{key}")).and_then(Value::as_u64)
}
