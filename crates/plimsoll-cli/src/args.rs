//! The command line. Help, completions and `docs/reference.md` are made from these types.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use plimsoll_core::plan::IfAhead;

const STYLES: Styles =
    Styles::styled().header(AnsiColor::Green.on_default().bold()).usage(AnsiColor::Green.on_default().bold());

/// Brings a database to the migrations in an image, exactly once, however many pods start at once.
///
/// Reads an ordinary Prisma project and its `_prisma_migrations` table, and replaces `prisma migrate deploy` without
/// Node. Every setting has a flag and an environment variable; a flag wins over its variable, and both win over the
/// project's files.
#[derive(Parser)]
#[command(name = "plimsoll", version, styles = STYLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Apply the pending migrations, once, whoever else starts at the same time
    Deploy(Deploy),
    /// Say where the database stands; exits with 1 unless it is up to date
    Status(Common),
    /// Record what a person found out about a failed or existing migration
    Resolve(Resolve),
    /// Say what `deploy` would do and why, without doing it
    Plan(Plan),
    /// Wait until the database stands at this project's migrations, applying nothing
    Wait(Wait),
    /// The same as Prisma's commands of these names, with Prisma's arguments and phrases
    #[command(subcommand)]
    Migrate(Migrate),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print a document that is made from the code
    #[command(hide = true)]
    Docs {
        /// Which one
        document: Document,
    },
}

/// Prisma's group of commands.
#[derive(Subcommand)]
pub(crate) enum Migrate {
    /// Apply the pending migrations
    Deploy(Deploy),
    /// Say where the database stands; exits with 1 unless it is up to date
    Status(Common),
    /// Record a migration as applied or as rolled back
    Resolve(Resolve),
}

/// A document that is made from the code.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Document {
    Errors,
    Reference,
}

/// What every command that looks at a project and a database takes.
#[derive(Args, Clone)]
pub(crate) struct Common {
    /// The Prisma schema: a file or a folder [default: as Prisma finds it]
    #[arg(long, value_name = "PATH", env = "PLIMSOLL_SCHEMA", help_heading = "Project")]
    pub(crate) schema: Option<PathBuf>,
    /// The Prisma config file [default: as Prisma finds it]
    #[arg(long, value_name = "FILE", env = "PLIMSOLL_CONFIG", help_heading = "Project")]
    pub(crate) config: Option<PathBuf>,
    /// The migrations directory [default: as Prisma finds it]
    #[arg(long, value_name = "DIRECTORY", env = "PLIMSOLL_MIGRATIONS", help_heading = "Project")]
    pub(crate) migrations: Option<PathBuf>,
    /// The connection URL, instead of the project's; other users of the machine can see a flag, so prefer the variable
    #[arg(long, value_name = "URL", env = "PLIMSOLL_URL", hide_env_values = true, help_heading = "Database")]
    pub(crate) url: Option<String>,
    /// For how long to wait for a database that is not up yet; 0 does not wait
    #[arg(long, value_name = "TIME", env = "PLIMSOLL_WAIT", default_value = "60s", value_parser = duration, help_heading = "Database")]
    pub(crate) wait: Duration,
    /// What to print on standard output
    #[arg(
        long,
        value_name = "FORMAT",
        env = "PLIMSOLL_OUTPUT",
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub(crate) output: Format,
    /// Accepted because Prisma takes it; nothing is ever sent anywhere
    #[arg(long, value_name = "TEXT", hide = true)]
    telemetry_information: Option<String>,
}

/// What is printed on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    #[default]
    Text,
    /// One JSON document, described in docs/output.md
    Json,
}

/// `deploy`.
#[derive(Args, Clone)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) lock: LockWait,
    #[command(flatten)]
    pub(crate) policy: Policy,
}

/// `plan`.
#[derive(Args, Clone)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) policy: Policy,
}

/// `wait`.
#[derive(Args, Clone)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) policy: Policy,
}

/// `resolve`.
#[derive(Args, Clone)]
pub(crate) struct Resolve {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) lock: LockWait,
    /// Record this migration as applied without running it: its changes are in the database already
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) applied: Option<String>,
    /// Record that this failed migration has been undone, so that it will be applied again
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) rolled_back: Option<String>,
}

/// How long to wait for other runners.
#[derive(Args, Clone)]
pub(crate) struct LockWait {
    /// For how long to wait while another runner holds the migration lock
    #[arg(long, value_name = "TIME", env = "PLIMSOLL_LOCK_WAIT", default_value = "10m", value_parser = duration, help_heading = "Database")]
    pub(crate) lock_wait: Duration,
}

/// What to allow.
#[derive(Args, Clone)]
pub(crate) struct Policy {
    /// What to do if the database stands at migrations that this project does not have, as after a rollback
    #[arg(long, value_name = "POLICY", env = "PLIMSOLL_IF_AHEAD", value_enum, default_value_t = Ahead::Warn, help_heading = "Database")]
    pub(crate) if_ahead: Ahead,
}

/// The policies of `--if-ahead`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ahead {
    /// Say nothing
    Ok,
    /// Say so and go on
    Warn,
    /// Apply nothing and fail
    Refuse,
}

impl From<Ahead> for IfAhead {
    fn from(ahead: Ahead) -> Self {
        match ahead {
            Ahead::Ok => Self::Ok,
            Ahead::Warn => Self::Warn,
            Ahead::Refuse => Self::Refuse,
        }
    }
}

/// Longer than anybody waits, and short enough to be added to a clock.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Reads `90`, `90s`, `500ms`, `10m` or `2h`; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 =
        text[..digits].parse().map_err(|_| "expected a time such as `30s`, `5m` or `0`".to_owned())?;
    let seconds = |factor: u64| number.checked_mul(factor).map(Duration::from_secs);
    let duration = match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        _ => None,
    };
    duration
        .filter(|duration| *duration <= YEAR)
        .ok_or_else(|| "expected a time such as `30s`, `5m` or `0`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_are_read_with_and_without_units() {
        let seconds = |text: &str| duration(text).map(|duration| duration.as_millis());
        assert_eq!(seconds("90"), Ok(90_000));
        assert_eq!(seconds("500ms"), Ok(500));
        assert_eq!(seconds("2h"), Ok(7_200_000));
        assert_eq!(seconds("0"), Ok(0));
        for wrong in ["", "s", "1d", "-1", "1.5s", "99999999999999999999", "9999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
