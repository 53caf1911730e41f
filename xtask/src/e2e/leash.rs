//! A process that ends when this one does, however it ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::process::{Outcome, end_of};
use crate::say;

/// How long it may be silent before it is ready, which has limits of its own for all that it waits for.
const START_LIMIT: Duration = Duration::from_mins(10);

/// How long it may take to clean up. What it has left then is removed by the next one.
const END_LIMIT: Duration = Duration::from_mins(3);

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
        let says = lines(child.stdout.take().ok_or("its output was asked for")?);
        let mut leash = Self { child, pipe };
        loop {
            match says.recv_timeout(START_LIMIT) {
                Ok(line) if line == ready => return Ok(leash),
                Ok(line) => say(&line),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("`xtask e2e {word}` is not ready after {START_LIMIT:?}"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    leash.end()?;
                    return Err(format!("`xtask e2e {word}` ended before it was ready"));
                }
            }
        }
    }

    /// Lets it go, and waits until it has cleaned up.
    pub(super) fn let_go(mut self) -> Outcome {
        self.end()
    }

    fn end(&mut self) -> Outcome {
        self.pipe = None;
        match end_of(&mut self.child, END_LIMIT)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("the cluster: {status}")),
            None => Err(format!("the cluster did not end within {END_LIMIT:?}, and was killed")),
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // Whoever wants to know how it went has called `let_go`.
        let _ = self.end();
    }
}

/// What a pipe says, line by line, read by a thread that ends with it.
fn lines(pipe: ChildStdout) -> Receiver<String> {
    let (tell, says) = channel();
    std::thread::spawn(move || {
        BufReader::new(pipe).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
    });
    says
}

/// In the process that is held: returns when the holder has let go or has ended.
pub(super) fn wait_for_the_end() {
    // Nothing is ever written; an error is an end as well.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
