//! The files that the checks read, and what they find in them.

use std::fmt;
use std::path::Path;

use crate::process::Outcome;

/// Directories that hold what was made or fetched, and nothing of ours.
const NOT_OURS: [&str; 3] = [".git", "node_modules", "target"];

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    file: String,
    line: usize,
    message: String,
}

impl Finding {
    /// A finding on a line, counted from 1.
    pub(super) fn new(file: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.into(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// A text file of the project.
pub(super) struct Source {
    /// The path from the root, with `/`.
    pub(super) path: String,
    /// What is in it.
    pub(super) text: String,
}

impl Source {
    /// Whether the file is Rust.
    pub(super) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }

    /// Whether the file is a test of a crate from outside.
    pub(super) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "benches")
    }

    /// The lines, each with its number.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// The rows of every Markdown table in the file, without heads: a head is what stands above a line of dashes.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_rule = |line: &str| line.starts_with("|---");
        let next = self.text.lines().skip(1).chain([""]);
        let lines = self.lines().zip(next).filter(move |(_, next)| !is_rule(next));
        lines.map(|(line, _)| line).filter(move |(_, line)| line.starts_with('|') && !is_rule(line))
    }

    /// A finding for every line that fits, with a message for all of them.
    pub(super) fn lines_that(&self, fit: impl Fn(&str) -> bool, message: &str) -> Vec<Finding> {
        let lines = self.lines().filter(|(_, line)| fit(line));
        lines.map(|(number, _)| Finding::new(&self.path, number, message)).collect()
    }
}

/// All text files of the project.
pub(super) struct Tree {
    files: Vec<Source>,
}

impl Tree {
    /// Reads everything below a directory that is text and ours.
    pub(super) fn read(root: &Path) -> Outcome<Self> {
        let mut files = Vec::new();
        collect(root, "", &mut files)?;
        Ok(Self { files })
    }

    /// Every file.
    pub(super) fn files(&self) -> &[Source] {
        &self.files
    }

    /// Every Rust file.
    pub(super) fn rust(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// The file at a path.
    pub(super) fn file(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The file at a path, or the finding that there is none.
    pub(super) fn need(&self, path: &str) -> Result<&Source, Vec<Finding>> {
        self.file(path).ok_or_else(|| vec![Finding::new(path, 1, "the file is missing")])
    }

    /// A tree that a test has made up.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let source = |(path, text): &(&str, &str)| Source { path: (*path).into(), text: (*text).into() };
        Self { files: files.iter().map(source).collect() }
    }
}

fn collect(root: &Path, below: &str, files: &mut Vec<Source>) -> Outcome {
    let directory = root.join(below);
    let entries =
        std::fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) => collect(root, &path, files)?,
            Ok(kind) if kind.is_file() => files.extend(source(&entry.path(), path)),
            _ => {}
        }
    }
    Ok(())
}

/// A file that is not UTF-8 is a picture or a test's odd input: there is nothing to check in it.
fn source(file: &Path, path: String) -> Option<Source> {
    let text = String::from_utf8(std::fs::read(file).ok()?).ok()?;
    Some(Source { path, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_shown_as_compilers_do() {
        assert_eq!(Finding::new("src/a.rs", 7, "no").to_string(), "src/a.rs:7: no");
    }

    #[test]
    fn the_rows_of_a_table_are_what_is_below_its_head() {
        let text = "# T\n| a | test |\n|---|---|\n| b | test |\n\n| c |\n|---|\n| `d` |\n\nText.\n";
        let file = Source { path: "t.md".into(), text: text.into() };
        assert_eq!(file.rows().collect::<Vec<_>>(), [(4, "| b | test |"), (8, "| `d` |")]);
    }

    #[test]
    fn only_what_is_ours_is_read() {
        let root = tempfile::tempdir().unwrap();
        for path in ["a.md", "src/b.rs", "target/c.rs", ".git/d", ".ci/run", "x/node_modules/e.js"] {
            let file = root.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "text").unwrap();
        }
        std::fs::write(root.path().join("picture"), [0xff, 0xfe]).unwrap();
        let tree = Tree::read(root.path()).unwrap();
        let mut paths: Vec<_> = tree.files().iter().map(|file| file.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, [".ci/run", "a.md", "src/b.rs"]);
    }
}
