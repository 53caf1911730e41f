//! Whose a new index is that a statement gave no name: its own, if it is made of the same.
//!
//! The same index can be written in many ways. So the server is asked to make it once more, on an empty table with the same
//! columns that goes at once, and its catalog says what both are made of.

use plimsoll_core::Code;
use plimsoll_core::script::postgres::{SameIndex, same_index_in};
use plimsoll_core::script::{Effect, Segment};

use super::look::{Facts, VALID, new_indexes, oid_of};
use super::{PostgresSession, quote_text};
use crate::error::{Error, Kind, Result};

/// The facts as they are `now`, with those indexes alone that were there before and those that the statement makes. Nothing
/// if the server does not say: an expression may name the schema of the table, a role may make no table.
pub(super) async fn only_its_own(
    session: &PostgresSession,
    segment: &Segment<'_>,
    effect: &Effect,
    before: &Facts,
    now: &Facts,
) -> Result<Option<Facts>> {
    let Effect::BuildsIndex { name: None, table } = effect else { return Ok(Some(now.clone())) };
    let new = new_indexes(before, now);
    if new.is_empty() {
        return Ok(Some(now.clone()));
    }
    let own = alike(session, segment, table, &new).await?;
    Ok(own.map(|own| {
        let mut facts = now.clone();
        facts.insert(VALID.to_owned(), own.join(","));
        facts
    }))
}

/// Those of the indexes of a table, by their numbers, that are made of the same as the one that a statement without a name for it
/// makes. Nothing if the server does not say.
pub(super) async fn alike(
    session: &PostgresSession,
    segment: &Segment<'_>,
    table: &str,
    indexes: &[&str],
) -> Result<Option<Vec<String>>> {
    let Some(same) = same_index_in("pg_temp", &segment.body) else { return Ok(None) };
    let asked = session.rows(&question(table, &same, &indexes.join(","))).await;
    // The transaction may still be open, and failed. If the connection is gone, so is the transaction.
    let _gone = session.client.batch_execute("ROLLBACK").await;
    match asked {
        Ok(rows) => Ok(Some(rows.iter().filter_map(|row| row.get(0)).map(str::to_owned).collect())),
        Err(error) if is_no_answer(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The server does not do it, and would not next time either.
fn is_no_answer(error: &Error) -> bool {
    error.kind == Kind::Never && matches!(error.diagnostic.code, Code::Database | Code::AccessDenied)
}

/// Which of the `new` indexes of a table are made of the same as one that is made on an empty table with its columns.
fn question(table: &str, same: &SameIndex, new: &str) -> String {
    let SameIndex { table: copy, statement } = same;
    format!(
        "BEGIN;CREATE TABLE {copy} (LIKE {table}) ON COMMIT DROP;{statement}\n;\
         SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = ANY \
         (pg_catalog.string_to_array({}, ',')::pg_catalog.oid[]) AND {} = (SELECT {} FROM pg_catalog.pg_index j \
         WHERE j.indrelid = {});ROLLBACK",
        quote_text(new),
        made_of("i"),
        made_of("j"),
        oid_of(copy)
    )
}

/// An expression for all that an index is made of, but its name, its table and its state. Columns are told by name: a table
/// that has lost some counts them otherwise. Servers before version 15 know no `NULLS NOT DISTINCT`.
fn made_of(index: &str) -> String {
    format!(
        "(SELECT pg_catalog.jsonb_build_array(c.relam, c.reloptions, {index}.indisunique, {index}.indnkeyatts, \
         {index}.indoption::pg_catalog.text, {index}.indclass::pg_catalog.text, {index}.indcollation::pg_catalog.text, \
         pg_catalog.to_jsonb({index})->'indnullsnotdistinct', pg_catalog.pg_get_expr({index}.indexprs, {index}.indrelid), \
         pg_catalog.pg_get_expr({index}.indpred, {index}.indrelid), ARRAY(SELECT a.attname::pg_catalog.text \
         FROM pg_catalog.unnest({index}.indkey) WITH ORDINALITY k(at, n) LEFT JOIN pg_catalog.pg_attribute a \
         ON a.attrelid = {index}.indrelid AND a.attnum = k.at ORDER BY k.n)) \
         FROM pg_catalog.pg_class c WHERE c.oid = {index}.indexrelid)"
    )
}
