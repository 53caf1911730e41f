//! What the gate asks of a node.

use serde_json::{Value, json};

use crate::value::{list, text};

/// What the gate may take at most, unless its pod is `Guaranteed`.
///
/// A migration is read as a whole: one of 29.7 MB took 149 MB. A gate that is killed for its memory is started again, and
/// killed again; a limit that is not reached costs nobody anything.
const MEMORY: &str = "512Mi";

/// Whether a container is new, or was there before and had to do with less or more than we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    New,
    TakenOver,
}

/// Requests and limits, and what to say about them; none if the pod has resources of its own as a whole.
///
/// The largest init container counts for the whole life of a pod, so that the requests are small. A pod whose containers are all
/// `Guaranteed` stays so: there the gate's requests are its limits. A container that is taken over and had no limit gets none.
pub(super) fn of(pod: &Value, origin: Origin) -> (Option<Value>, Option<String>) {
    if pod.get("resources").is_some_and(|resources| !resources.is_null()) {
        return (None, Some("it has no resources of its own: the pod as a whole has".to_owned()));
    }
    if is_guaranteed(pod) {
        let amount = json!({"cpu": "100m", "memory": MEMORY});
        let why = "its requests are its limits, so that the pod stays `Guaranteed`".to_owned();
        return (Some(json!({"requests": amount, "limits": amount})), Some(why));
    }
    let mut resources = json!({"requests": {"cpu": "10m", "memory": "32Mi"}});
    if origin == Origin::New {
        resources["limits"] = json!({"cpu": "500m", "memory": MEMORY});
    }
    (Some(resources), None)
}

fn is_guaranteed(pod: &Value) -> bool {
    let mut containers = list(pod, "/containers").iter().chain(list(pod, "/initContainers"));
    !list(pod, "/containers").is_empty()
        && containers.all(|container| ["cpu", "memory"].iter().all(|kind| is_fixed(container, kind)))
}

/// Whether limit and request of a container are the same; a request that is missing is the limit.
fn is_fixed(container: &Value, kind: &str) -> bool {
    let amount = |which: &str| {
        let pointer = format!("/resources/{which}/{kind}");
        text(container, &pointer)
            .map(str::to_owned)
            .or_else(|| container.pointer(&pointer).map(Value::to_string))
    };
    amount("limits").is_some_and(|limit| amount("requests").is_none_or(|request| request == limit))
}
