//! The command line. Help, completions and `docs/reference.md` are made from these types.
//!
//! The arguments of a command are made when it is the one that was asked for (`defer`): those of all of them took more than half of
//! the instructions of a run without work. What documents a type of arguments would then take the place of what its command says of
//! itself: those types have plain comments.

mod shared;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use shared::{AllowEmpty, Answer, Common, Empty, Format, Limits, LockWait, Logging, Policy};

use crate::called;
use crate::commands::Inject;

const STYLES: Styles =
    Styles::styled().header(AnsiColor::Green.on_default().bold()).usage(AnsiColor::Green.on_default().bold());

/// Brings a database to the migrations in an image, exactly once, however many pods start at once.
///
/// Reads an ordinary Prisma project and its `_prisma_migrations` table, and replaces `prisma migrate deploy` without
/// Node. Every setting of a run has a flag and an environment variable; a flag wins over its variable, and both win over
/// the project's files. What `inject` writes depends on its flags and on the manifests alone.
#[derive(Parser)]
#[command(name = "plimsoll", version, styles = STYLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Reads the arguments and variables of this process.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let matches = without_empty_variables(called::named(Self::command())).try_get_matches()?;
        Self::from_arg_matches(&matches)
    }
}

/// A manifest often sets a variable to nothing where it means that it is not set.
fn without_empty_variables(mut command: clap::Command) -> clap::Command {
    // Only then: the arguments of a command are made when it is asked for, and all the others never.
    if std::env::vars_os().any(|(_, value)| value.is_empty()) {
        command.build();
        command = forgetting_empty_variables(command);
    }
    command
}

fn forgetting_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |name: &std::ffi::OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| match argument.get_env() {
            Some(name) if is_empty(name) => argument.env(Resettable::Reset),
            _ => argument,
        })
        .mut_subcommands(forgetting_empty_variables)
}

/// What to do.
#[derive(Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Apply the pending migrations, once, whoever else starts at the same time
    Deploy(Deploy),
    /// Apply the pending migrations as `deploy` does, then become a command: same process, same environment
    Exec(Exec),
    /// Say where the database stands; exits with 1 unless it is up to date
    Status(Status),
    /// Record what a person found out about a failed or existing migration, or have it carried on
    Resolve(Resolve),
    /// Say what `deploy` would do and why, without doing it
    Plan(Plan),
    /// Wait until the database stands at this project's migrations, applying nothing
    Wait(Wait),
    /// The same as Prisma's commands of these names, with Prisma's arguments and phrases
    #[command(subcommand)]
    Migrate(Migrate),
    /// Copy this program to DIRECTORY/plimsoll, for the other containers of a pod
    Install(Install),
    /// Put a gate into Kubernetes manifests, or take it out again
    Inject(Box<Inject>),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Command {
    /// What is said where, for a command that has something to say.
    pub(crate) fn logging(&self) -> Option<&Logging> {
        let common = match self {
            Self::Deploy(deploy) | Self::Migrate(Migrate::Deploy(deploy)) => &deploy.run.common,
            Self::Exec(exec) => &exec.run.common,
            Self::Status(status) | Self::Migrate(Migrate::Status(status)) => &status.common,
            Self::Resolve(resolve) => &resolve.record.common,
            Self::Migrate(Migrate::Resolve(record)) => &record.common,
            Self::Plan(plan) => &plan.common,
            Self::Wait(wait) => &wait.common,
            Self::Install(install) => return Some(&install.logging),
            Self::Inject(inject) => return Some(&inject.logging),
            Self::Completions { .. } => return None,
        };
        Some(&common.logging)
    }
}

/// What a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// What it does, or that it can be waited for: its exit code tells how that went.
    Deed,
    /// What it writes to standard output.
    Answer,
}

impl Command {
    /// What the command is for.
    pub(crate) fn purpose(&self) -> Purpose {
        match self {
            Self::Deploy(_)
            | Self::Exec(_)
            | Self::Resolve(_)
            | Self::Wait(_)
            | Self::Install(_)
            | Self::Migrate(Migrate::Deploy(_) | Migrate::Resolve(_)) => Purpose::Deed,
            Self::Status(_)
            | Self::Migrate(Migrate::Status(_))
            | Self::Plan(_)
            | Self::Inject(_)
            | Self::Completions { .. } => Purpose::Answer,
        }
    }
}

