//! What several commands take: where things are, how long to wait, what to allow, what to say.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, OsStringValueParser, PossibleValue, TypedValueParser as _};
use clap::{Args, ValueEnum};
use plimsoll_core::duration;
use plimsoll_core::plan::IfAhead;
use plimsoll_engine::Deadline;

use crate::output::{Level, Log, Shape, Sinks, Voice};
use crate::termination::{Detail, TerminationLog};

// What every command that looks at a project and a database takes.
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
    /// A file that holds the connection URL, as a mounted Secret; read again for each attempt to connect
    #[arg(
        long,
        value_name = "PATH",
        env = "PLIMSOLL_URL_FILE",
        conflicts_with = "url",
        help_heading = "Database"
    )]
    pub(crate) url_file: Option<PathBuf>,
    /// For how long to wait for a database that is not up yet; 0 does not wait
    #[arg(long, value_name = "TIME", env = "PLIMSOLL_WAIT", default_value = "60s", value_parser = duration::parse, help_heading = "Database")]
    pub(crate) wait: Duration,
    #[command(flatten)]
    pub(crate) logging: Logging,
    /// Accepted because Prisma takes it; nothing is ever sent anywhere
    #[arg(long, value_name = "TEXT", hide = true)]
    telemetry_information: Option<String>,
}

// What is said on standard error, and what is left for whoever looks at a container that has ended.
#[derive(Args, Clone)]
pub(crate) struct Logging {
    /// What the lines on standard error look like
    #[arg(
        long,
        value_name = "FORMAT",
        env = "PLIMSOLL_LOG_FORMAT",
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub(crate) log_format: LogFormat,
    /// Say nothing on standard error but errors
    #[arg(long, short, env = "PLIMSOLL_QUIET", value_parser = FalseyValueParser::new(), conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Say each step on standard error: each try to connect, the lock, each time that a migration is sent
    #[arg(long, short, env = "PLIMSOLL_VERBOSE", value_parser = FalseyValueParser::new(), help_heading = "Output")]
    pub(crate) verbose: bool,
    /// Where to say in short how this container ended, if the file exists; `none` turns it off
    #[arg(
        long,
        value_name = "PATH",
        env = "PLIMSOLL_TERMINATION_LOG",
        default_value = "/dev/termination-log",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        help_heading = "Output"
    )]
    pub(crate) termination_log: PathBuf,
    /// How much that tells of an error: what the database says may quote rows
    #[arg(
        long,
        value_name = "DETAIL",
        env = "PLIMSOLL_TERMINATION_DETAIL",
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub(crate) termination_detail: Detail,
}

impl From<&Logging> for Sinks {
    fn from(logging: &Logging) -> Self {
        let least = match (logging.quiet, logging.verbose) {
            (true, _) => Level::Error,
            (false, true) => Level::Debug,
            (false, false) => Level::Info,
        };
        let shape = match logging.log_format {
            LogFormat::Text => Shape::Text,
            LogFormat::Json => Shape::Json,
        };
        let termination = TerminationLog::new(&logging.termination_log).telling(logging.termination_detail);
        Self { log: Log { shape, least }, termination }
    }
}

/// What the lines on standard error look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object a line, described in docs/output.md
    Json,
}

// What standard output is for.
#[derive(Args, Clone)]
pub(crate) struct Answer {
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

// How long to wait for other runners.
#[derive(Args, Clone)]
pub(crate) struct LockWait {
    /// For how long to wait while another runner holds the migration lock
    #[arg(long, value_name = "TIME", env = "PLIMSOLL_LOCK_WAIT", default_value = "10m", value_parser = duration::parse, help_heading = "Database")]
    pub(crate) lock_wait: Duration,
}

// How long a migration, and a run, may take.
#[derive(Args, Clone)]
pub(crate) struct Limits {
    /// For how long a statement of a migration may wait for a lock before it is rolled back and tried again; 0 waits for as long as
    /// it takes [default: 5s, unless the database has a limit of its own]
    #[arg(long, value_name = "TIME", env = "PLIMSOLL_LOCK_TIMEOUT", value_parser = duration::parse, help_heading = "Time limits")]
    lock_timeout: Option<Duration>,
    /// How long a statement of a migration may take before the migration fails; 0 for as long as it takes [default: what the
    /// database says]
    #[arg(long, value_name = "TIME", env = "PLIMSOLL_STATEMENT_TIMEOUT", value_parser = duration::parse, help_heading = "Time limits")]
    statement_timeout: Option<Duration>,
    /// How long the run may take, waiting included, before it is stopped; 0 for as long as it takes [default: 0]
    #[arg(long, value_name = "TIME", env = "PLIMSOLL_TIMEOUT", value_parser = duration::parse, help_heading = "Time limits")]
    timeout: Option<Duration>,
}

impl Limits {
    /// When a run that begins now has to be over.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.timeout.filter(|timeout| !timeout.is_zero()).map(Deadline::after)
    }

    /// Those of the statements of migrations.
    pub(crate) fn of_statements(&self) -> plimsoll_engine::Limits {
        plimsoll_engine::Limits {
            lock: self.lock_timeout,
            statement: self.statement_timeout,
            ..plimsoll_engine::Limits::default()
        }
    }
}

// What to think of a project without migrations.
#[derive(Args, Clone)]
pub(crate) struct AllowEmpty {
    /// Go on if the project has no migrations; otherwise that is an error, since it is mostly a file that is not in the image
    #[arg(long, env = "PLIMSOLL_ALLOW_EMPTY", value_parser = FalseyValueParser::new(), help_heading = "Project")]
    allow_empty: bool,
}

/// What a project without migrations is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    /// An error.
    Refused,
    /// A warning. No database is created for it.
    Allowed,
    /// Nothing special, as in Prisma: a missing database is created.
    AsInPrisma,
}

impl AllowEmpty {
    /// In this voice.
    pub(crate) fn in_voice(&self, voice: Voice) -> Empty {
        match (voice, self.allow_empty) {
            (Voice::Prisma, _) => Empty::AsInPrisma,
            (_, true) => Empty::Allowed,
            (_, false) => Empty::Refused,
        }
    }
}

// What to allow.
#[derive(Args, Clone)]
pub(crate) struct Policy {
    /// What to do if the database stands at migrations that this project does not have, as after a rollback
    #[arg(long, value_name = "POLICY", env = "PLIMSOLL_IF_AHEAD", value_enum, default_value_t = Ahead(IfAhead::Warn), help_heading = "Database")]
    pub(crate) if_ahead: Ahead,
}

/// The policies of `--if-ahead`, under the words that manifests use too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ahead(IfAhead);

impl ValueEnum for Ahead {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(IfAhead::Ok), Self(IfAhead::Warn), Self(IfAhead::Refuse), Self(IfAhead::Wait)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self.0 {
            IfAhead::Ok => "Say nothing",
            IfAhead::Warn => "Say so and go on",
            IfAhead::Refuse => "Apply nothing and fail",
            IfAhead::Wait => {
                "Apply nothing until it is not ahead any more, for up to `--lock-wait` (`wait`: up to `--wait`)"
            }
        };
        Some(PossibleValue::new(self.0.word()).help(help))
    }
}

impl From<Ahead> for IfAhead {
    fn from(ahead: Ahead) -> Self {
        ahead.0
    }
}
