//! The example application, built from its sources as its image builds it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::npm::{self, Packages};
use crate::process::{Outcome, run};
use crate::say;

/// Written last, with every source in it: if it is there and equal, this is what was built.
const STAMP: &str = ".built";

/// Builds `examples/backend` in `to`, which gets `dist`, and in `run` the packages that are there at run time.
pub(crate) fn build(from: &Path, to: &Path) -> Outcome {
    npm::install(from, to, Packages::All)?;
    npm::install(from, &to.join("run"), Packages::ToRun)?;
    let sources = sources(from)?;
    if std::fs::read_to_string(to.join(STAMP)).is_ok_and(|built| built == sources) {
        say("testbed: the backend is built");
        return Ok(());
    }
    for directory in ["dist", "src", "prisma"] {
        // It need not be there.
        let _ = std::fs::remove_dir_all(to.join(directory));
    }
    run(Command::new("cp").arg("--recursive").args([from.join("src"), from.join("prisma")]).arg(to))?;
    npm_run(to, "generate")?;
    npm_run(to, "build")?;
    std::fs::write(to.join(STAMP), sources).map_err(|error| format!("{}: {error}", to.display()))
}

fn npm_run(directory: &Path, script: &str) -> Outcome {
    let mut command = Command::new("npm");
    command.args(["run", "--silent", script]).current_dir(directory);
    // It would download an engine if this named no file; generating needs none.
    command.env("PRISMA_SCHEMA_ENGINE_BINARY", "/bin/true").env("CHECKPOINT_DISABLE", "1");
    run(command.env("PRISMA_HIDE_UPDATE_MESSAGE", "1"))
}

/// The text of everything that the result depends on, with its paths.
fn sources(from: &Path) -> Outcome<String> {
    let mut files =
        ["package-lock.json", "prisma.config.ts", "tsconfig.json"].map(|it| from.join(it)).to_vec();
    for directory in ["src", "prisma"] {
        collect(&from.join(directory), &mut files)?;
    }
    files.sort_unstable();
    let mut text = String::new();
    for file in files {
        let content =
            std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        writeln!(text, "{}\n{content}", file.display()).map_err(|error| error.to_string())?;
    }
    Ok(text)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    let entries =
        std::fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        // Made by whoever has built the example by hand.
        if path.ends_with("src/generated") {
            continue;
        }
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_changes_changes_the_stamp_and_a_generated_one_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = directory.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        for path in ["package-lock.json", "prisma.config.ts", "tsconfig.json", "src/a.ts", "prisma/x/b.sql"] {
            write(path, "1");
        }
        let before = sources(directory.path()).unwrap();
        write("src/generated/c.ts", "1");
        assert_eq!(sources(directory.path()).unwrap(), before);
        write("prisma/x/b.sql", "2");
        assert_ne!(sources(directory.path()).unwrap(), before);
    }
}
