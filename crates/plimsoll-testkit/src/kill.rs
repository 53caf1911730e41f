//! A run that is struck at one step of its way, counted and not timed: of the protocol that it speaks with a server, or of
//! the calls by which it changes files.
//!
//! Whoever wants to strike at every step begins with number 1 and goes on until a run was [`Struck::Never`].

use crate::base::Base;
use crate::program::Program;
use crate::project::Project;
use crate::proxy::{Deed, Proxy, Strike};
use crate::transcript::Transcript;

/// How a run ended at which something was to be done.
#[derive(Debug)]
pub enum Struck {
    /// It came to the step.
    AtStep(Transcript),
    /// It ended before.
    Never(Transcript),
}

/// Runs a program on a project whose database is behind a proxy, and strikes. The project has the proxy's URL for this run.
pub fn struck(
    base: &Base,
    project: Project,
    strike: Strike,
    run: fn(&Project) -> Program,
) -> (Struck, Project) {
    let (protocol, port) = base.served().expect("only a server can be behind a proxy");
    let proxy = Proxy::start(protocol, port, strike);
    let project = project.env_url(base.url_through(proxy.port()));
    let running = run(&project).spawn();
    proxy.runner(running.pid());
    let transcript = running.wait();
    proxy.runner_ended();
    let struck = match (proxy.has_struck(), strike.deed, transcript.signal()) {
        (true, Deed::KillRunner, Some(_))
        | (true, Deed::Cut | Deed::CutRunner | Deed::Terminate | Deed::TerminateUnheard, None) => {
            Struck::AtStep
        }
        _ => Struck::Never,
    };
    (struck(transcript), project.env_url(base.url()))
}

/// A call of the kernel by which a runner changes a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// This call of SQLite's, whatever the file is. SQLite works on threads of its own, each of which would have a count of
    /// its own: the runner gets one only, beside the thread of its last resort, as if the system had no more.
    OfSqlite(&'static str),
    /// This call on one file beside the database, by the end of the name that it has more than the database.
    On(&'static str, &'static str),
}

/// Every call by which a run on SQLite changes a file: its content, its length, or whether it is there. Between two of them
/// nothing changes that a kill could leave behind.
pub const CALLS: [Call; 9] = [
    Call::OfSqlite("pwrite64"),
    Call::OfSqlite("fsync"),
    Call::OfSqlite("fdatasync"),
    Call::OfSqlite("ftruncate"),
    Call::OfSqlite("unlink"),
    Call::On("", "openat"),
    Call::On(LOCK, "openat"),
    Call::On(LOCK, "write"),
    Call::On(LOCK, "unlink"),
];

/// The file that a runner has locked.
const LOCK: &str = "-plimsoll.lock";

/// Runs a program on a SQLite file under `strace`, which kills it before it makes this call for the `number`th time.
pub fn killed_before(base: &Base, program: Program, call: Call, number: usize) -> Struck {
    let mut arguments: Vec<String> = ["-f", "-qq", "-o", "/dev/null"].map(str::to_owned).into();
    let name = match call {
        Call::OfSqlite(name) => {
            let inject = "inject=clone,clone3:error=EAGAIN:when=3+";
            arguments.extend(["-e".to_owned(), format!("trace=clone,clone3,{name}")]);
            arguments.extend(["-e".to_owned(), inject.to_owned()]);
            name
        }
        Call::On(end, name) => {
            let file = format!("{}{end}", base.sqlite().path().display());
            arguments.extend(["-P".to_owned(), file, "-e".to_owned(), format!("trace={name}")]);
            name
        }
    };
    arguments.extend(["-e".to_owned(), format!("inject={name}:signal=SIGKILL:when={number}")]);
    let transcript = program.under("strace", arguments).run();
    // It ends as what it has watched.
    let struck = if transcript.signal().is_some() { Struck::AtStep } else { Struck::Never };
    struck(transcript)
}
