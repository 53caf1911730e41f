//! The gate's security context.

use serde_json::{Map, Value, json};

use crate::settings::{Security, Settings, User};

/// As whom the gate runs if nothing says so: the number that distroless images call `nonroot`.
const NOBODY: u64 = 65532;

/// The security context, and what to say about its user.
///
/// With `restricted` it passes Pod Security `restricted` by itself, whatever the pod's own says.
pub(super) fn of(pod: &Value, container: &Value, settings: &Settings) -> (Option<Value>, Option<String>) {
    match settings.security {
        Security::None => (None, None),
        Security::Container => (container.get("securityContext").cloned(), None),
        Security::Restricted => restricted(pod, container, settings.user),
    }
}

fn restricted(pod: &Value, container: &Value, user: User) -> (Option<Value>, Option<String>) {
    let mut context = Map::new();
    let mut set = |key: &str, value: Value| context.insert(key.to_owned(), value);
    set("runAsNonRoot", json!(true));
    let (id, said) = id(pod, container, user);
    if let Some(id) = id {
        set("runAsUser", json!(id));
    }
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

fn id(pod: &Value, container: &Value, user: User) -> (Option<u64>, Option<String>) {
    match user {
        User::Image => (None, None),
        User::Id(id) => (Some(id), None),
        User::Derived => match number(container, "runAsUser").or_else(|| number(pod, "runAsUser")) {
            Some(id) if id != 0 => (Some(id), Some(format!("it runs as user {id}, like the application"))),
            _ => (
                Some(NOBODY),
                Some(format!("it runs as user {NOBODY}, as nothing names another one than root")),
            ),
        },
    }
}

fn number(of: &Value, key: &str) -> Option<u64> {
    of.pointer(&format!("/securityContext/{key}")).and_then(Value::as_u64)
}
