//! The collector's own receiver of OTLP, compiled from the sources that the OpenTelemetry project publishes.

use std::path::Path;

use crate::go::Go;
use crate::process::{Outcome, run};
use crate::say;

/// Written last, with every source in it: if it is there and equal, this is what was built.
const STAMP: &str = ".built";

/// Compiles the module of the working copy to a program in `to`.
pub(super) fn build(root: &Path, to: &Path) -> Outcome {
    let from = root.join("testbed/otlp");
    let sources = sources(&from)?;
    if std::fs::read_to_string(to.join(STAMP)).is_ok_and(|built| built == sources) {
        say("testbed: the receiver of OTLP is built");
        return Ok(());
    }
    say("testbed: compiling the receiver of OTLP, which takes about a minute");
    std::fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    let mut go = Go::find(root)?.command(&from, to);
    run(go.args(["build", "-ldflags", "-s -w", "-o"]).arg(to.join("receiver")).arg("."))?;
    std::fs::write(to.join(STAMP), sources).map_err(|error| format!("{}: {error}", to.display()))
}

fn sources(from: &Path) -> Outcome<String> {
    let names = ["go.mod", "go.sum", "main.go"];
    names.iter().map(|name| from.join(name)).try_fold(String::new(), |text, path| {
        let more = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(text + &more)
    })
}
