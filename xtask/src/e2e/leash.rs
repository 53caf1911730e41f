//! A process that ends when this one does, however it ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::process::Outcome;
use crate::say;

/// This program, started again with another word, and held by a pipe that only we can write to.
///
/// The kernel closes the pipe when we end, be it by Ctrl-C or by SIGKILL: then the other one cleans up and ends. It is in a
/// process group of its own, so that Ctrl-C in a terminal reaches us alone.
pub(super) struct Leash {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Leash {
    /// Starts it, and returns when it has said `ready`; what it says before that is passed on.
    pub(super) fn start(word: &str, ready: &str) -> Outcome<Self> {
        let program = std::env::current_exe().map_err(|error| format!("where is this program? {error}"))?;
        let mut command = Command::new(program);
        command.args(["e2e", word]).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| format!("`xtask e2e {word}`: {error}"))?;
        let pipe = child.stdin.take();
        let says = BufReader::new(child.stdout.take().ok_or("its output was asked for")?);
        let mut leash = Self { child, pipe };
        for line in says.lines().map_while(Result::ok) {
            if line == ready {
                return Ok(leash);
            }
            say(&line);
        }
        leash.end()?;
        Err(format!("`xtask e2e {word}` ended before it was ready"))
    }

    /// Lets it go, and waits until it has cleaned up.
    pub(super) fn let_go(mut self) -> Outcome {
        self.end()
    }

    fn end(&mut self) -> Outcome {
        self.pipe = None;
        let status = self.child.wait().map_err(|error| format!("cannot be waited for: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("the cluster: {status}")) }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // Whoever wants to know how it went has called `let_go`.
        let _ = self.end();
    }
}

/// In the process that is held: returns when the holder has let go or has ended.
pub(super) fn wait_for_the_end() {
    // Nothing is ever written; an error is an end as well.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
