//! The command that this process becomes: found before anything is done, started when all is done.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_core::{Code, Diagnostic};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use crate::interpreter;

/// Where the C library looks if there is no `PATH`.
const USUAL: &str = "/usr/local/bin:/bin:/usr/bin";

/// A command that was there, and could be executed, when it was looked for.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
    name: OsString,
    arguments: Vec<OsString>,
}

impl Program {
    /// Finds the first word as `execvp` does: in the directories of `search` unless there is a slash in it.
    pub(crate) fn find(words: &[OsString], search: Option<&OsStr>) -> Result<Self, Diagnostic> {
        let (name, arguments) =
            words.split_first().map_or((OsStr::new(""), words), |(name, rest)| (name, rest));
        let found = |path| Self { path, name: name.to_owned(), arguments: arguments.to_vec() };
        if name.as_encoded_bytes().contains(&b'/') {
            let path = PathBuf::from(name);
            usable(&path).map_err(|error| refused(name, &error))?;
            return startable(name, &path).map(|()| found(path));
        }
        let mut refusal = None;
        for directory in std::env::split_paths(search.unwrap_or(OsStr::new(USUAL))) {
            // An empty entry is the working directory.
            let path = Path::new(".").join(directory).join(name);
            match usable(&path) {
                Ok(()) => return startable(name, &path).map(|()| found(path)),
                Err(error) if is_missing(&error) => {}
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refused(name, &refusal.unwrap_or_else(|| Errno::NOENT.into())))
    }

    /// Becomes the command; returns only if that fails.
    ///
    /// It keeps the process and its number, the standard streams and the environment without `unset`. Handlers of
    /// signals end with this program, an ignored SIGPIPE and blocked signals are set back to the default, and no file or
    /// connection that this program opened stays open.
    pub(crate) fn replace(self, unset: &[String]) -> Diagnostic {
        let mut command = Command::new(&self.path);
        command.arg0(&self.name).args(&self.arguments);
        for name in unset {
            command.env_remove(name);
        }
        refused(&self.name, &command.exec())
    }
}

/// Whether this process may execute the file, as the kernel will decide.
fn usable(path: &Path) -> io::Result<()> {
    accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS)?;
    // A directory that may be entered counts as executable.
    if path.is_dir() { Err(Errno::ISDIR.into()) } else { Ok(()) }
}

/// Whether what the program needs to be started is there. What that needs in its turn shows only at the start.
fn startable(name: &OsStr, path: &Path) -> Result<(), Diagnostic> {
    let Some(interpreter) = interpreter::of(path) else { return Ok(()) };
    usable(&interpreter).map_err(|error| {
        let code = if is_missing(&error) { Code::CommandNotFound } else { Code::CommandNotExecutable };
        let message = format!(
            "the command `{}` needs `{}`, which cannot be used: {error}",
            name.display(),
            interpreter.display()
        );
        Diagnostic::new(code, message).help(
            "a script needs its interpreter in the image, without a carriage return behind its name; a program that was \
             built for another C library needs that library's loader",
        )
    })
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn refused(name: &OsStr, error: &io::Error) -> Diagnostic {
    let name = name.display();
    if is_missing(error) {
        return Diagnostic::new(
            Code::CommandNotFound,
            format!("the command `{name}` cannot be found: {error}"),
        )
        .help("write it as it is called in this image, with its whole path if it is not in `PATH`");
    }
    Diagnostic::new(Code::CommandNotExecutable, format!("the command `{name}` cannot be executed: {error}"))
        .help("it has to be a program for this processor, and executable for the user of this container (`chmod +x`, `runAsUser`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, search: &str) -> Result<PathBuf, Code> {
        let program = Program::find(&[name.into()], Some(OsStr::new(search)));
        program.map(|program| program.path).map_err(|error| error.code)
    }

    #[test]
    fn a_command_is_found_as_the_c_library_finds_it() {
        assert_eq!(found("sh", "/no/such/place:/bin"), Ok(PathBuf::from("/bin/sh")));
        assert_eq!(found("/bin/sh", ""), Ok(PathBuf::from("/bin/sh")));
        assert_eq!(found("sh", "/no/such/place"), Err(Code::CommandNotFound));
        assert_eq!(found("/bin/sh/x", "/bin"), Err(Code::CommandNotFound));
        assert_eq!(found("", "/bin"), Err(Code::CommandNotExecutable));
        assert_eq!(found("/etc/passwd", "/bin"), Err(Code::CommandNotExecutable));
        assert_eq!(found("bin", "/:/usr"), Err(Code::CommandNotExecutable), "a directory");
        assert!(Program::find(&["sh".into()], None).is_ok());
    }

    #[test]
    fn what_cannot_be_executed_does_not_hide_what_can() {
        assert_eq!(found("sh", "/etc:/bin"), Ok(PathBuf::from("/bin/sh")));
        assert_eq!(found("passwd", "/etc:/usr/bin"), Ok(PathBuf::from("/usr/bin/passwd")));
    }
}
