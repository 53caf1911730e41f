//! What comes out: on standard output, in the files themselves, as a diff, or as an exit code.

use std::io::Write as _;
use std::path::Path;

use plimsoll_core::{Code, Diagnostic};
use plimsoll_inject::text::diff;

use super::arguments::Inject;
use super::inputs::Input;
use crate::exit::Exit;
use crate::output;

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
pub(super) fn give(changes: &[Change], arguments: &Inject) -> Exit {
    if arguments.check {
        return check(changes);
    }
    if arguments.in_place {
        return in_place(changes);
    }
    if arguments.diff {
        for Change { input, after } in changes {
            output::answer(&diff(&input.name, input.stream.text(), after));
        }
        return Exit::Success;
    }
    output::answer(&joined(changes));
    Exit::Success
}

fn check(changes: &[Change]) -> Exit {
    let mut exit = Exit::Success;
    for change in changes.iter().filter(|change| change.is_one()) {
        output::say(&format!("would change: {}", change.input.name));
        exit = Exit::NotUpToDate;
    }
    exit
}

fn in_place(changes: &[Change]) -> Exit {
    for Change { input, after } in changes.iter().filter(|change| change.is_one()) {
        let Some(path) = &input.path else {
            let trouble = Diagnostic::new(Code::Usage, "standard input cannot be written in place");
            return output::fail(&trouble.help("leave `--in-place` out, or give the file"));
        };
        if let Err(error) = write(path, after) {
            let message = format!("cannot write `{}`: {error}", path.display());
            return output::fail(&Diagnostic::new(Code::FileUnreadable, message));
        }
        output::say(&format!("written: {}", input.name));
    }
    Exit::Success
}

/// Writes a file in one step, so that nobody ever sees half of it. Its mode stays; a link stays a link.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(path.metadata()?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
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
