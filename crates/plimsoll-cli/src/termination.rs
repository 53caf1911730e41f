//! The termination message: why a container ended, for `kubectl describe pod`. docs/termination.md describes it.

mod message;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use plimsoll_core::{DatabaseMessage, Diagnostic, Report};
use rustix::fs::{Mode, OFlags};

use crate::exit::Exit;
use crate::output::{AtStatement, Phase};

/// Where the kubelet puts the file unless a manifest says otherwise.
const USUAL: &str = "/dev/termination-log";

/// What turns the message off.
const NONE: &str = "none";

/// How a process ends.
pub(crate) struct Ending<'a> {
    pub(crate) command: &'a str,
    pub(crate) exit: Exit,
    pub(crate) phase: Phase,
    /// The migration that was being applied.
    pub(crate) migration: Option<&'a str>,
    /// The statement of it that was under way, if it cannot be one transaction.
    pub(crate) statement: Option<AtStatement>,
    /// Why it fails, or what has been done.
    pub(crate) outcome: Result<String, &'a Diagnostic>,
    pub(crate) report: Option<&'a Report>,
    pub(crate) took: Duration,
}

/// How much the message tells of an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Detail {
    /// What the database said, and the next step
    #[default]
    Full,
    /// No text of the database: the code and what it means, the migration, the place and the SQLSTATE
    Code,
}

/// The file for the message, if it is wanted.
#[derive(Clone, Debug)]
pub(crate) struct TerminationLog {
    path: Option<PathBuf>,
    detail: Detail,
}

impl TerminationLog {
    /// The file that was asked for; nothing, or `none`, turns it off.
    pub(crate) fn new(path: &Path) -> Self {
        let off = path.as_os_str().is_empty() || path == Path::new(NONE);
        Self { path: (!off).then(|| path.to_owned()), detail: Detail::default() }
    }

    /// The same, telling this much.
    pub(crate) fn telling(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// For an end before the arguments are understood.
    pub(crate) fn of_environment() -> Self {
        let named = std::env::var_os("PLIMSOLL_TERMINATION_LOG").filter(|path| !path.is_empty());
        let detail = std::env::var("PLIMSOLL_TERMINATION_DETAIL").unwrap_or_default();
        Self::new(named.as_deref().map_or(Path::new(USUAL), Path::new))
            .telling(Detail::from_str(&detail, false).unwrap_or_default())
    }

    /// Leaves the message, if there is a file that can be written. That it cannot be is no error: outside of a
    /// container there is none.
    pub(crate) fn write(&self, ending: &Ending<'_>) {
        if let Some(path) = &self.path {
            let bare =
                ending.outcome.as_ref().err().filter(|_| self.detail == Detail::Code).map(|full| bare(full));
            let ending = match &bare {
                Some(bare) => &Ending { outcome: Err(bare), ..*ending },
                None => ending,
            };
            let release = std::env::var("PLIMSOLL_RELEASE").ok().filter(|release| !release.is_empty());
            let _unwritten = replace(path, &message::text(ending, release.as_deref()));
        }
    }
}

/// An error without a word of the database's: it may quote rows.
fn bare(full: &Diagnostic) -> Diagnostic {
    let sqlstate = full.database.as_ref().and_then(|database| database.code.as_ref());
    let said = |code: &String| DatabaseMessage {
        code: Some(code.clone()),
        ..DatabaseMessage::new(format!("SQLSTATE {code}"))
    };
    Diagnostic {
        place: full.place.clone(),
        database: sqlstate.map(said).map(Box::new),
        ..Diagnostic::new(full.code, full.code.title())
    }
}

/// Replaces the content of a regular file that exists, in one write.
///
/// The kubelet has made it. A link is not followed, and nothing is created: the path may lie where others can write. A
/// pipe without a reader is not waited for.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut file = std::fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Ok(());
    }
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_that_exists_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("log"), directory.path().join("link"));
        assert!(replace(&file, "x").is_err());
        assert!(!file.exists(), "nothing is created");
        std::fs::write(&file, "something longer").unwrap();
        replace(&file, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(replace(&link, "through the link").is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert!(replace(directory.path(), "x").is_err());
        replace(Path::new("/dev/null"), "x").unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
            .unwrap();
        assert!(replace(&pipe, "nobody reads").is_err());
    }

    #[test]
    fn it_can_be_turned_off() {
        assert!(TerminationLog::new(Path::new("none")).path.is_none());
        assert!(TerminationLog::new(Path::new("")).path.is_none());
        assert!(TerminationLog::new(Path::new("./none")).path.is_some());
    }
}
