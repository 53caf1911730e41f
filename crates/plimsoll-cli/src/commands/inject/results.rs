//! What comes out: on standard output, in the files themselves, as a diff, or as an exit code.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use plimsoll_core::{Code, Diagnostic};
use plimsoll_inject::text::diff;
use serde_json::json;
use tempfile::NamedTempFile;

use super::arguments::Inject;
use super::inputs::Input;
use crate::exit::Exit;
use crate::output::{self, Output};

/// An input and what it is to be.
pub(super) struct Change {
    pub(super) input: Input,
    pub(super) after: String,
}

impl Change {
    fn is_one(&self) -> bool {
        self.after != self.input.stream.text()
    }
}

/// Gives the results to whoever asked for them.
pub(super) fn give(changes: &[Change], arguments: &Inject, output: &Output) -> Result<Exit, Diagnostic> {
    if arguments.check {
        return Ok(check(changes, output));
    }
    if arguments.in_place {
        return in_place(changes, output);
    }
    if arguments.diff {
        for Change { input, after } in changes {
            output::data(&diff(&input.name, input.stream.text(), after));
        }
        return Ok(Exit::Success);
    }
    output::data(&joined(changes));
    Ok(Exit::Success)
}

fn check(changes: &[Change], output: &Output) -> Exit {
    let mut exit = Exit::Success;
    for Change { input, .. } in changes.iter().filter(|change| change.is_one()) {
        output.tell("would_change", format!("would change: {}", input.name), json!({"file": input.name}));
        exit = Exit::NotUpToDate;
    }
    exit
}

/// Writes the files that change: all of them are prepared before the first one is exchanged.
fn in_place(changes: &[Change], output: &Output) -> Result<Exit, Diagnostic> {
    let files = changes.iter().filter(|change| change.is_one());
    let files = files.filter_map(|change| change.input.path.as_deref().map(|path| (path, change)));
    let prepared = files.map(|(path, change)| Prepared::new(path, &change.input.name, &change.after));
    let (written, ended) = match prepared.collect::<Result<Vec<_>, _>>() {
        Ok(prepared) => exchange(prepared),
        Err(trouble) => (Vec::new(), Err(trouble)),
    };
    for name in written {
        output.tell("written", format!("written: {name}"), json!({"file": name}));
    }
    ended.map(|()| Exit::Success)
}

/// A file with its new text beside it, which is exchanged in one step: nobody ever sees half of it.
struct Prepared {
    name: String,
    path: PathBuf,
    file: NamedTempFile,
}

impl Prepared {
    /// Writes the new text to the disk. The mode stays; a link stays a link.
    fn new(path: &Path, name: &str, text: &str) -> Result<Self, Diagnostic> {
        let prepare = || {
            let path = path.canonicalize()?;
            let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new("/")))?;
            file.write_all(text.as_bytes())?;
            file.as_file().set_permissions(path.metadata()?.permissions())?;
            file.as_file().sync_all()?;
            Ok(Self { name: name.to_owned(), path, file })
        };
        prepare().map_err(|error| {
            unwritable(name, &error).help("nothing has been written: the other files are as they were")
        })
    }
}

/// Puts the new files into their places; says the names of those that are there, also if one does not get there.
fn exchange(prepared: Vec<Prepared>) -> (Vec<String>, Result<(), Diagnostic>) {
    let mut written = Vec::new();
    for Prepared { name, path, file } in prepared {
        if let Err(error) = file.persist(&path) {
            let trouble = unwritable(&name, &error.error);
            let trouble = trouble.help(match written.as_slice() {
                [] => "nothing has been written: the other files are as they were".to_owned(),
                before => format!(
                    "written before this: {}; a second run changes only the others",
                    before.join(", ")
                ),
            });
            return (written, Err(trouble));
        }
        written.push(name);
    }
    (written, Ok(()))
}

fn unwritable(name: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(Code::FileUnreadable, format!("cannot write `{name}`: {error}"))
}

/// All results as one stream of YAML documents.
///
/// A stream that begins with a brace is taken for JSON by who reads it, and JSON knows no `---`: it is led in by one.
fn joined(changes: &[Change]) -> String {
    let [first, others @ ..] = changes else { return String::new() };
    let mut all = String::new();
    if !others.is_empty() && first.after.trim_start().starts_with('{') {
        all.push_str("---\n");
    }
    all.push_str(&first.after);
    for Change { after, .. } in others {
        if !all.ends_with('\n') {
            all.push('\n');
        }
        if !after.starts_with("---") {
            all.push_str("---\n");
        }
        all.push_str(after);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_exchanged_is_told_with_those_that_were() {
        let directory = tempfile::tempdir().unwrap();
        let prepared = ["a", "b", "c"].map(|name| {
            let path = directory.path().join(name);
            std::fs::write(&path, "old").unwrap();
            Prepared::new(&path, name, "new").unwrap()
        });
        std::fs::remove_file(directory.path().join("b")).unwrap();
        std::fs::create_dir(directory.path().join("b")).unwrap();
        let (written, ended) = exchange(prepared.into());
        let trouble = ended.unwrap_err();
        assert_eq!(written, ["a"]);
        assert!(trouble.message.starts_with("cannot write `b`"), "{}", trouble.message);
        assert_eq!(trouble.help, ["written before this: a; a second run changes only the others"]);
        let read = |name| std::fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!((read("a").as_str(), read("c").as_str()), ("new", "old"));
        assert_eq!(directory.path().read_dir().unwrap().count(), 3, "no file is left beside them");
    }
}
