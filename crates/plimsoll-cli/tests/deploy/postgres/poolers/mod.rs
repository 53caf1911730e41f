//! Poolers: in every mode a run works, or is refused before anything is done; and whatever happens, no lock stays behind on a
//! connection that somebody else gets.

mod crowd;
mod modes;
mod others;
mod snapshots;
mod trouble;

use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{PgBouncer, PoolMode, Version};
use plimsoll_testkit::transcript::Transcript;

use crate::scene::{Kind, Scene};

/// The migration lock, whoever holds it in this database.
const LOCK: &str = "pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND granted \
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// What a URL says of the pooler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Nothing.
    Nothing,
    /// `pgbouncer=true`.
    Pooler,
}

impl Says {
    const ALL: [Self; 2] = [Self::Nothing, Self::Pooler];
}

/// A project with a database of its own, and a PgBouncer before it.
struct Pooled {
    scene: Scene,
    pooler: PgBouncer,
}

impl Pooled {
    async fn new(mode: PoolMode) -> Self {
        Self::with(mode, &[]).await
    }

    async fn with(mode: PoolMode, settings: &[(&str, &str)]) -> Self {
        let scene = Scene::new(Kind::Postgres(Version::V15)).await;
        let pooler = PgBouncer::start(scene.postgres().server(), mode, settings);
        Self { scene, pooler }
    }

    fn migration(self, name: &str, script: &str) -> Self {
        self.scene.project.set_migration(name, script);
        self
    }

    fn url(&self, says: Says) -> String {
        let address = self.scene.postgres().address().port(self.pooler.port());
        match says {
            Says::Nothing => address,
            Says::Pooler => address.parameter("pgbouncer", "true"),
        }
        .url()
    }

    fn project(&self) -> &Project {
        &self.scene.project
    }

    /// `plimsoll` through the pooler.
    fn command(&self, says: Says, arguments: &[&str]) -> Program {
        plimsoll(self.project()).args(arguments).env("DATABASE_URL", self.url(says))
    }

    fn run(&self, says: Says, arguments: &[&str]) -> Transcript {
        self.command(says, arguments).run()
    }

    /// How often the lock is held, looked at directly: the pooler keeps its connections open.
    async fn locks(&self) -> String {
        self.scene.base.value(&format!("SELECT count(*) FROM {LOCK}")).await
    }

    async fn value(&self, query: &str) -> String {
        self.scene.base.value(query).await
    }
}
