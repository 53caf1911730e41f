//! A project and its database, whatever kind that is.

use std::fmt::Write as _;

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::{Database, Rows, SqliteDatabase};
use plimsoll_testkit::history::HistoryRow;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{self, Version};
use plimsoll_testkit::transcript::Transcript;
use plimsoll_testkit::wait::until_async;

/// The kinds of database.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Postgres(Version),
    Sqlite,
}

/// A database of one of the kinds.
pub(crate) enum Base {
    Postgres(Database<'static>),
    Sqlite(SqliteDatabase),
}

impl Kind {
    pub(crate) fn provider(self) -> Provider {
        match self {
            Self::Postgres(_) => Provider::Postgresql,
            Self::Sqlite => Provider::Sqlite,
        }
    }

    /// A place for a database that does not exist.
    pub(crate) fn missing(self) -> Base {
        match self {
            Self::Postgres(version) => Base::Postgres(server::postgres(version).missing_database()),
            Self::Sqlite => Base::Sqlite(SqliteDatabase::new()),
        }
    }

    /// An empty database. To SQLite an empty file is one.
    pub(crate) async fn empty(self) -> Base {
        match self {
            Self::Postgres(version) => Base::Postgres(server::postgres(version).database().await),
            Self::Sqlite => {
                let database = SqliteDatabase::new();
                std::fs::write(database.path(), "").expect("the directory is ours");
                Base::Sqlite(database)
            }
        }
    }
}

impl Base {
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.url(),
            Self::Sqlite(database) => database.url(),
        }
    }

    pub(crate) async fn execute(&self, statements: &str) {
        match self {
            Self::Postgres(database) => database.execute(statements).await,
            Self::Sqlite(database) => database.execute(statements),
        }
    }

    pub(crate) async fn query(&self, query: &str) -> Rows {
        match self {
            Self::Postgres(database) => database.query(query).await,
            Self::Sqlite(database) => database.query(query),
        }
    }

    /// The only value of the only row.
    pub(crate) async fn value(&self, query: &str) -> String {
        let rows = self.query(query).await;
        let value = rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten();
        value.unwrap_or_else(|| panic!("{query}: no value"))
    }

    pub(crate) async fn history(&self) -> Vec<HistoryRow> {
        match self {
            Self::Postgres(database) => database.history().await,
            Self::Sqlite(database) => database.history(),
        }
    }

    /// Everything that a command which only reads must leave as it is: every table with its columns, every schema, every
    /// row of the history, and of a file each byte.
    pub(crate) async fn everything(&self) -> String {
        match self {
            Self::Postgres(database) => catalog(database).await,
            Self::Sqlite(database) => directory(database),
        }
    }
}

async fn catalog(database: &Database<'_>) -> String {
    let schemas = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)' ORDER BY 1";
    let tables = "SELECT c.oid::regclass, c.relkind, c.relfilenode, c.reltuples, a.attname, a.atttypid::regtype \
                  FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
                  WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace, \
                  'information_schema'::regnamespace) ORDER BY 1, a.attnum";
    let mut text = format!("{:?}\n{:?}\n", database.query(schemas).await, database.query(tables).await);
    if !database.history().await.is_empty() {
        let rows = database.query("SELECT xmin, xmax, * FROM _prisma_migrations ORDER BY id").await;
        let _infallible = writeln!(text, "{rows:?}");
    }
    text
}

/// The names and contents of all files beside a database, its journals among them.
fn directory(database: &SqliteDatabase) -> String {
    let parent = database.path().parent().expect("a file is in a directory");
    let files = std::fs::read_dir(parent).expect("the directory is ours");
    let mut files: Vec<_> = files.map(|entry| entry.expect("the directory is ours").path()).collect();
    files.sort();
    let content = |path: &std::path::PathBuf| (path.clone(), std::fs::read(path).expect("the file is ours"));
    format!("{:?}", files.iter().map(content).collect::<Vec<_>>())
}

/// A project with a database of its own.
pub(crate) struct Scene {
    pub(crate) base: Base,
    pub(crate) project: Project,
}

impl Scene {
    /// An empty project and an empty database.
    pub(crate) async fn new(kind: Kind) -> Self {
        Self::on(kind, kind.empty().await)
    }

    /// An empty project on a database.
    pub(crate) fn on(kind: Kind, base: Base) -> Self {
        let project = Project::new(kind.provider()).env_url(base.url());
        Self { base, project }
    }

    /// The same with one more migration.
    pub(crate) fn migration(self, name: &str, script: &str) -> Self {
        self.project.set_migration(name, script);
        self
    }

    /// `plimsoll` with these arguments, to be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Program {
        plimsoll(&self.project).args(arguments)
    }

    /// `plimsoll` with these arguments, run to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Transcript {
        self.command(arguments).run()
    }

    /// `plimsoll deploy`, which has to succeed.
    pub(crate) fn deployed(&self) -> Transcript {
        self.run(&["deploy"]).expect_code(0)
    }

    /// The names of the migrations that count as applied, in the order in which they were.
    pub(crate) async fn applied(&self) -> Vec<String> {
        let rows = self.base.history().await.into_iter();
        rows.filter(|row| row.finished_at.is_some() && row.rolled_back_at.is_none())
            .map(|row| row.migration_name)
            .collect()
    }

    /// The PostgreSQL database.
    pub(crate) fn postgres(&self) -> &Database<'static> {
        match &self.base {
            Base::Postgres(database) => database,
            Base::Sqlite(_) => panic!("this is a SQLite database"),
        }
    }

    /// The SQLite database.
    pub(crate) fn sqlite(&self) -> &SqliteDatabase {
        match &self.base {
            Base::Sqlite(database) => database,
            Base::Postgres(_) => panic!("this is a PostgreSQL database"),
        }
    }
}

/// Fails unless each of the words is in the text.
#[track_caller]
pub(crate) fn assert_says(text: &str, words: &[&str]) {
    // Long lines of a message are broken between words, behind a bar.
    let flat = flat(text);
    for word in words {
        assert!(flat.contains(word), "`{word}` is missing in:\n{text}");
    }
}

/// A message without the line breaks and bars that it was drawn with.
pub(crate) fn flat(text: &str) -> String {
    text.replace(['│', '├', '╰', '╭'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns as soon as the query answers `t`.
pub(crate) async fn until_true(database: &Database<'_>, query: &str) {
    until_async(query, async || database.value(query).await == "t").await;
}
