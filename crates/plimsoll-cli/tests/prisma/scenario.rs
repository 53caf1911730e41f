//! A project, its database, and what is said about them.

use std::fmt::Write as _;

use plimsoll_core::checksum::Checksum;
use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::Database;
use plimsoll_testkit::history::HistoryRow;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, Role, Version};
use plimsoll_testkit::transcript::{Transcript, steady};
use tokio::sync::{Mutex, MutexGuard};

use crate::scripts;

/// Which Prisma, and which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// Prisma 6 and PostgreSQL.
    Six,
    /// Prisma 7 and PostgreSQL.
    Seven,
    /// Prisma 6 and MariaDB, with which the transcripts were recorded.
    Mysql,
    /// Prisma 6 and SQLite.
    Sqlite,
}

/// A schema as Prisma 6 has it: it names the variable with the URL.
pub(crate) const SCHEMA_SIX: &str = "generator client {\n  provider = \"prisma-client-js\"\n}\n\n\
    datasource db {\n  provider = \"postgresql\"\n  url      = env(\"DATABASE_URL\")\n}\n";
/// A schema as Prisma 7 has it.
pub(crate) const SCHEMA_SEVEN: &str = "generator client {\n  provider = \"prisma-client\"\n  output   = \"../generated\"\n}\n\n\
    datasource db {\n  provider = \"postgresql\"\n}\n";
/// A config as Prisma 7 has it.
pub(crate) const CONFIG: &str = "import { defineConfig, env } from 'prisma/config'\n\n\
    export default defineConfig({\n  schema: 'prisma/schema.prisma',\n  \
    migrations: { path: 'prisma/migrations' },\n  datasource: { url: env('DATABASE_URL') },\n})\n";
/// What Prisma 7 says on standard error before anything else.
pub(crate) const HEAD_SEVEN: &str =
    "Loaded Prisma config from prisma.config.ts.\n\nPrisma schema loaded from prisma/schema.prisma.\n";

impl World {
    /// The database of this world.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Six | Self::Seven => Kind::Postgres(Version::V15),
            Self::Mysql => Kind::Mysql(Flavour::Mariadb),
            Self::Sqlite => Kind::Sqlite,
        }
    }
}

/// What a tale is about, and the tale so far.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) project: Project,
    pub(crate) base: Base,
    story: String,
    turn: Option<MutexGuard<'static, ()>>,
}

/// Locks of MySQL belong to a server and not to a database: tales that assert that nobody waits take turns.
static TURN: Mutex<()> = Mutex::const_new(());

impl Scene {
    /// A project without migrations. An empty database on PostgreSQL; none yet on SQLite.
    pub(crate) async fn new(world: World) -> Self {
        let turn = if world == World::Mysql { Some(TURN.lock().await) } else { None };
        let base = if world == World::Sqlite { world.kind().missing() } else { world.kind().empty().await };
        Self { turn, ..Self::on(world, base) }
    }

    fn on(world: World, base: Base) -> Self {
        let provider = world.kind().provider();
        let project = Project::new(provider).env_url(base.url());
        let schema = if world == World::Seven { SCHEMA_SEVEN } else { SCHEMA_SIX };
        let schema = schema.replace("postgresql", provider.lock_name());
        project.write("prisma/schema.prisma", schema);
        if world == World::Seven {
            project.write("prisma.config.ts", CONFIG);
        }
        Self { world, project, base, story: String::new(), turn: None }
    }

    /// The same project without a database.
    pub(crate) fn forget_database(&mut self) {
        if self.world != World::Sqlite {
            let missing = self.world.kind().missing();
            let story = std::mem::take(&mut self.story);
            let turn = self.turn.take();
            *self = Self { story, turn, ..Self::on(self.world, missing) };
        }
    }

    /// A project with the three migrations of the transcripts, and an empty database.
    pub(crate) async fn fresh(world: World) -> Self {
        let mut scene = Self::new(world).await;
        scene.with_three();
        scene
    }

    /// Gives the project the three migrations that succeed.
    pub(crate) fn with_three(&mut self) -> &mut Self {
        self.migration(scripts::INIT, scripts::init(self.world));
        self.migration(scripts::ADD_NAME, scripts::add_name(self.world));
        self.migration(scripts::ADD_POST, scripts::add_post(self.world))
    }

    /// Gives the project one more migration, or another script to one that is there.
    pub(crate) fn migration(&mut self, name: &str, script: &str) -> &mut Self {
        self.project.set_migration(name, script);
        self
    }

    /// The three migrations, applied before the tale begins.
    pub(crate) fn with_three_applied(&mut self) -> &mut Self {
        self.with_three();
        plimsoll(&self.project).args(["deploy"]).run().expect_code(0);
        self
    }

