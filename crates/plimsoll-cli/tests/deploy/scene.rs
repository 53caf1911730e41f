//! A project and its database, whatever kind that is.

pub(crate) use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::{Database, SqliteDatabase};
use plimsoll_testkit::program::{Program, Running};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::transcript::Transcript;
pub(crate) use plimsoll_testkit::transcript::{assert_says, flat};
pub(crate) use plimsoll_testkit::wait::until_true;

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

    /// The same where no other test has a lock: on MySQL and MariaDB the migration lock is one for a whole server.
    pub(crate) async fn alone(kind: Kind) -> Self {
        Self::on(kind, kind.alone().await)
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

/// Has three at once say of each of these migrations that it is applied: one of them is the first, and the others hear so.
pub(crate) fn say_applied_at_once(names: &[&str], command: impl Fn(&[&str]) -> Program) {
    let say = |name: &&str| command(&["resolve", "--applied", name]).spawn();
    let saying: Vec<_> = names.iter().cycle().take(3 * names.len()).map(say).collect();
    let said: Vec<_> = saying.into_iter().map(Running::wait).collect();
    let (recorded, refused): (Vec<_>, Vec<_>) = said.into_iter().partition(|said| said.code() == Some(0));
    for refused in refused {
        assert_says(&refused.expect_code(65).stderr, &["P3008"]);
    }
    assert_eq!(recorded.len(), names.len());
}
