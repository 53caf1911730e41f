//! What a program answers, which is waited for within a limit.

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::spawn;
use std::time::Duration;

/// How long a program may take. Long, because a slow machine is no failure: what takes longest is to build an image.
const LIMIT: Duration = Duration::from_mins(4);

/// How long a program that took too long may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// What a program answered.
#[derive(Debug)]
pub struct Answer {
    /// Whether it succeeded.
    pub succeeded: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Answer {
    /// Runs a command with a text on its standard input. If it takes too long, it and all that it has started are ended, and the
    /// panic tells what it has said.
    #[track_caller]
    pub(crate) fn to(command: &mut Command, input: &str) -> Self {
        Self::within(LIMIT, command, input)
    }

    #[track_caller]
    fn within(limit: Duration, command: &mut Command, input: &str) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let pid = child.id();
        write(&mut child, input);
        let ends = end_of(child);
        let Ok(output) = ends.recv_timeout(limit) else {
            panic!("not within {limit:?}: {command:?}\n{}", ended(pid, &ends));
        };
        Self::from(&output)
    }

    /// Its standard output; panics with everything that it said if it has failed.
    #[track_caller]
    pub fn expect(self, what: &str) -> String {
        assert!(self.succeeded, "{what}:\n{}{}", self.stdout, self.stderr);
        self.stdout
    }
}

impl From<&Output> for Answer {
    fn from(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Self { succeeded: output.status.success(), stdout, stderr }
    }
}

/// On a thread of its own: a program may speak before it has read everything, and one that fails early does not read to the end.
fn write(child: &mut Child, input: &str) {
    let (mut stdin, input) = (child.stdin.take().expect("it was asked for"), input.to_owned());
    spawn(move || stdin.write_all(input.as_bytes()));
}

/// Gets what the program has said when it has ended, and when nobody it has started can say anything any more.
fn end_of(child: Child) -> Receiver<Output> {
    let (tell, ends) = channel();
    // Nobody listens any more to a program that could not be ended.
    spawn(move || tell.send(child.wait_with_output().expect("it is our child")));
    ends
}

/// Ends a program and all that it has started, and returns what it said. SIGQUIT comes first: a program in Go, such as buildah or
/// kubectl, then says what each of its goroutines was waiting for.
fn ended(pid: u32, ends: &Receiver<Output>) -> String {
    for signal in ["-QUIT", "-KILL"] {
        let family: Vec<String> = family(pid).iter().map(u32::to_string).collect();
        // Who has ended meanwhile needs no signal.
        let _ = Command::new("kill").arg(signal).args(family).stderr(Stdio::null()).status();
        if let Ok(output) = ends.recv_timeout(GRACE) {
            let said = Answer::from(&output);
            return said.stdout + &said.stderr;
        }
    }
    "it could not be ended".to_owned()
}

/// A process and all that have come from it, in the order in which they were started.
fn family(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let text: String = lists.collect();
    let children = text.split_whitespace().filter_map(|word| word.parse().ok());
    std::iter::once(pid).chain(children.flat_map(family)).collect()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_reads_what_it_is_told_while_it_speaks() {
        let long = "a line that is more than a pipe holds\n".repeat(10_000);
        assert_eq!(Answer::to(&mut Command::new("cat"), &long).expect("cat"), long);
        assert!(!Answer::to(&mut shell("exit 3"), &long).succeeded);
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended_with_its_children_and_what_it_said_is_told() {
        let script = "echo begun; tail -f /dev/null; echo never";
        let hangs = || Answer::within(Duration::from_millis(300), &mut shell(script), "");
        let told = catch_unwind(hangs).expect_err("it never ends");
        let told = told.downcast_ref::<String>().expect("a panic with a text");
        assert!(told.starts_with("not within 300ms: "), "{told}");
        assert!(told.ends_with("\nbegun\n"), "{told}");
    }
}
