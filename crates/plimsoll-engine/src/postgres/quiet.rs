//! Whether anybody else has written anything, told without looking.
//!
//! A runner that takes no lock may record a migration that is about to be applied, so before each the history is searched for it:
//! all of it, since it has no index of names. With a thousand rows that takes longer than anything else that is sent for one
//! migration.
//!
//! A server numbers the transactions that write, one after the other. Before many are sent the history is searched once, for all of
//! them. If no transaction was under way then, and number `n` was to be the next; and if none is under way now, and the next is `n` and as many
//! more as have been sent since; then these were all. What was not recorded then, and has not been sent since, is not recorded now.
//!
//! Why that is so: each of ours takes a number at least. So of those from `n` on that have ended all are ours, those below `n` had ended when
//! the history was searched, and what has a higher number is invisible to a search as well. That nothing is under way has to be so at
//! the search: one that was would end without taking a new number.
//!
//! A transaction that writes in several parts (savepoints, handled exceptions) takes several numbers, somebody else's takes one: behind
//! either what is left of these is searched for one by one, as ever. On a server that others write to all the time all are.

use super::history::LIMITS;
use super::{PostgresSession, quote_text};
use crate::cancel::canceller_of;
use crate::error::{CancelledBy, Kind, Result};

/// Fewer are searched for one by one: they are not worth a round trip.
const LEAST: usize = 16;

/// The number of the next transaction that writes, if none is under way, none of these migrations is recorded, and the history is an
/// ordinary table: what is written to another server's takes no number of this one.
///
/// An error is only that somebody has cancelled it, or the connection is lost. Whatever else keeps this from being told tells more to
/// whoever searches for each.
pub(super) async fn next_transaction(session: &PostgresSession, names: &[&str]) -> Result<Option<u64>> {
    if names.len() < LEAST {
        return Ok(None);
    }
    // One statement sees the transactions and the history at one moment.
    let names: Vec<_> = names.iter().map(|name| quote_text(name)).collect();
    let history = session.history_table();
    let look = format!(
        "{LIMITS}SET LOCAL lock_timeout = '50ms';SELECT pg_catalog.txid_current_snapshot() WHERE EXISTS (SELECT FROM pg_catalog.pg_class c \
         WHERE c.oid = {}::pg_catalog.regclass AND c.relkind = 'r') AND NOT EXISTS (SELECT FROM {history} \
         WHERE \"migration_name\" IN ({}) AND \"rolled_back_at\" IS NULL)",
        quote_text(&history),
        names.join(", ")
    );
    match session.rows(&look).await {
        Ok(rows) => Ok(rows.first().and_then(|row| next_of(row.get(0)?))),
        Err(error) if error.kind == Kind::Lost => Err(error),
        Err(error) if canceller_of::<PostgresSession>(&error) == CancelledBy::Somebody => Err(error),
        Err(_) => Ok(None),
    }
}

/// The same of a snapshot as the server shows it.
fn next_of(snapshot: &str) -> Option<u64> {
    let (oldest, rest) = snapshot.split_once(':')?;
    let (next, under_way) = rest.split_once(':')?;
    (oldest == next && under_way.is_empty()).then(|| next.parse().ok())?
}

/// What the server says of its transactions (`txid_current_snapshot`) if nobody but this session has written since that was the next, and
/// it `committed` so many transactions.
pub(super) fn expected_snapshot(next_transaction: u64, committed: u64) -> String {
    let next = next_transaction.saturating_add(committed);
    format!("{next}:{next}:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_tells_the_next_transaction_unless_one_is_under_way() {
        assert_eq!(next_of("731:731:"), Some(731));
        for other in ["730:731:730", "730:731:", "731:731:731", "731", "", "a:a:"] {
            assert_eq!(next_of(other), None, "{other}");
        }
    }

    #[test]
    fn each_transaction_of_our_own_moves_what_is_expected_by_one() {
        let expected = |committed| expected_snapshot(731, committed);
        assert_eq!((expected(0), expected(3)), ("731:731:".to_owned(), "734:734:".to_owned()));
    }
}
