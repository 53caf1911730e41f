//! A long history as large projects have it: about a hundred of its files build, drop or rebuild an index concurrently, with and
//! without other statements around it, on tables with rows. Several replicas start at once.

use plimsoll_core::Provider;
use plimsoll_testkit::database::{Database, Rows};
use plimsoll_testkit::history::HistoryRow;
use plimsoll_testkit::program::Running;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{self, Version};

use crate::story::deploy;

/// So often does each shape of script stand in the long history.
const ROUNDS: usize = 7;

/// Tables with rows that the other scripts change. `Log` shows what was done twice, or not at all.
const INIT: &str = r#"-- CreateEnum
CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN');
CREATE TYPE "Size" AS ENUM ('S', 'M');
-- CreateTable
CREATE TABLE "Log" ("what" TEXT NOT NULL);
CREATE TABLE "User" ("id" INTEGER NOT NULL, "email" TEXT NOT NULL, "role" "Role" NOT NULL DEFAULT 'USER',
    CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Order" ("id" INTEGER NOT NULL, "userId" INTEGER NOT NULL, "status" TEXT NOT NULL,
    "size" "Size" NOT NULL, "total" INTEGER NOT NULL DEFAULT 0, CONSTRAINT "Order_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Event" ("at" INTEGER NOT NULL) PARTITION BY RANGE ("at");
-- AddForeignKey
ALTER TABLE "Order" ADD CONSTRAINT "Order_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id")
    ON DELETE RESTRICT ON UPDATE CASCADE;
INSERT INTO "User" SELECT n, 'user' || n || '@example.com' FROM generate_series(1, 500) AS n;
INSERT INTO "Order" SELECT n, n % 500 + 1, 'open', 'S' FROM generate_series(1, 2000) AS n;
INSERT INTO "Log" VALUES ('init');
"#;

/// Scripts by name, with `{n}` for the number of the round. Each may build on those before it.
const SHAPES: [(&str, &str); 20] = [
    (
        "add_user_email_index",
        "-- CreateIndex\nCREATE INDEX CONCURRENTLY \"User_email_{n}_idx\" ON \"User\"(\"email\");\n",
    ),
    (
        "unique_if_not_exists",
        "-- CreateIndex\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"User_id_email_{n}_key\"\n  ON \"public\".\"User\"(\"id\", \"email\" DESC);",
    ),
    (
        "two_in_one_file",
        "-- CreateIndex\nCREATE INDEX CONCURRENTLY IF NOT EXISTS \"Order_status_{n}_idx\" ON \"Order\"(\"status\");\n\n\
         -- CreateIndex\nCREATE INDEX CONCURRENTLY IF NOT EXISTS \"Order_userId_{n}_idx\" ON \"Order\"(\"userId\")\n  \
         WHERE \"status\" <> 'gone; for ever';\n",
    ),
    (
        "column_with_index",
        "ALTER TABLE \"Order\" ADD COLUMN \"note{n}\" TEXT NOT NULL DEFAULT '';\nUPDATE \"Order\" SET \"note{n}\" = \"id\"::text, \"total\" = \"total\" + 1;\n\
         CREATE INDEX CONCURRENTLY \"Order_note{n}_idx\" ON \"Order\"(\"note{n}\");\n\
         UPDATE \"Order\" SET \"total\" = \"total\" + 10;\nINSERT INTO \"Log\" VALUES ('noted {n}');\n",
    ),
    ("drop_user_email_index", "-- DropIndex\nDROP INDEX CONCURRENTLY \"User_email_{n}_idx\";\n"),
    (
        "without_a_name",
        "INSERT INTO \"Log\" VALUES ('before {n}');\nCREATE INDEX CONCURRENTLY ON \"Order\" (lower(\"status\"), (\"total\" + {n}));\n\
         INSERT INTO \"Log\" VALUES ('behind {n}');",
    ),
    (
        "add_role_and_use_it",
        "-- AlterEnum\nALTER TYPE \"Role\" ADD VALUE 'ROLE{n}';\n-- AlterTable\n\
         ALTER TABLE \"User\" ALTER COLUMN \"role\" SET DEFAULT 'ROLE{n}';\n\
         UPDATE \"User\" SET \"role\" = 'ROLE{n}' WHERE \"id\" % 7 = 0;\nINSERT INTO \"Log\" VALUES ('role {n}');\n",
    ),
    ("reindex", "REINDEX INDEX CONCURRENTLY \"Order_status_{n}_idx\";"),
    (
        "reindex_all",
        "/* nested /* ; */ */ REINDEX TABLE CONCURRENTLY \"User\"; INSERT INTO \"Log\" VALUES ('reindexed {n}') -- ;",
    ),
    (
        "alter_size",
        "-- AlterEnum\nBEGIN;\nCREATE TYPE \"Size_new\" AS ENUM ('S', 'M', 'L{n}');\n\
         ALTER TABLE \"Order\" ALTER COLUMN \"size\" TYPE \"Size_new\" USING (\"size\"::text::\"Size_new\");\n\
         ALTER TYPE \"Size\" RENAME TO \"Size_old\";\nALTER TYPE \"Size_new\" RENAME TO \"Size\";\nDROP TYPE \"Size_old\";\nCOMMIT;\n",
    ),
    (
        "with_settings",
        "SET statement_timeout = 0;\nSET search_path = pg_catalog;\n\
         CREATE INDEX CONCURRENTLY \"User_role_{n}_idx\" ON public.\"User\"(\"role\");\nRESET search_path;\n\
         INSERT INTO \"Log\" VALUES ('settings {n}');\n",
    ),
    (
        "other_columns",
        "DROP INDEX CONCURRENTLY IF EXISTS \"Order_status_{n}_idx\";\n\
         CREATE INDEX CONCURRENTLY \"Order_status_{n}_idx\" ON \"Order\"(\"status\", \"id\");\n",
    ),
    (
        "constraint_from_index",
        "CREATE UNIQUE INDEX CONCURRENTLY \"Order_pair_{n}_key\" ON \"Order\"(\"id\", \"userId\");\n\
         ALTER TABLE \"Order\" ADD CONSTRAINT \"Order_pair_{n}_key\" UNIQUE USING INDEX \"Order_pair_{n}_key\";\n",
    ),
    (
        "checked_later",
        "ALTER TABLE \"User\" ADD CONSTRAINT \"email_{n}\" CHECK (\"email\" LIKE '%@%') NOT VALID;\n\
         CREATE FUNCTION f{n}() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN PERFORM 1; END; $body$;\n\
         ALTER TABLE \"User\" VALIDATE CONSTRAINT \"email_{n}\";\nINSERT INTO \"Log\" VALUES ('checked {n}');\n",
    ),
    (
        "partition",
        "CREATE TABLE \"Event_{n}\" PARTITION OF \"Event\" FOR VALUES FROM ({n}0) TO ({n}9);\nINSERT INTO \"Event\" VALUES ({n}5);\n",
    ),
    ("detach", "ALTER TABLE \"Event\" DETACH PARTITION \"Event_{n}\" CONCURRENTLY;\n"),
    ("vacuum", "VACUUM (ANALYZE) \"Order\";\nINSERT INTO \"Log\" VALUES ('vacuumed {n}');"),
    ("comment", "-- This is an empty migration.\n"),
    (
        "there_already",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"User_id_email_{n}_key\" ON \"User\"(\"id\", \"email\" DESC);\n",
    ),
    (
        "constraint_away",
        "ALTER TABLE \"Order\" DROP CONSTRAINT \"Order_pair_{n}_key\";\nINSERT INTO \"Log\" VALUES ('away {n}');\n\
         DROP INDEX CONCURRENTLY \"Order_userId_{n}_idx\";\n\
         CREATE INDEX CONCURRENTLY \"Order_userId_{n}_idx\" ON \"Order\" USING hash (\"userId\");\n",
    ),
];

