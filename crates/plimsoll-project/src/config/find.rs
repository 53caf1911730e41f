//! Where a Prisma config can be.

use std::path::{Path, PathBuf};

use plimsoll_core::{Code, Diagnostic};

use crate::display::{absolute, shown};

/// The extensions, in the order in which Prisma's loader tries them.
const EXTENSIONS: [&str; 6] = ["js", "ts", "mjs", "cjs", "mts", "cts"];

/// The places, in the order in which Prisma 7 looks at them. Prisma 6 has fewer of them, in the same order.
const PLACES: [&str; 6] = [
    "prisma7.config",
    ".config/prisma7",
    "prisma.config",
    "prisma.config/index",
    ".config/prisma",
    ".config/prisma.config",
];

/// The config that `--config` names, or the first that is in one of Prisma's places below `cwd`.
pub(crate) fn find(cwd: &Path, flag: Option<&Path>) -> Result<Option<PathBuf>, Diagnostic> {
    if let Some(flag) = flag {
        let path = absolute(cwd, flag);
        return if path.is_file() { Ok(Some(path)) } else { Err(not_found(&shown(cwd, &path))) };
    }
    let candidates = PLACES
        .iter()
        .flat_map(|place| EXTENSIONS.iter().map(move |extension| cwd.join(format!("{place}.{extension}"))));
    Ok(candidates.into_iter().find(|path| path.is_file()))
}

fn not_found(shown: &str) -> Diagnostic {
    Diagnostic::new(Code::FileUnreadable, format!("Config file not found at \"{shown}\""))
        .help("Correct `--config` (PLIMSOLL_CONFIG), or leave it out if the project has no Prisma config.")
}
