//! The question whether a long history is exactly the project's, which a server answers in one row.
//!
//! It is asked together with the rows, which are sent only if it is not: one statement, and so one moment, whatever the answer is.

use plimsoll_core::Migrations;
use plimsoll_core::history::Exact;
use tokio_postgres::SimpleQueryRow;

/// From how many migrations on it is asked. Of a hundred the digest takes a new connection longer than their rows; of a thousand it does not.
const MANY: usize = 1000;

/// What the one row says.
const MARK: &str = "exact";

/// The columns of the rows, as they are read. Times are multiplied by a number of the type that they are extracted as: for another one the
/// server looks through all that can be multiplied.
const COLUMNS: &str = r#""id", "migration_name", "checksum",
    (extract(epoch FROM "started_at") * 1000000.0)::bigint,
    (extract(epoch FROM "finished_at") * 1000000.0)::bigint,
    (extract(epoch FROM "rolled_back_at") * 1000000.0)::bigint,
    "applied_steps_count", CASE WHEN "finished_at" IS NULL THEN "logs" END"#;
/// How many these are.
const WIDTH: usize = 8;

/// What to ask for; nothing if the rows themselves are better.
pub(super) fn expected(migrations: Option<&Migrations>) -> Option<Exact> {
    migrations.filter(|migrations| migrations.list().len() >= MANY).and_then(Exact::of)
}

/// The rows, in no order: a new connection takes longer to find out how to sort than we do to sort.
pub(super) fn every_row() -> String {
    format!(r#"SELECT {COLUMNS} FROM "_prisma_migrations""#)
}

/// The rows, in no order, or the one that says that they are exactly these.
///
/// A digest is made only of as many rows as there should be. SHA-256 is there since PostgreSQL 11, on servers too that have no MD5.
pub(super) fn query(Exact { rows, digest }: &Exact) -> String {
    format!(
        r#"WITH "counting" AS (SELECT CASE WHEN (
            SELECT pg_catalog.count(*) = {rows} AND pg_catalog.count("finished_at") = {rows}
            FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL
        ) THEN (
            SELECT pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.string_agg(
                pg_catalog.concat("migration_name", '/', "checksum"), '/'
                ORDER BY "migration_name"::pg_catalog.text COLLATE pg_catalog."C"), 'UTF8'))
                = pg_catalog.decode('{digest}', 'hex')
            FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL
        ) END AS "{MARK}")
        SELECT {COLUMNS}, NULL FROM "_prisma_migrations" WHERE (SELECT "{MARK}" FROM "counting") IS NOT TRUE
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{MARK}' FROM "counting" WHERE "{MARK}""#
    )
}

/// Whether this is the one row.
pub(super) fn is_mark(row: &SimpleQueryRow) -> bool {
    row.len() == WIDTH + 1 && row.get(WIDTH) == Some(MARK)
}
