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

/// What stands for standard input.
const STDIN: &str = "-";

/// What was read, and what was not.
pub(super) struct Read {
    pub(super) inputs: Vec<Input>,
    /// Directories that were left out although they lie below a given one: which, and why.
    pub(super) left_out: Vec<(PathBuf, &'static str)>,
}

/// Reads everything; all that cannot be read is told at once.
pub(super) fn read(arguments: &Inject) -> Result<Read, Vec<Diagnostic>> {
    let given = given(arguments).map_err(|trouble| vec![trouble])?;
    let mut found = Found::default();
    let mut troubles = Vec::new();
    for path in given {
        if let Err(trouble) = found.collect(path) {
            troubles.push(trouble);
        }
    }
    let mut inputs = Vec::new();
    for path in &found.paths {
        match read_one(path) {
            Ok(input) => inputs.push(input),
            Err(trouble) => troubles.push(trouble),
        }
    }
    if troubles.is_empty() { Ok(Read { inputs, left_out: found.left_out }) } else { Err(troubles) }
}

/// What is to be read. Nothing is read yet: what cannot come to a good end should not even begin.
fn given(arguments: &Inject) -> Result<Vec<&Path>, Diagnostic> {
    let mut given: Vec<&Path> =
        arguments.paths.iter().chain(&arguments.filename).map(PathBuf::as_path).collect();
    if given.is_empty() {
        if io::stdin().is_terminal() {
            let message = "there is nothing to read: no path was given, and standard input is a terminal";
            return Err(Diagnostic::new(Code::Usage, message).help("give a file, a directory, or `-`"));
        }
        given.push(Path::new(STDIN));
    }
    let is_stdin = |path: &&Path| *path == Path::new(STDIN);
    if arguments.in_place && given.iter().any(is_stdin) {
        let trouble = Diagnostic::new(Code::Usage, "standard input cannot be written in place");
        return Err(trouble.help("leave `--in-place` out, or give the file"));
    }
    if given.iter().filter(|path| is_stdin(path)).count() > 1 {
        return Err(Diagnostic::new(Code::Usage, "standard input is named twice")
            .help("give `-` once: it can be read only once"));
    }
    Ok(given)
}

/// What lies where it was looked for.
#[derive(Default)]
struct Found {
    paths: Vec<PathBuf>,
    left_out: Vec<(PathBuf, &'static str)>,
}

impl Found {
    /// Adds a file, or the manifests below a directory in the order of their names.
    fn collect(&mut self, path: &Path) -> Result<(), Diagnostic> {
        if path == Path::new(STDIN) || !path.is_dir() {
            self.paths.push(path.to_owned());
            return Ok(());
        }
        let entries = path.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut below: Vec<PathBuf> = entries
            .map_err(|error| unreadable(path, &error))?
            .into_iter()
            .map(|entry| entry.path())
            .collect();
        below.sort();
        for path in below {
            if is_hidden(&path) || !(path.is_dir() || is_manifest(&path)) {
                continue;
            }
            match foreign(&path) {
                Some(why) => self.left_out.push((path, why)),
                None => self.collect(&path)?,
            }
        }
        Ok(())
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Why a directory below a given one is no place for manifests. Whoever means it gives it by its name.
fn foreign(path: &Path) -> Option<&'static str> {
    if !path.is_dir() {
        return None;
    }
    let is_of_chart = || path.parent().is_some_and(|parent| parent.join("Chart.yaml").is_file());
    match path.file_name()?.to_str()? {
        "node_modules" => Some("packages of somebody else"),
        "templates" if is_of_chart() => {
            Some("templates of a Helm chart: `plimsoll inject` is a post-renderer for Helm")
        }
        _ => None,
    }
}

fn is_manifest(path: &Path) -> bool {
    let endings = ["yaml", "yml", "json"];
    path.extension().is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn read_one(path: &Path) -> Result<Input, Diagnostic> {
    let is_stdin = path == Path::new(STDIN);
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
