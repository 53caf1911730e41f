//! How the binary gets into the gate.

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Map, Value, json};

use crate::facts::{DIRECTORY, VOLUME};
use crate::settings::{Delivery, Settings};
use crate::value::{list, named};
use crate::workload::Workload;

/// The init container that copies the binary.
const INSTALL: &str = "plimsoll-install";

/// What a delivery adds to a pod.
#[derive(Debug)]
pub(super) struct Parts {
    /// The command that starts Plimsoll.
    pub(super) program: String,
    pub(super) volume: Option<Value>,
    pub(super) mount: Option<Value>,
    /// An init container that has to run before the gate.
    pub(super) before: Option<Value>,
    pub(super) reason: String,
}

/// Says what a delivery adds; `like` are the fields that a container which copies shares with the gate.
pub(super) fn of(
    workload: &Workload,
    pod: &Value,
    settings: &Settings,
    like: &Map<String, Value>,
) -> Result<Parts, Diagnostic> {
    let image = settings.plimsoll_image.as_deref().unwrap_or_default();
    let mount = json!({"name": VOLUME, "mountPath": DIRECTORY, "readOnly": true});
    let program = format!("{DIRECTORY}/plimsoll");
    match settings.delivery {
        Delivery::Image => Ok(Parts {
            program: settings.binary.clone(),
            volume: None,
            mount: None,
            before: None,
            reason: format!("it runs `{}` of its image, which has to hold it", settings.binary),
        }),
        Delivery::Volume => Ok(Parts {
            program,
            volume: Some(free(workload, pod, json!({"name": VOLUME, "image": {"reference": image}}))?),
            mount: Some(mount),
            before: None,
            reason: format!("the binary comes from an image volume of `{image}`"),
        }),
        Delivery::Copy => Ok(Parts {
            program,
            volume: Some(free(workload, pod, json!({"name": VOLUME, "emptyDir": {"sizeLimit": "64Mi"}}))?),
            mount: Some(mount),
            before: Some(install(image, like)),
            reason: format!("the init container `{INSTALL}` copies the binary from `{image}`"),
        }),
    }
}

fn install(image: &str, like: &Map<String, Value>) -> Value {
    let mut container = Map::new();
    container.insert("name".to_owned(), json!(INSTALL));
    container.insert("image".to_owned(), json!(image));
    container.insert("command".to_owned(), json!(["/plimsoll", "install", DIRECTORY]));
    container.extend(like.clone());
    container.insert("volumeMounts".to_owned(), json!([{"name": VOLUME, "mountPath": DIRECTORY}]));
    Value::Object(container)
}

fn free(workload: &Workload, pod: &Value, volume: Value) -> Result<Value, Diagnostic> {
    match named(list(pod, "/volumes"), VOLUME) {
        None => Ok(volume),
        Some(_) => Err(workload
            .trouble(Code::InjectUnclear, &format!("its pod has a volume `{VOLUME}` already"))
            .help("give that volume another name, or use `--delivery image`")),
    }
}
