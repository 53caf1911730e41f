//! The documents that the program writes about itself.

use std::path::Path;

use crate::process::{self, Outcome};
use crate::say;

/// The documents, by the word that `plimsoll docs` knows them by.
pub(crate) const DOCUMENTS: [&str; 4] = ["database-errors", "errors", "exit-codes", "reference"];

/// Where a document is kept, from the root of the workspace.
pub(crate) fn path_of(document: &str) -> String {
    format!("docs/{document}.md")
}

/// Asks the program for a document.
pub(crate) fn generate(root: &Path, document: &str) -> Outcome<String> {
    let arguments = ["run", "--quiet", "--locked", "--package", "plimsoll-cli", "--", "docs", document];
    let text = process::output(process::cargo(root).args(arguments))?;
    if document == "database-errors" { Ok(text + &errors_of_scripts(root)?) } else { Ok(text) }
}

/// The errors of MySQL and MariaDB that the program need not know to treat them right: it does not carry two thousand names.
fn errors_of_scripts(root: &Path) -> Outcome<String> {
    let path = "crates/plimsoll-engine/src/mysql/script_errors.tsv";
    let list = std::fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
    let one = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [number, "both", name] => Ok(format!("{number} `{name}`")),
        [number, "mysql", name] => Ok(format!("{number} `{name}` (MySQL)")),
        [number, "mariadb", name] => Ok(format!("{number} `{name}` (MariaDB)")),
        _ => Err(format!("{path}: `{line}` is not a number, a server and a name")),
    };
    let names = list.lines().map(one).collect::<Outcome<Vec<_>>>()?;
    Ok(format!(
        "\nAnd all the others of the servers' lists (`{path}`):\n\n{}.\n",
        names.chunks(6).map(|line| line.join(", ")).collect::<Vec<_>>().join(",\n")
    ))
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
