//! `plimsoll-bench-stopwatch RUNNERS LOG PROGRAM ARGUMENT…`: starts a program so many times at once, and says how long it took
//! until all had ended, and what each of them needed.
//!
//! Linux counts the memory of whoever starts a program as the program's until it has started. So this is a small program that
//! does nothing else; the one that knows servers and peers is not small.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it answers the process that has started it")]

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::{Value, json};
use wait4::{ResUse, Wait4};

/// Whoever has not ended then is killed.
const LIMIT: Duration = Duration::from_mins(3);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> io::Result<Value> {
    let [runners, log, program, rest @ ..] = arguments else {
        return Err(io::Error::other("it needs a number, a file and a program"));
    };
    let runners: u32 = runners.parse().map_err(io::Error::other)?;
    let log = File::create(log)?;
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::null());
    let begun = Instant::now();
    let mut children = Vec::new();
    for _ in 0..runners {
        children.push(command.stdout(log.try_clone()?).stderr(log.try_clone()?).spawn()?);
    }
    let ended = wait(children)?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(json!({ "seconds": seconds, "runs": ended.iter().map(told).collect::<Vec<_>>() }))
}

fn wait(children: Vec<Child>) -> io::Result<Vec<ResUse>> {
    let running = children.iter().map(handle).collect::<io::Result<Vec<_>>>()?;
    let (done, is_done) = channel::<()>();
    std::thread::spawn(move || {
        if is_done.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            running.iter().for_each(kill);
        }
    });
    let ended = children.into_iter().map(Wait4::wait4).collect();
    drop(done);
    ended
}

/// What means this child also when it has ended, and its number is somebody else's.
fn handle(child: &Child) -> io::Result<OwnedFd> {
    Ok(pidfd_open(Pid::from_child(child), PidfdFlags::empty())?)
}

fn kill(running: &OwnedFd) {
    // Whoever has ended needs no signal.
    let _ = pidfd_send_signal(running, Signal::KILL);
}

fn told(ended: &ResUse) -> Value {
    let cpu = ended.rusage.utime + ended.rusage.stime;
    json!({ "code": ended.status.code(), "cpu": cpu.as_secs_f64(), "kibibytes": ended.rusage.maxrss / 1024 })
}
