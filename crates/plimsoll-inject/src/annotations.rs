//! The options that a workload carries itself, in its labels and annotations and in those of its pod template.

use plimsoll_core::{Code, Diagnostic};
use serde_json::Value;

use crate::options::{Given, PREFIX, Scope, row, unknown};
use crate::record;
use crate::values::Wrong;
use crate::workload::Workload;

/// Reads them, with where each was found.
///
/// An unknown one below our prefix is an error: a gate that is missing because of a typing mistake would be seen too late.
pub(crate) fn of(workload: &Workload, object: &Value) -> Result<Given, Diagnostic> {
    let mut given = Given::default();
    let template = format!("{}/metadata", workload.template);
    // The workload's own come last and win over its template's.
    for (metadata, whose) in [(template.as_str(), " of its pod template"), ("/metadata", "")] {
        for kind in ["labels", "annotations"] {
            let entries = object.pointer(&format!("{metadata}/{kind}")).and_then(Value::as_object);
            for (key, value) in entries.into_iter().flatten() {
                if let Some(name) = key.strip_prefix(PREFIX).filter(|name| *name != record::NAME) {
                    let origin = match whose {
                        "" => format!("`{key}` in its {kind}"),
                        _ => format!("`{key}` in the {kind}{whose}"),
                    };
                    add(&mut given, name, value, &origin)
                        .map_err(|trouble| told(workload, &origin, trouble))?;
                }
            }
        }
    }
    Ok(given)
}

fn add(given: &mut Given, name: &str, value: &Value, origin: &str) -> Result<(), Diagnostic> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match row(name) {
        Some(row) if row.scope == Scope::Run => {
            Err(Diagnostic::new(Code::InjectOption, format!("`{name}` is a flag and no annotation"))
                .help(format!("give `--{name}`, or `{PREFIX}inject: \"true\"`")))
        }
        Some(row) => {
            given.add_list(name, &text)?;
            given.found_at(row, origin);
            Ok(())
        }
        None => Err(unknown(name)),
    }
}

/// A value that cannot be, with the workload that it is about and the annotation that it came from, if it came from one.
pub(crate) fn about(workload: &Workload, given: &Given, wrong: Wrong) -> Diagnostic {
    match given.origin(wrong.option) {
        Some(origin) => told(workload, origin, wrong.trouble),
        None => wrong.trouble,
    }
}

fn told(workload: &Workload, origin: &str, trouble: Diagnostic) -> Diagnostic {
    let message = format!("{} ({origin})", trouble.message);
    trouble.help.into_iter().fold(workload.trouble(trouble.code, &message), Diagnostic::help)
}
