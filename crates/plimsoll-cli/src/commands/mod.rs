//! The commands, one file each.

mod deploy;
mod exec;
mod inject;
mod install;
mod plan;
mod resolve;
mod status;
mod wait;

use std::time::Duration;

use clap::CommandFactory as _;
use plimsoll_core::{Code, Diagnostic, Migrations};
use plimsoll_engine::{Backend as _, CancellationToken, Event, Observe as _, stopping};
use plimsoll_project::MigrationsDirectory;
use tokio::sync::oneshot;

use crate::args::{Answer, Arguments, Command, Common, Empty, Format, Migrate};
use crate::database::{Database, Found, Opened, with_backend};
use crate::exit::Exit;
use crate::output::{self, Output, Voice};
use crate::signals::{self, Ended, Signals};
use crate::telemetry::Telemetry;
pub(crate) use inject::Inject;

/// Does what the arguments ask for.
pub(crate) async fn run(arguments: Arguments) -> Exit {
    match arguments.command {
        Command::Deploy(arguments) => deploy::run(&arguments, Voice::Own).await,
        Command::Exec(arguments) => exec::run(&arguments).await,
        Command::Status(arguments) => status::run(&arguments, Voice::Own).await,
        Command::Resolve(arguments) => resolve::own(&arguments).await,
        Command::Plan(arguments) => plan::run(&arguments).await,
        Command::Wait(arguments) => wait::run(&arguments).await,
        Command::Migrate(Migrate::Deploy(arguments)) => deploy::run(&arguments, Voice::Prisma).await,
        Command::Migrate(Migrate::Status(arguments)) => status::run(&arguments, Voice::Prisma).await,
        Command::Migrate(Migrate::Resolve(arguments)) => resolve::prisma(&arguments).await,
        Command::Install(arguments) => install::run(&arguments),
        Command::Inject(arguments) => inject::run(&arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "plimsoll", &mut script);
            output::data(&String::from_utf8_lossy(&script));
            Exit::Success
        }
    }
}

/// Finds the project and introduces it, or fails.
fn open(
    common: &Common,
    answer: &Answer,
    name: &'static str,
    voice: Voice,
) -> Result<(Opened, Output), Exit> {
    let mut output = Output::new(voice_for(answer, voice), name, (&common.logging).into());
    Ok((introduce(common, &mut output)?, output))
}

/// The same where there is somebody to say it already.
fn introduce(common: &Common, output: &mut Output) -> Result<Opened, Exit> {
    let opened = Opened::new(common, |why| output.see(Event::Waiting { why, at_most: common.wait }));
    let opened = opened.map_err(|diagnostic| output.failed(&diagnostic, None))?;
    output.opened(&opened);
    Ok(opened)
}

/// The same for a command that connects unless the project is not as it should be: a server lets it in while its migrations are being read.
/// What is wrong with the project comes before what is wrong with the database.
async fn introduce_connecting(
    common: &Common,
    output: &mut Output,
) -> Result<(Opened, Result<Database, Diagnostic>), Exit> {
    let found = Found::new(common, |why| output.see(Event::Waiting { why, at_most: common.wait }));
    let found = found.map_err(|diagnostic| output.failed(&diagnostic, None))?;
    let database = found.database();
    let connects = |database: &Database| with_backend!(database, backend => backend.begin_to_connect());
    let (connecting, directory) = (database.as_ref().is_ok_and(connects), found.migrations());
    let migrations = if connecting { beside(directory).await } else { directory.read() };
    let opened = migrations.and_then(|migrations| found.with(migrations));
    let opened = opened.map_err(|diagnostic| output.failed(&diagnostic, None))?;
    output.opened(&opened);
    Ok((opened, database))
}

/// Reads the migrations on a thread of their own, where there may be one more.
async fn beside(directory: MigrationsDirectory) -> Result<Migrations, Diagnostic> {
    let (say, said) = oneshot::channel();
    let theirs = directory.clone();
    let reading = std::thread::Builder::new().spawn(move || say.send(theirs.read()));
    match reading {
        Ok(_thread) => said.await.expect("what panics ends the process"),
        Err(_) => directory.read(),
    }
}

