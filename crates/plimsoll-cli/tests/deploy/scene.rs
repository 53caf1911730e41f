//! A project and its database, whatever kind that is.

pub(crate) use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::{Database, SqliteDatabase};
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::transcript::Transcript;
use plimsoll_testkit::wait::until_async;

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
        self.base.postgres()
    }

    /// The SQLite database.
    pub(crate) fn sqlite(&self) -> &SqliteDatabase {
        self.base.sqlite()
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
