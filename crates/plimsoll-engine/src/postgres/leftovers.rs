//! Invalid indexes that a concurrent statement leaves when it fails or its runner dies.

use plimsoll_core::script::{Effect, Reindexed, Segment};
use plimsoll_core::{Code, Diagnostic};

use super::likeness::alike;
use super::look::{Facts, INDEXES, VALID, index_built, oid_of, reindexed_tables};
use super::{PostgresSession, quote_text};
use crate::backend::{Tell, Told};
use crate::error::{Error, Kind, Result};

/// Drops what an earlier attempt at this statement left, and only that: invalid indexes of its table that it must have
/// made. While anybody builds one on that table it may be theirs, and that passes: it is tried again later. Of another
/// role's build only its existence can be seen, not its table.
///
/// `IF NOT EXISTS` would otherwise take such an index for the one that it wants. What the statement found before it was
/// sent (`before`) is left alone where a name does not tell whose an index is.
pub(super) async fn drop_leftovers(
    session: &PostgresSession,
    segment: &Segment<'_>,
    effect: &Effect,
    before: Option<&Facts>,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let Some((tables, condition)) = leftovers(effect, before) else { return Ok(()) };
    let rows = session
        .rows(&format!(
            "SELECT c.oid::pg_catalog.regclass, EXISTS \
             (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.datid = \
             (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) \
             AND (p.relid IS NULL OR p.relid IN ({tables}))), c.oid FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
             WHERE NOT i.indisvalid AND c.relkind = 'i' AND i.indrelid IN ({tables}) AND {condition}"
        ))
        .await?;
    if let Some(row) = rows.iter().find(|row| row.get(1) == Some("t")) {
        return Err(being_built(row.get(0).unwrap_or_default()));
    }
    let found: Vec<(&str, &str)> = rows.iter().filter_map(|row| Some((row.get(0)?, row.get(2)?))).collect();
    let own = own(session, segment, effect, &found).await?;
    for (name, number) in found {
        if !own.iter().any(|own| own == number) {
            tell(Told::Note(&format!("the invalid index `{name}` is left alone: it may be somebody else's")));
            continue;
        }
        session.execute(&format!("DROP INDEX CONCURRENTLY {name}")).await?;
        tell(Told::Note(&format!("dropped the invalid index `{name}` that an earlier attempt had left")));
    }
    Ok(())
}

/// The numbers of those that the statement must have made: where no name tells, those that are made of the same.
async fn own(
    session: &PostgresSession,
    segment: &Segment<'_>,
    effect: &Effect,
    found: &[(&str, &str)],
) -> Result<Vec<String>> {
    let numbers: Vec<&str> = found.iter().map(|(_, number)| *number).collect();
    match effect {
        Effect::BuildsIndex { name: None, table } if !found.is_empty() => {
            // Where nothing can be compared, the only new one is that of the statement, and it could not be used by anybody.
            let only = || match numbers.as_slice() {
                [one] => vec![(*one).to_owned()],
                _ => Vec::new(),
            };
            Ok(alike(session, segment, table, &numbers).await?.unwrap_or_else(only))
        }
        _ => Ok(numbers.into_iter().map(str::to_owned).collect()),
    }
}

/// Nobody can say whose an invalid index is while somebody builds one.
pub(super) fn being_built(index: &str) -> Error {
    let message = format!("index `{index}` is invalid, and an index is being built: it may be that one");
    Error::new(
        Kind::Again,
        Diagnostic::new(Code::MigrationBlocked, message)
            .help("`pg_stat_progress_create_index` shows who builds one"),
    )
}

/// The tables (as they stand behind `IN`) whose invalid indexes they are, and which of those.
fn leftovers(effect: &Effect, before: Option<&Facts>) -> Option<(String, String)> {
    let unknown_before = || {
        let known = before?.get(INDEXES)?;
        Some(format!("NOT {}", is_in("c.oid", known)))
    };
    match effect {
        Effect::BuildsIndex { name: Some(name), table } => Some((oid_of(table), index_built(name, table))),
        Effect::BuildsIndex { name: None, table } => Some((oid_of(table), unknown_before()?)),
        Effect::Reindexes { kind, name } => {
            // PostgreSQL builds the new index under another name. When it takes its place, the old one is renamed: it was
            // there before, and could be used.
            let built = unknown_before()?;
            let replaced = before?.get(VALID).map_or_else(
                || "false".to_owned(),
                |valid| format!("(c.relname ~ '_ccold[0-9]*$' AND {})", is_in("c.oid", valid)),
            );
            let built = format!("c.relname ~ '_cc(new|old)[0-9]*$' AND ({built} OR {replaced})");
            let of_index = match kind {
                Reindexed::Index => format!(" AND {}", of_same_name(name)),
                Reindexed::Table | Reindexed::Schema | Reindexed::Database => String::new(),
            };
            Some((reindexed_tables(*kind, name), format!("{built}{of_index}")))
        }
        _ => None,
    }
}

/// A condition that a number is one of a list with commas.
fn is_in(number: &str, list: &str) -> String {
    format!("({number} = ANY (pg_catalog.string_to_array({}, ',')::pg_catalog.oid[]))", quote_text(list))
}

/// The name of a transient index begins with that of the index, which may be cut to make room for the rest.
fn of_same_name(index: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_class o WHERE o.oid = {} AND pg_catalog.starts_with(o.relname::pg_catalog.text, \
         pg_catalog.regexp_replace(c.relname::pg_catalog.text, '_cc(new|old)[0-9]*$', '')))",
        oid_of(index)
    )
}
