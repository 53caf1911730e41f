//! The manifests that are given: files, directories, standard input.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use plimsoll_core::{Code, Diagnostic};
use plimsoll_inject::text::Stream;

use super::arguments::Inject;

/// One text with its documents.
pub(super) struct Input {
    /// How people call it.
    pub(super) name: String,
    /// Where it is, unless it came from standard input.
    pub(super) path: Option<PathBuf>,
    pub(super) stream: Stream,
}

/// Reads everything; all that cannot be read is told at once.
pub(super) fn read(arguments: &Inject) -> Result<Vec<Input>, Vec<Diagnostic>> {
    let given: Vec<&PathBuf> = arguments.paths.iter().chain(&arguments.filename).collect();
    let mut paths = Vec::new();
    let mut troubles = Vec::new();
    for path in &given {
        if let Err(trouble) = collect(path, &mut paths) {
            troubles.push(trouble);
        }
    }
    if given.is_empty() {
        if io::stdin().is_terminal() {
            let message = "there is nothing to read: no path was given, and standard input is a terminal";
            return Err(vec![Diagnostic::new(Code::Usage, message).help("give a file, a directory, or `-`")]);
        }
        paths.push(PathBuf::from("-"));
    }
    let mut inputs = Vec::new();
    for path in paths {
        match read_one(&path) {
            Ok(input) => inputs.push(input),
            Err(trouble) => troubles.push(trouble),
        }
    }
    if troubles.is_empty() { Ok(inputs) } else { Err(troubles) }
}

/// Adds a file, or the manifests below a directory in the order of their names.
fn collect(path: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Diagnostic> {
    if path == Path::new("-") || !path.is_dir() {
        paths.push(path.to_owned());
        return Ok(());
    }
    let entries = path.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut below: Vec<PathBuf> =
        entries.map_err(|error| unreadable(path, &error))?.into_iter().map(|entry| entry.path()).collect();
    below.sort();
    for path in below {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && (path.is_dir() || is_manifest(&path)) {
            collect(&path, paths)?;
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    let endings = ["yaml", "yml", "json"];
    path.extension().is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn read_one(path: &Path) -> Result<Input, Diagnostic> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let text = if is_stdin { read_stdin() } else { std::fs::read_to_string(path) };
    let text = text.map_err(|error| unreadable(Path::new(&name), &error))?;
    let stream = Stream::parse(&name, &text)?;
    Ok(Input { name, path: (!is_stdin).then(|| path.to_owned()), stream })
}

fn read_stdin() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::FileUnreadable, format!("cannot read `{}`: {error}", path.display()))
}
