//! One history that everybody here applies, and what has to come of it, whoever applied which part of it.

use plimsoll_testkit::base::{Base, Kind};
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::Rows;
use plimsoll_testkit::history::HistoryRow;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Flavour, Version};

/// The PostgreSQL that both Prisma and `pg_dump` are here for.
pub(crate) const POSTGRES: Kind = Kind::Postgres(Version::V15);
pub(crate) const MYSQL: Kind = Kind::Mysql(Flavour::Mysql);
pub(crate) const MARIADB: Kind = Kind::Mysql(Flavour::Mariadb);

/// Each transaction leaves a mark in `log`: applying it twice would leave two.
const POSTGRES_STORY: &[(&str, &str)] = &[
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

const SQLITE_STORY: &[(&str, &str)] = &[
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

/// Numbers are given: one that a rolled-back attempt has taken is not given again. The first script is DDL and DML by turns, none
/// of which can be taken back together.
const MYSQL_STORY: &[(&str, &str)] = &[
    (
        "20260101000000_init",
        "CREATE TABLE log (what VARCHAR(20) NOT NULL);\nCREATE TABLE ship (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL);\nINSERT INTO ship VALUES (1, 'Ark'), (2, 'Argo');\nINSERT INTO log VALUES ('init');\nCREATE TABLE sailor (id INTEGER PRIMARY KEY, ship INTEGER NOT NULL, FOREIGN KEY (ship) REFERENCES ship (id));\nINSERT INTO sailor SELECT id, id FROM ship;\nINSERT INTO log VALUES ('sailor');\n",
    ),
    (
        "20260102000000_slow",
        "ALTER TABLE ship ADD COLUMN tonnes INTEGER NOT NULL DEFAULT 7;\nINSERT INTO log SELECT 'slow' FROM (SELECT SLEEP(0.1)) AS moment;\n",
    ),
    ("20260103000000_data", "UPDATE ship SET tonnes = tonnes + 1;\nINSERT INTO log VALUES ('data');\n"),
    (
        "20260104000000_index",
        "CREATE INDEX ship_name ON ship (name);\nINSERT INTO log VALUES ('index');\nALTER TABLE sailor ADD COLUMN age INTEGER;\nUPDATE ship SET tonnes = tonnes + 10;\nCREATE UNIQUE INDEX ship_tonnes ON ship (name, tonnes);\nDROP INDEX ship_name ON ship;\n",
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

/// The migrations of the story, in their order.
pub(crate) fn story(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Postgres(_) => POSTGRES_STORY,
        Kind::Mysql(_) => MYSQL_STORY,
        Kind::Sqlite => SQLITE_STORY,
    }
}

/// A project with the first migrations of the story, on a database.
pub(crate) fn part(kind: Kind, migrations: usize, base: &Base) -> Project {
    let project = Project::new(kind.provider()).env_url(base.url());
    story(kind)[..migrations].iter().for_each(|(name, script)| project.set_migration(name, script));
    project
}

/// The whole story.
pub(crate) fn whole(kind: Kind, base: &Base) -> Project {
    part(kind, story(kind).len(), base)
}

/// What is in a database now.
pub(crate) async fn outcome(base: &Base) -> Outcome {
    let mut data = Vec::new();
    for query in [
        "SELECT what FROM log ORDER BY 1",
        "SELECT * FROM ship ORDER BY id",
        "SELECT * FROM sailor ORDER BY id",
    ] {
        data.push(base.query(query).await);
    }
    if let Base::Postgres(database) = base {
        data.push(database.query("SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1").await);
    }
    let history = base.history().await;
    let history = if matches!(base, Base::Sqlite(_)) { by_name(history) } else { history };
    Outcome { schema: base.schema_dump(), data, history }
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
    deploy(&whole(kind, &base)).run().expect_code(0);
    outcome(&base).await
}
