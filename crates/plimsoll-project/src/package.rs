//! `package.json`: where Prisma 6 lets a project say where its schema is, and what marks the root for `.env`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::display::absolute;

/// The nearest `package.json` upwards.
pub(crate) struct Package {
    /// The directory that it is in.
    pub(crate) directory: PathBuf,
    /// `prisma.schema`, relative to that directory, if it is a text.
    pub(crate) schema: Option<PathBuf>,
}

/// Finds the nearest `package.json` in `cwd` and above it.
///
/// One that cannot be read or understood counts as one without a `prisma` entry: it is npm's file, and a production
/// image may hold any stump of it.
pub(crate) fn find(cwd: &Path) -> Option<Package> {
    let file = cwd.ancestors().map(|directory| directory.join("package.json")).find(|file| file.is_file())?;
    let directory = file.parent()?.to_path_buf();
    let schema = schema_of(&file).map(|schema| absolute(&directory, Path::new(&schema)));
    Some(Package { directory, schema })
}

/// The scripts of the `package.json` in this very directory, by name; none if it cannot be read.
pub(crate) fn scripts(directory: &Path) -> BTreeMap<String, String> {
    let json = read(&directory.join("package.json")).unwrap_or_default();
    let scripts = json.get("scripts").and_then(serde_json::Value::as_object);
    let texts = scripts.into_iter().flatten();
    texts.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect()
}

fn schema_of(file: &Path) -> Option<String> {
    read(file)?.get("prisma")?.get("schema")?.as_str().map(str::to_owned)
}

fn read(file: &Path) -> Option<serde_json::Value> {
    let text = String::from_utf8(crate::file::read(file).ok()?).ok()?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_nearest_one_upwards_is_found() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        fs::write(root.path().join("package.json"), "{}").unwrap();
        fs::write(root.path().join("a/package.json"), r#"{"prisma": {"schema": "./db/s.prisma"}}"#).unwrap();
        let package = find(&root.path().join("a/b")).unwrap();
        assert_eq!(package.directory, root.path().join("a"));
        assert_eq!(package.schema, Some(root.path().join("a/db/s.prisma")));
    }

    #[test]
    fn one_that_is_not_json_has_no_entry() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("package.json"), "{ nonsense").unwrap();
        assert!(find(root.path()).unwrap().schema.is_none());
    }

    #[test]
    fn scripts_are_those_of_the_directory_itself() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("package.json"), r#"{"scripts": {"a": "b", "c": 1}}"#).unwrap();
        assert_eq!(scripts(root.path()), BTreeMap::from([("a".to_owned(), "b".to_owned())]));
        assert!(scripts(&root.path().join("none")).is_empty());
    }
}
