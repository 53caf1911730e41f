//! A program under valgrind's callgrind, which counts what it executes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;

/// It is slower by a factor of fifty.
const LIMIT: Duration = Duration::from_mins(5);
/// What callgrind writes, below the project.
const PROFILE: &str = "callgrind.out";

/// The binary whose instructions are counted.
pub(crate) struct Counted {
    binary: PathBuf,
}

impl Counted {
    /// The one that `cargo xtask counts` names.
    pub(crate) fn of_environment() -> Self {
        let binary = std::env::var_os("PLIMSOLL_COUNTED").expect("`cargo xtask counts` names the binary");
        Self { binary: binary.into() }
    }

    /// Runs a command as it is.
    pub(crate) fn run(&self, project: &Project, command: &str) {
        self.program(project, command).run().expect_code(0);
    }

    /// How many instructions the command takes, in all its threads.
    pub(crate) fn instructions(&self, project: &Project, command: &str) -> u64 {
        let profile = project.join(PROFILE);
        // As from a terminal: whoever ignores signals, as `nohup` does, starts programs that have fewer of them to care for.
        let arguments = ["--default-signal", "valgrind", "--quiet", "--tool=callgrind"].map(str::to_owned);
        let output = [format!("--callgrind-out-file={}", profile.display())];
        self.program(project, command).under("env", arguments.into_iter().chain(output)).run().expect_code(0);
        total(&project.read(PROFILE))
    }

    /// The variables are the same on every machine, since going through them takes instructions.
    fn program(&self, project: &Project, command: &str) -> Program {
        let program = Program::new("plimsoll", self.binary.clone(), project).arg(command);
        program.env("PATH", OsString::from("/usr/bin:/bin")).within(LIMIT)
    }
}

/// The sum at the end of a profile.
fn total(profile: &str) -> u64 {
    let line = profile.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    let number = line.and_then(|number| number.trim().parse().ok());
    number.expect("a profile of callgrind ends with `totals:`")
}
