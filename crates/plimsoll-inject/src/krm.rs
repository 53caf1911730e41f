//! The same as a KRM function: a `ResourceList` in, a `ResourceList` out.
//!
//! The options come from `functionConfig`: the `data` of a `ConfigMap`, or the `spec` of a `PlimsollInject`, under the names of the
//! table. What was decided is in `results`; the list's other items and their annotations are not touched.

use plimsoll_core::{Code, Diagnostic};
use serde_json::{Value, json};

use crate::inject::{self, Facts, Injected};
use crate::options::Given;
use crate::outcome::{Outcome, Trouble};
use crate::value::text;

/// Whether a document is a `ResourceList`.
pub fn is_resource_list(document: &Value) -> bool {
    text(document, "/kind") == Some("ResourceList")
        && text(document, "/apiVersion").is_some_and(|version| version.starts_with("config.kubernetes.io/"))
}

/// A list that went through the function.
#[derive(Debug)]
pub struct Answer {
    /// The list, with `results`; its items are as they were if there was an error.
    pub list: Value,
    /// The errors, which stand in `results` as well.
    pub troubles: Vec<Diagnostic>,
}

/// Puts gates into the items of a list. Flags win over the function's config.
pub fn inject(list: &Value, flags: &Given, facts: &Facts) -> Answer {
    run(list, flags, |items, given| inject::inject(items, given, facts, &|_, _| None))
}

/// Takes the gates of earlier runs out of the items of a list.
pub fn remove(list: &Value, flags: &Given) -> Answer {
    run(list, flags, inject::remove)
}

fn run(
    list: &Value,
    flags: &Given,
    change: impl FnOnce(&[Value], &Given) -> Result<Injected, Vec<Trouble>>,
) -> Answer {
    let injected = config(list).map_err(|trouble| vec![trouble]).and_then(|config| {
        let injected = change(std::slice::from_ref(list), &flags.over(&config));
        injected.map_err(|troubles| troubles.into_iter().map(|trouble| trouble.diagnostic).collect())
    });
    match injected {
        Ok(Injected { mut documents, outcomes, .. }) => {
            let list = if documents.is_empty() { list.clone() } else { documents.swap_remove(0) };
            let results = outcomes.iter().flat_map(|outcome| told(&list, outcome)).collect();
            Answer { list: with_results(list, results), troubles: Vec::new() }
        }
        Err(troubles) => {
            let results = troubles.iter().map(failed).collect();
            Answer { list: with_results(list.clone(), results), troubles }
        }
    }
}

fn config(list: &Value) -> Result<Given, Diagnostic> {
    let mut given = Given::default();
    let Some(config) = list.get("functionConfig").filter(|config| !config.is_null()) else {
        return Ok(given);
    };
    let options = match text(config, "/kind") {
        Some("ConfigMap") => config.get("data"),
        Some("PlimsollInject") => config.get("spec"),
        other => {
            let kind = other.unwrap_or_default();
            let message = format!("a `functionConfig` of kind `{kind}` is not understood");
            return Err(Diagnostic::new(Code::InjectOption, message).help(
                "give the options in the `data` of a `ConfigMap`, or in the `spec` of a `PlimsollInject`",
            ));
        }
    };
    for (name, value) in options.and_then(Value::as_object).into_iter().flatten() {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| given.add(name, plain(item)))?,
            value => given.add_list(name, &plain(value))?,
        }
    }
    Ok(given)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn told(list: &Value, outcome: &Outcome) -> Vec<Value> {
    let object = list.pointer(&outcome.at.pointer).unwrap_or(&Value::Null);
    let message = format!("{}: {}", outcome.action, outcome.reasons.join("; "));
    let advice = outcome.advice.iter().map(|advice| format!("advice: {advice}"));
    std::iter::once(message).chain(advice).map(|message| result(object, &message)).collect()
}

fn result(object: &Value, message: &str) -> Value {
    let mut reference = json!({
        "apiVersion": text(object, "/apiVersion"),
        "kind": text(object, "/kind"),
        "name": text(object, "/metadata/name"),
    });
    if let Some(namespace) = text(object, "/metadata/namespace") {
        reference["namespace"] = json!(namespace);
    }
    let mut result = json!({"message": message, "severity": "info", "resourceRef": reference});
    let path = ["internal.config.kubernetes.io~1path", "config.kubernetes.io~1path"];
    let mut paths = path.iter().filter_map(|key| text(object, &format!("/metadata/annotations/{key}")));
    if let Some(path) = paths.next() {
        result["file"] = json!({"path": path});
    }
    result
}

fn failed(trouble: &Diagnostic) -> Value {
    let help: Vec<String> = trouble.help.iter().map(|step| format!("\nhelp: {step}")).collect();
    json!({"message": format!("{trouble}{}", help.concat()), "severity": "error"})
}

fn with_results(mut list: Value, results: Vec<Value>) -> Value {
    if let Some(fields) = list.as_object_mut() {
        let mut all = fields.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
        all.extend(results);
        if !all.is_empty() {
            fields.insert("results".to_owned(), Value::Array(all));
        }
    }
    list
}
