//! The documents that the program writes about itself.

use std::path::Path;

use crate::process::{self, Outcome};
use crate::say;

/// The documents, by the word that `plimsoll docs` knows them by.
pub(crate) const DOCUMENTS: [&str; 3] = ["errors", "exit-codes", "reference"];

/// Where a document is kept, from the root of the workspace.
pub(crate) fn path_of(document: &str) -> String {
    format!("docs/{document}.md")
}

/// Asks the program for a document.
pub(crate) fn generate(root: &Path, document: &str) -> Outcome<String> {
    let arguments = ["run", "--quiet", "--locked", "--package", "plimsoll-cli", "--", "docs", document];
    process::output(process::cargo(root).args(arguments))
}

/// Writes every document.
pub(crate) fn write(root: &Path) -> Outcome {
    for document in DOCUMENTS {
        let path = path_of(document);
        let text = generate(root, document)?;
        std::fs::write(root.join(&path), text).map_err(|error| format!("{path}: {error}"))?;
        say(&format!("wrote {path}"));
    }
    Ok(())
}
