//! The flags of `inject`. Those that decide about gates come from the one table of `plimsoll-inject`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use plimsoll_inject::Given;
use plimsoll_inject::options::{Arity, OPTIONS, Row, Scope};

use crate::args::Logging;

// `inject`.
#[derive(Args, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(crate) struct Inject {
    /// Manifests: files, directories (every .yaml, .yml and .json below them), or `-` for standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The same as PATH, as in kubectl
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    pub(crate) filename: Vec<PathBuf>,
    /// Write the files themselves, and only those that change
    #[arg(short, long, conflicts_with_all = ["check", "diff", "emit"], help_heading = "Output")]
    pub(crate) in_place: bool,
    /// Write nothing; exit with 1 if anything would change
    #[arg(long, conflicts_with_all = ["diff", "emit"], help_heading = "Output")]
    pub(crate) check: bool,
    /// Print what would change instead of the result
    #[arg(long, conflicts_with = "emit", help_heading = "Output")]
    pub(crate) diff: bool,
    /// Take out the gates that earlier runs put in, and give back what they replaced
    #[arg(long, conflicts_with = "emit")]
    pub(crate) remove: bool,
    /// Print policies that let the API server inject, instead of changing manifests
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["paths", "filename", "project"], help_heading = "Output")]
    pub(crate) emit: Option<Emit>,
    /// The directory of the Prisma project: its package.json and its schema say what the manifests do not
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) project: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What can be printed instead of manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// Admission policies: one that injects, one that checks, and their bindings
    Map,
}

/// The options of the table, as flags.
#[derive(Clone)]
pub(crate) struct Options(pub(crate) Given);

fn flags() -> impl Iterator<Item = &'static Row> {
    OPTIONS.iter().filter(|row| row.scope != Scope::Label)
}

fn flag(row: &'static Row) -> Arg {
    let help = match row.default {
        "" => row.meaning.to_owned(),
        default => format!("{} [default: {default}]", row.meaning),
    };
    let argument = Arg::new(row.name).long(row.name).help(help).help_heading("Gate");
    match row.arity {
        Arity::Switch => argument.action(ArgAction::SetTrue),
        Arity::One => argument.value_name(row.value).action(ArgAction::Set).overrides_with(row.name),
        Arity::Many => argument.value_name(row.value).action(ArgAction::Append),
    }
}

impl Args for Options {
    fn augment_args(command: Command) -> Command {
        flags().fold(command, |command, row| command.arg(flag(row)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Options {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Given::default();
        for row in flags() {
            let values: Vec<&str> = match row.arity {
                Arity::Switch if matches.get_flag(row.name) => vec!["true"],
                Arity::Switch => Vec::new(),
                _ => matches.get_many::<String>(row.name).into_iter().flatten().map(String::as_str).collect(),
            };
            for value in values {
                given.add(row.name, value).map_err(|trouble| {
                    clap::Error::raw(clap::error::ErrorKind::InvalidValue, format!("{}\n", trouble.message))
                })?;
            }
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