/// Prisma's group of commands.
#[derive(Subcommand)]
#[command(defer = true)]
pub(crate) enum Migrate {
    /// Apply the pending migrations
    Deploy(Deploy),
    /// Say where the database stands; exits with 1 unless it is up to date
    Status(Status),
    /// Record a migration as applied or as rolled back
    Resolve(Record),
}

// What a run takes, whoever starts it.
#[derive(Args, Clone)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) lock: LockWait,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[command(flatten)]
    pub(crate) policy: Policy,
    #[command(flatten)]
    pub(crate) empty: AllowEmpty,
}

// `deploy`.
#[derive(Args, Clone)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) run: Run,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

// `exec`. There is no `--output`: standard output belongs to the command.
#[derive(Args, Clone)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) run: Run,
    /// A variable that the command does not get, such as the one with the owner's password; may be given several times
    #[arg(long, value_name = "NAME", env = "PLIMSOLL_UNSET", value_delimiter = ',', value_parser = variable, help_heading = "Command")]
    pub(crate) unset: Vec<String>,
    /// The command and its arguments, behind `--`
    #[arg(value_name = "CMD", last = true, required = true, num_args = 1..)]
    pub(crate) command: Vec<OsString>,
}

// `status`.
#[derive(Args, Clone)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

// `plan`.
#[derive(Args, Clone)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) policy: Policy,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

// `wait`.
#[derive(Args, Clone)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) empty: AllowEmpty,
    #[command(flatten)]
    pub(crate) policy: Policy,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

// `resolve`.
#[derive(Args, Clone)]
pub(crate) struct Resolve {
    #[command(flatten)]
    pub(crate) record: Record,
    /// Have the failed attempt at this migration carried on by the next `deploy`, where it failed
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) resume: Option<String>,
}

// `migrate resolve`: what Prisma can record.
#[derive(Args, Clone)]
pub(crate) struct Record {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) lock: LockWait,
    #[command(flatten)]
    pub(crate) answer: Answer,
    /// Record this migration as applied without running it: its changes are in the database already
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) applied: Option<String>,
    /// Record that this failed migration has been undone, so that it will be applied again
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) rolled_back: Option<String>,
}

// `install`.
#[derive(Args, Clone)]
pub(crate) struct Install {
    /// An existing directory, such as an emptyDir volume
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) logging: Logging,
}

/// The name of a variable: a value behind it is a mistake that would leave the variable where it is.
fn variable(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && !text.contains(['=', '\0']);
    is_name.then(|| text.to_owned()).ok_or_else(|| "expected the name of a variable".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// Every command below this one: how it is reached, and what it says of itself.
    fn said(command: &clap::Command, path: &str) -> Vec<(String, [String; 2])> {
        let one = |sub: &clap::Command| {
            let path = format!("{path} {}", sub.get_name());
            let about = [sub.get_about(), sub.get_long_about()].map(|text| format!("{text:?}"));
            [vec![(path.clone(), about)], said(sub, &path)].concat()
        };
        command.get_subcommands().filter(|sub| sub.get_name() != "help").flat_map(one).collect()
    }

    #[test]
    fn making_the_arguments_of_a_command_does_not_change_what_it_says_of_itself() {
        let late = Arguments::command();
        let mut made = Arguments::command();
        made.build();
        let all = said(&made, "");
        assert!(all.iter().any(|(path, _)| path == " migrate resolve"), "{all:#?}");
        for command in said(&late, "") {
            assert!(all.contains(&command), "{command:?} is not in {all:#?}");
        }
    }

    #[test]
    fn a_value_is_no_name_of_a_variable() {
        assert!(variable("DATABASE_URL").is_ok());
        assert!(["", "A=b"].iter().all(|text| variable(text).is_err()));
    }
}