    /// The database exists from the beginning. To SQLite an empty file is one.
    pub(crate) fn with_empty_database(&mut self) -> &mut Self {
        if let Base::Sqlite(database) = &self.base {
            std::fs::write(database.path(), "").expect("the directory is ours");
        }
        self
    }

    /// A row as the real Prisma leaves it behind when a migration fails: `resolve` has to be told about it.
    pub(crate) async fn failed_in_prisma(&mut self, name: &str, script: &str) {
        let started = match self.world {
            World::Sqlite => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
            World::Six | World::Seven => "now()",
            World::Mysql => "UTC_TIMESTAMP(3)",
        };
        let id = "4b8a725a-f33c-4a5e-a339-a73a7170cf4b";
        // As text in SQL.
        let error = match self.world {
            World::Mysql => {
                "1146\n\nDatabase error:\nTable ''app.Nope'' doesn''t exist\n\n\
                Please check the query number 2 from the migration file."
            }
            _ => "42P01\n\nDatabase error:\nERROR: relation \"Nope\" does not exist",
        };
        let logs = format!(
            "A migration failed to apply. New migrations cannot be applied before the error is recovered from.\n\n\
             Migration name: {name}\n\nDatabase error code: {error}\n\n   0: sql_schema_connector::apply_migration::apply_script"
        );
        let insert = format!(
            "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, logs) \
             VALUES ('{id}', '{}', '{name}', {started}, '{logs}')",
            Checksum::of(script)
        );
        self.execute(&insert).await;
        self.remark(&format!("Prisma failed at {name}"));
    }

    /// Runs statements as somebody else would.
    pub(crate) async fn execute(&mut self, statements: &str) {
        self.base.execute(statements).await;
    }

    /// A line of the story about something that no command did.
    pub(crate) fn remark(&mut self, text: &str) {
        let _infallible = writeln!(self.story, "# {text}\n");
    }

    /// `plimsoll migrate` with these arguments, to be run in an unusual way.
    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        // The name of a runner is stored with its failures.
        plimsoll(&self.project).env("HOSTNAME", "pod").arg("migrate").args(arguments)
    }

    /// Runs `plimsoll migrate` with these arguments.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Said {
        let program = self.program(arguments);
        self.hear(program)
    }

    pub(crate) fn deploy(&mut self) -> Said {
        self.run(&["deploy"])
    }

    pub(crate) fn status(&mut self) -> Said {
        self.run(&["status"])
    }

    pub(crate) fn resolve(&mut self, flag: &str, name: &str) -> Said {
        self.run(&["resolve", flag, name])
    }

    /// Runs a program to its end.
    pub(crate) fn hear(&mut self, program: Program) -> Said {
        self.tell(program.run())
    }

    /// Adds what a program said to the story.
    pub(crate) fn tell(&mut self, transcript: Transcript) -> Said {
        let _infallible = writeln!(self.story, "{}", without_numbers(&unwrapped(&transcript).to_string()));
        Said { transcript, world: self.world }
    }

    /// Fails unless these are the rows of the history.
    pub(crate) async fn has_rows(&mut self, expected: &[HistoryRow]) {
        let rows = self.base.history().await;
        self.story.push_str("----- _prisma_migrations\n");
        for row in &rows {
            let _infallible = writeln!(self.story, "{}", line(row));
        }
        self.story.push('\n');
        let rows: Vec<HistoryRow> = rows.into_iter().map(without_logs).collect();
        assert_eq!(rows, expected);
    }

    /// Fails unless these are the tables, with their schemas on PostgreSQL.
    pub(crate) async fn has_tables(&mut self, expected: &[&str]) {
        let query = match self.base {
            Base::Postgres(_) => {
                "SELECT concat_ws('.', nullif(table_schema, 'public'), table_name) FROM information_schema.tables \
                 WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
            }
            Base::Mysql(_) => {
                "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() \
                 ORDER BY BINARY TABLE_NAME"
            }
            Base::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'sqlite_sequence' ORDER BY 1"
            }
        };
        let rows = self.base.query(query).await;
        let tables: Vec<String> = rows.into_iter().flatten().flatten().collect();
        let _infallible = writeln!(self.story, "----- tables: [{}]\n", tables.join(", "));
        assert_eq!(tables, expected);
    }

    /// The PostgreSQL database.
    pub(crate) fn postgres(&self) -> &Database<'static> {
        self.base.postgres()
    }

    /// The URL for a role.
    pub(crate) fn url_for(&self, role: Role) -> String {
        self.postgres().address().role(role).url()
    }

    /// The whole conversation.
    pub(crate) fn story(&self) -> String {
        self.story.clone()
    }
}

