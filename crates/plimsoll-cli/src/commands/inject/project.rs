//! What the project on disk says about its gate.

use std::path::Path;

use plimsoll_core::{Code, Diagnostic};
use plimsoll_inject::Facts;
use plimsoll_project::Request;

/// Reads `package.json` and the schema of a project; without one there are no facts.
pub(super) fn facts(project: Option<&Path>) -> Result<Facts, Diagnostic> {
    let Some(directory) = project else { return Ok(Facts::default()) };
    let directory = directory.canonicalize().map_err(|error| {
        Diagnostic::new(Code::FileUnreadable, format!("cannot read `{}`: {error}", directory.display()))
    })?;
    let scripts = plimsoll_project::scripts(&directory);
    // What the environment of this machine says is no business of a manifest's.
    let variables =
        plimsoll_project::url_variables(&Request::new(&directory, std::collections::BTreeMap::new()))?;
    Ok(Facts { url_variable: variables.last().cloned(), variables, scripts })
}
