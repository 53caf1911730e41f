//! One history that everybody here applies, and what has to come of it, whoever applied which part of it.

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::{Database, Rows, SqliteDatabase};
use plimsoll_testkit::history::HistoryRow;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{self, Version};

/// The kinds of database. PostgreSQL 15 is the one that both Prisma and `pg_dump` are here for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
}

/// A database of one of the kinds.
pub(crate) enum Base {
    Postgres(Database<'static>),
    Sqlite(SqliteDatabase),
}

/// Each transaction leaves a mark in `log`: applying it twice would leave two.
const POSTGRES: &[(&str, &str)] = &[
    (
        "20260101000000_init",
        "CREATE TABLE log (what TEXT NOT NULL);\nCREATE TABLE ship (id SERIAL PRIMARY KEY, name TEXT NOT NULL);\nINSERT INTO ship (name) VALUES ('Ark'), ('Argo');\nINSERT INTO log VALUES ('init');\n",
    ),
    (
        "20260102000000_rank",
        "CREATE TYPE rank AS ENUM ('mate', 'captain');\nCREATE TABLE sailor (id SERIAL PRIMARY KEY, ship INTEGER NOT NULL REFERENCES ship ON DELETE CASCADE, rank rank NOT NULL);\nINSERT INTO sailor (ship, rank) SELECT id, 'mate' FROM ship;\nINSERT INTO log VALUES ('rank');\n",
    ),
    (
        "20260103000000_index",
        "-- CreateIndex\nCREATE INDEX CONCURRENTLY \"ship_name\" ON \"ship\" (\"name\");\n",
    ),
    (
        "20260104000000_slow",
        "ALTER TABLE ship ADD COLUMN tonnes INTEGER NOT NULL DEFAULT 7;\nSELECT pg_sleep(0.1);\nINSERT INTO log VALUES ('slow');\n",
    ),
    ("20260105000000_unique", "CREATE UNIQUE INDEX CONCURRENTLY ship_tonnes ON ship (name, tonnes);"),
    ("20260106000000_drop", "DROP INDEX CONCURRENTLY ship_name;"),
    (
        "20260107000000_view",
        "CREATE VIEW fleet AS SELECT name, rank FROM ship JOIN sailor ON sailor.ship = ship.id;\nINSERT INTO log VALUES ('view');\n",
    ),
    ("20260108000000_comment", "-- nothing to do\n"),
];

const SQLITE: &[(&str, &str)] = &[
    (
        "20260101000000_init",
        "CREATE TABLE log (what TEXT NOT NULL);\nCREATE TABLE \"ship\" (\"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, \"name\" TEXT NOT NULL);\nINSERT INTO ship (name) VALUES ('Ark'), ('Argo');\nINSERT INTO log VALUES ('init');\n",
    ),
    (
        "20260102000000_sailor",
        "CREATE TABLE \"sailor\" (\"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, \"ship\" INTEGER NOT NULL REFERENCES \"ship\" (\"id\") ON DELETE CASCADE);\nINSERT INTO sailor (ship) SELECT id FROM ship;\nINSERT INTO log VALUES ('sailor');\n",
    ),
    (
        "20260103000000_slow",
        "INSERT INTO log WITH RECURSIVE round(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM round WHERE n < 300000) SELECT 'slow' FROM round WHERE n = 1;\n",
    ),
    (
        "20260104000000_redefine",
        "-- RedefineTables\nPRAGMA defer_foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\nCREATE TABLE \"new_ship\" (\"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, \"name\" TEXT NOT NULL, \"tonnes\" INTEGER NOT NULL DEFAULT 7);\nINSERT INTO \"new_ship\" (\"id\", \"name\") SELECT \"id\", \"name\" FROM \"ship\";\nDROP TABLE \"ship\";\nALTER TABLE \"new_ship\" RENAME TO \"ship\";\nCREATE UNIQUE INDEX \"ship_name\" ON \"ship\"(\"name\");\nPRAGMA foreign_keys=ON;\nPRAGMA defer_foreign_keys=OFF;\nINSERT INTO log VALUES ('redefine');\n",
    ),
    (
        "20260105000000_view",
        "CREATE VIEW fleet AS SELECT name FROM ship JOIN sailor ON sailor.ship = ship.id;\nINSERT INTO log VALUES ('view');\n",
    ),
    ("20260106000000_comment", "-- nothing to do\n"),
];

/// What is in a database, comparable between databases.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    schema: String,
    data: Vec<Rows>,
    pub(crate) history: Vec<HistoryRow>,
}

impl Kind {
    pub(crate) fn story(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Postgres => POSTGRES,
            Self::Sqlite => SQLITE,
        }
    }

    pub(crate) async fn empty(self) -> Base {
        match self {
            Self::Postgres => Base::Postgres(server::postgres(Version::V15).database().await),
            Self::Sqlite => {
                let database = SqliteDatabase::new();
                std::fs::write(database.path(), "").expect("the directory is ours");
                Base::Sqlite(database)
            }
        }
    }

    pub(crate) fn missing(self) -> Base {
        match self {
            Self::Postgres => Base::Postgres(server::postgres(Version::V15).missing_database()),
            Self::Sqlite => Base::Sqlite(SqliteDatabase::new()),
        }
    }

    /// A project with the first migrations of the story, on a database.
    pub(crate) fn project(self, migrations: usize, base: &Base) -> Project {
        let provider = if self == Self::Postgres { Provider::Postgresql } else { Provider::Sqlite };
        let project = Project::new(provider).env_url(base.url());
        self.story()[..migrations].iter().for_each(|(name, script)| project.set_migration(name, script));
        project
    }

    /// The whole story.
    pub(crate) fn whole(self, base: &Base) -> Project {
        self.project(self.story().len(), base)
    }
}

impl Base {
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.url(),
            Self::Sqlite(database) => database.url(),
        }
    }

    pub(crate) async fn outcome(&self) -> Outcome {
        match self {
            Self::Postgres(database) => {
                let mut data = Vec::new();
                for query in [
                    "SELECT what FROM log ORDER BY 1",
                    "SELECT * FROM ship ORDER BY id",
                    "SELECT * FROM sailor ORDER BY id",
                ] {
                    data.push(database.query(query).await);
                }
                data.push(database.query("SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1").await);
                Outcome { schema: database.schema_dump(), data, history: database.history().await }
            }
            Self::Sqlite(database) => Outcome {
                schema: database.schema_dump(),
                data: [
                    "SELECT what FROM log ORDER BY 1",
                    "SELECT * FROM ship ORDER BY id",
                    "SELECT * FROM sailor ORDER BY id",
                ]
                .map(|query| database.query(query))
                .to_vec(),
                history: by_name(database.history()),
            },
        }
    }
}

/// Each of Prisma's engines stores times of another type, and SQLite sorts all numbers before all texts.
fn by_name(mut history: Vec<HistoryRow>) -> Vec<HistoryRow> {
    history.sort_by(|one, other| one.migration_name.cmp(&other.migration_name));
    history
}

/// `plimsoll deploy`.
pub(crate) fn deploy(project: &Project) -> Program {
    plimsoll(project).arg("deploy")
}

/// What comes of one runner that nobody disturbs.
pub(crate) async fn undisturbed(kind: Kind) -> Outcome {
    let base = kind.empty().await;
    deploy(&kind.whole(&base)).run().expect_code(0);
    base.outcome().await
}