/// A row in a line of its own, with its logs below. The checksum is asserted, and only the beginning of it is shown.
fn line(row: &HistoryRow) -> String {
    let time = |name: &'static str, time: &Option<String>| time.as_ref().map_or("", |_| name);
    let logs = match row.logs.as_deref() {
        None => " NULL".to_owned(),
        Some("") => " ''".to_owned(),
        Some(logs) => format!("\n  {}", without_numbers(logs).replace('\n', "\n  ")),
    };
    format!(
        "{} {}…{}{}, steps {}, logs{logs}",
        row.migration_name,
        row.checksum.get(..8).unwrap_or(&row.checksum),
        time(" finished", &row.finished_at),
        time(" rolled back", &row.rolled_back_at),
        row.applied_steps_count
    )
}

/// Processes have other numbers every time: that of a runner, `pod/1234`, and that of its connection.
fn without_numbers(text: &str) -> String {
    ["plimsoll pod/", "(connection ", "waits for connection "].iter().fold(text.to_owned(), |text, before| {
        let mut parts = text.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            format!("{text}{before}<number>{}", part.trim_start_matches(|c: char| c.is_ascii_digit()))
        })
    })
}

/// Where a line of a message is broken depends on the length of paths and numbers: in the story it is whole.
fn unwrapped(transcript: &Transcript) -> Transcript {
    // Messages are 120 wide, margins and all.
    const WIDTH: usize = 115;
    let mut lines: Vec<String> = Vec::new();
    let mut last_width = 0;
    for line in transcript.stderr.lines() {
        let continued = line.strip_prefix("  │ ").or_else(|| line.strip_prefix("        "));
        let first = continued.and_then(|rest| rest.split(' ').next()).map_or(0, |word| word.chars().count());
        // What begins with a code of the database is a line of its own.
        let has_code = continued.and_then(|rest| rest.get(5..7)) == Some(": ");
        let is_broken = first > 0 && !has_code && last_width + 1 + first > WIDTH;
        last_width = line.chars().count();
        match (continued.filter(|_| is_broken), lines.last_mut()) {
            (Some(rest), Some(last)) => {
                let gap = if last.ends_with("://") { "" } else { " " };
                last.push_str(gap);
                last.push_str(rest);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    let stderr: String = lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect();
    let mut whole = transcript.clone();
    whole.stderr = stderr;
    whole
}

/// Ours and Prisma's logs of a failure differ: that there are some is what counts. NULL and an empty text stay.
fn without_logs(row: HistoryRow) -> HistoryRow {
    let logs = row.logs.map(|logs| if logs.is_empty() { logs } else { "<logs>".to_owned() });
    HistoryRow { logs, ..row }
}

/// What a command said.
pub(crate) struct Said {
    transcript: Transcript,
    world: World,
}

impl Said {
    /// Fails unless it ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.transcript.code(), Some(code), "{}", self.transcript);
        self
    }

    /// Fails unless this is all that it wrote to standard output.
    #[track_caller]
    pub(crate) fn prints(self, stdout: &str) -> Self {
        let said = steady(&self.transcript.stdout);
        assert!(said == stdout, "expected:\n{stdout}\nbut:\n{}", self.transcript);
        self
    }

    /// Fails unless it wrote this to standard error, wherever the lines were broken.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        let flat =
            |text: &str| text.replace(['│', '×', '╰', '╭', '─'], "").split_whitespace().collect::<String>();
        let said = flat(&steady(&self.transcript.stderr));
        assert!(said.contains(&flat(text)), "`{text}` is missing in:\n{}", self.transcript);
        self
    }

    /// Fails unless standard error is exactly this, after Prisma 7's own first lines.
    #[track_caller]
    pub(crate) fn warns(self, stderr: &str) -> Self {
        let head = if self.world == World::Seven { HEAD_SEVEN } else { "" };
        let expected = format!("{head}{stderr}");
        let said = steady(&self.transcript.stderr);
        assert!(said == expected, "expected on standard error:\n{expected}\nbut:\n{}", self.transcript);
        self
    }

    /// Fails unless there was nothing to complain about.
    #[track_caller]
    pub(crate) fn quietly(self) -> Self {
        self.warns("")
    }

    /// Fails unless this is all that it wrote to standard error.
    #[track_caller]
    pub(crate) fn says_exactly(self, stderr: &str) -> Self {
        assert_eq!(self.transcript.stderr, stderr, "{}", self.transcript);
        self
    }

    /// All that it wrote, unchanged.
    pub(crate) fn everything(&self) -> String {
        format!("{}{}", self.transcript.stdout, self.transcript.stderr)
    }

    /// Fails unless it failed with this code of ours or Prisma's.
    #[track_caller]
    pub(crate) fn fails(self, exit: i32, code: &str) -> Self {
        self.exits(exit).says(&format!("Error: {code}"))
    }
}