/// Refuses a project without migrations, or warns of it.
fn look_at_emptiness(opened: &Opened, empty: Empty, output: &mut Output) -> Result<(), Exit> {
    let found = || format!("no migration found in `{}`", opened.migrations_directory());
    match empty {
        Empty::Refused if opened.is_empty() => {
            let diagnostic = Diagnostic::new(Code::NoMigrations, found())
                .help("in an image: check what `COPY` and `.dockerignore` leave out")
                .help("if they are elsewhere, name their directory with `--migrations`")
                .help("if there are none yet, go on with `--allow-empty`");
            Err(output.failed(&diagnostic, None))
        }
        Empty::Allowed if opened.is_empty() => {
            output.warned(&format!("{}: there is nothing to apply", found()));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whose words are used, given what standard output is for.
fn voice_for(answer: &Answer, voice: Voice) -> Voice {
    if answer.output == Format::Json { Voice::Json } else { voice }
}

/// What a person sees of work that a signal stopped: nothing, where it had nothing to say.
fn stopped(
    output: &mut Output,
    number: u8,
    failure: Option<(&Diagnostic, Option<&plimsoll_core::Report>)>,
) -> Exit {
    let silent =
        Diagnostic::new(Code::Interrupted, "interrupted: the statement under way did not stop in time").help(
            "the database rolls back what is not committed as soon as it notices that this process is gone",
        );
    let (diagnostic, report) = failure.unwrap_or((&silent, None));
    output.interrupted(diagnostic, report, Exit::Signal(number))
}

/// Does work that only fails or succeeds, watching for signals.
async fn watched<T>(
    output: &mut Output,
    cancel: &CancellationToken,
    work: impl AsyncFnOnce(&mut Output) -> plimsoll_engine::Result<T>,
) -> Result<T, Exit> {
    match Signals::listen().watch(cancel, work(output)).await {
        Ended::Finished(Ok(value)) | Ended::Stopped(_, Some(Ok(value))) => Ok(value),
        Ended::Finished(Err(error)) => Err(output.failed(&error.diagnostic, None)),
        Ended::Stopped(number, Some(Err(error))) => {
            Err(stopped(output, number, Some((&error.diagnostic, None))))
        }
        Ended::Stopped(number, None) => Err(stopped(output, number, None)),
    }
}

/// For how long a pod is kept at most because somebody wants to know of its run. One that was stopped has what is left of
/// [`stopping::TELLING`].
const MOST_TELLING: Duration = Duration::from_secs(2);

/// Tells those who look from outside, if there are any. Returns the signal that cut it short.
async fn tell(telemetry: Telemetry, output: &Output, signals: &mut Signals) -> Option<u8> {
    if !telemetry.is_wanted() {
        return None;
    }
    let at_most =
        signals::since_stopped().map_or(MOST_TELLING, |since| stopping::TELLING.saturating_sub(since));
    let cancel = CancellationToken::new();
    let sent = async {
        tokio::select! {
            trouble = telemetry.send(at_most) => trouble,
            () = cancel.cancelled() => Some("telemetry was not sent: a signal ended the wait for its collector".into()),
        }
    };
    let (trouble, signal) = match signals.watch(&cancel, sent).await {
        Ended::Finished(trouble) => (trouble, None),
        Ended::Stopped(number, trouble) => (trouble.flatten(), Some(number)),
    };
    if let Some(trouble) = trouble {
        output.warned(&trouble);
    }
    signal
}

/// The same where the command is over, and nothing depends on a signal any more.
async fn told(mut output: Output, exit: Exit) -> Exit {
    let telemetry = output.telemetry();
    if telemetry.is_wanted() {
        tell(telemetry, &output, &mut Signals::listen()).await;
    }
    exit
}