/// The first rounds of the history, on a database.
pub(crate) fn rounds(rounds: usize, database: &Database<'_>) -> Project {
    let project = Project::new(Provider::Postgresql).env_url(database.url());
    project.set_migration("20260101000000_init", INIT);
    for round in 0..rounds {
        for (at, (name, script)) in SHAPES.iter().enumerate() {
            let name = format!("202602{:02}0000{at:02}_{name}", round + 1);
            project.set_migration(&name, &script.replace("{n}", &round.to_string()));
        }
    }
    project
}

/// What is in a database, comparable between databases.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Nothing where the server is newer than the installed `pg_dump`.
    schema: Option<String>,
    indexes: Rows,
    data: Vec<Rows>,
    pub(crate) history: Vec<HistoryRow>,
}

/// What is in a database now.
pub(crate) async fn found(database: &Database<'_>) -> Found {
    let mut data = Vec::new();
    for table in ["Log", "User", "Order", "Event"] {
        data.push(database.query(&format!("SELECT * FROM \"{table}\" ORDER BY 1")).await);
    }
    let indexes = "SELECT c.relname, i.indisvalid, i.indisready, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                   WHERE c.relnamespace = 'public'::regnamespace OR NOT i.indisvalid ORDER BY 1";
    let is_dumped = database.server().version() <= Version::V15;
    Found {
        schema: is_dumped.then(|| database.schema_dump()),
        indexes: database.query(indexes).await,
        data,
        history: database.history().await,
    }
}

/// What comes of one runner that nobody disturbs.
pub(crate) async fn undisturbed(rounds_of: usize, database: &Database<'_>) -> Found {
    deploy(&rounds(rounds_of, database)).run().expect_code(0);
    let found = found(database).await;
    assert!(found.indexes.iter().all(|index| index[1].as_deref() == Some("t")), "{:?}", found.indexes);
    assert_eq!(found.history.len(), 1 + rounds_of * SHAPES.len());
    found
}

async fn share_the_history(version: Version, replicas: usize) {
    let server = server::postgres(version);
    let expected = undisturbed(ROUNDS, &server.missing_database()).await;
    let database = server.missing_database();
    let project = rounds(ROUNDS, &database);
    let running: Vec<Running> = (0..replicas).map(|_| deploy(&project).spawn()).collect();
    let ended: Vec<_> = running.into_iter().map(|runner| runner.wait().expect_code(0)).collect();
    assert_eq!(found(&database).await, expected);
    let applied =
        ended.iter().flat_map(|runner| runner.stderr.lines()).filter(|line| line.starts_with("applied "));
    assert_eq!(applied.count(), expected.history.len(), "each is reported by the one who applied it");
}

#[test]
fn about_a_hundred_files_of_the_history_are_concurrent() {
    let concurrent = SHAPES.iter().filter(|(_, script)| script.contains("CONCURRENTLY")).count();
    assert_eq!(concurrent * ROUNDS, 98);
}

#[tokio::test]
async fn two_replicas_share_a_hundred_files_with_concurrently() {
    share_the_history(Version::V15, 2).await;
}

#[tokio::test]
async fn three_replicas_share_a_hundred_files_with_concurrently() {
    share_the_history(Version::V18, 3).await;
}
