//! The rules of the house that the compiler does not know. Reads text, changes nothing.

mod arrows;
mod changelog;
mod dependencies;
mod faults;
mod forbidden;
mod generated;
mod invariants;
mod licenses;
mod machine;
mod readme;
mod rust;
mod threats;
mod tree;

use std::path::Path;

use crate::process::Outcome;
use crate::say;
use tree::{Finding, Tree};

/// Every rule that looks at nothing but the files.
const CHECKS: [fn(&Tree) -> Vec<Finding>; 10] = [
    arrows::check,
    changelog::check,
    dependencies::check,
    faults::check,
    forbidden::check,
    invariants::check,
    machine::check,
    readme::check,
    rust::check,
    threats::check,
];

/// Checks everything, prints every finding, and fails if there is one.
pub(crate) fn tidy(root: &Path) -> Outcome {
    let tree = Tree::read(root)?;
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    findings.extend(licenses::check(&tree, &licenses::packages(root)?));
    findings.extend(generated::check(&tree, |document| crate::docs::generate(root, document)));
    findings.sort();
    for finding in &findings {
        say(&finding.to_string());
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(format!("tidy: {count} findings")),
    }
}
