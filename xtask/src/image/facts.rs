//! What the labels of an image say about where it comes from.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::Outcome;

/// The same sources give the same facts, and so the same image, byte for byte.
pub(super) struct Facts {
    /// The version in `Cargo.toml`.
    pub(super) version: String,
    /// The repository in `Cargo.toml`; nothing if that names none.
    pub(super) source: String,
    /// The commit, with `-dirty` behind it if that is not all; `unknown` outside of a repository.
    pub(super) revision: String,
    /// Seconds since 1970: `SOURCE_DATE_EPOCH`, otherwise those of the commit.
    pub(super) epoch: i64,
}

impl Facts {
    pub(super) fn collect(root: &Path) -> Outcome<Self> {
        let manifest = root.join("Cargo.toml");
        let text =
            std::fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
        let package = |key| of_the_workspace(&text, key);
        Ok(Self {
            version: package("version")?,
            source: package("repository")?,
            revision: revision(root),
            epoch: epoch(root)?,
        })
    }

    /// The moment as labels have it.
    pub(super) fn created(&self) -> Outcome<String> {
        let moment = jiff::Timestamp::from_second(self.epoch);
        moment.map(|it| it.to_string()).map_err(|error| format!("SOURCE_DATE_EPOCH: {error}"))
    }
}

fn of_the_workspace(manifest: &str, key: &str) -> Outcome<String> {
    let table: toml::Table = manifest.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    let package = table.get("workspace").and_then(|it| it.get("package"));
    let value = package.and_then(|it| it.get(key)).and_then(toml::Value::as_str);
    Ok(value.unwrap_or_default().to_owned())
}

fn revision(root: &Path) -> String {
    let Some(commit) = git(root, &["rev-parse", "HEAD"]) else { return "unknown".into() };
    match git(root, &["status", "--porcelain"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit}-dirty"),
    }
}

fn epoch(root: &Path) -> Outcome<i64> {
    let variable = std::env::var("SOURCE_DATE_EPOCH").ok();
    let text = variable.or_else(|| git(root, &["log", "-1", "--format=%ct"]));
    let text = text.ok_or("the image needs a date: set SOURCE_DATE_EPOCH, which no commit gives here")?;
    text.parse().map_err(|error| format!("`{text}` is not a number of seconds: {error}"))
}

/// What git says, if there is a repository here. If there is none, that is no error to show.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    let output = command.arg("-C").arg(root).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_does_not_name_is_empty() {
        let manifest = "[workspace.package]\nversion = \"1.2.3\"\n";
        assert_eq!(of_the_workspace(manifest, "version"), Ok("1.2.3".into()));
        assert_eq!(of_the_workspace(manifest, "repository"), Ok(String::new()));
    }

    #[test]
    fn a_moment_is_shown_in_utc() {
        let facts =
            |epoch| Facts { version: String::new(), source: String::new(), revision: String::new(), epoch };
        assert_eq!(facts(1_700_000_000).created(), Ok("2023-11-14T22:13:20Z".into()));
        assert!(facts(i64::MAX).created().unwrap_err().contains("SOURCE_DATE_EPOCH"));
    }

    #[test]
    fn outside_of_a_repository_there_is_no_revision() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(revision(directory.path()), "unknown");
    }
}
