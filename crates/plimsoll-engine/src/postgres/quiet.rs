//! Whether anybody else has written anything, told without looking.
//!
//! A runner that takes no lock may record a migration that is about to be applied, so before each the history is searched for it:
//! all of it, since it has no index of names. With a thousand rows that takes longer than anything else that is sent for one
//! migration.
//!
//! A server numbers the transactions that write, one after the other. If there was none under way when the history was read, and
//! number `n` was to be the next; and if there is none under way now, and the next is `n` and as many more as this session has
//! committed since; then these were all. What was read, and what this session has recorded, is what is there.
//!
//! A transaction that writes in several parts (savepoints, handled exceptions) takes several numbers, somebody else's takes one, and
//! one under way is seen: in each case it is searched as ever. On a server that others write to all the time it always is.

/// The number of the next transaction that writes, as a snapshot (`txid_current_snapshot()`) shows it; nothing if one is under way.
pub(super) fn next_transaction(snapshot: &str) -> Option<u64> {
    let (oldest, rest) = snapshot.split_once(':')?;
    let (next, under_way) = rest.split_once(':')?;
    (oldest == next && under_way.is_empty()).then(|| next.parse().ok())?
}

/// A condition that is true if nobody but this session has written since it read the history, and it `committed` so many transactions.
pub(super) fn nobody_wrote(next_transaction: u64, committed: u64) -> String {
    let next = next_transaction.saturating_add(committed);
    format!("pg_catalog.txid_current_snapshot()::pg_catalog.text = '{next}:{next}:'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_tells_the_next_transaction_unless_one_is_under_way() {
        assert_eq!(next_transaction("731:731:"), Some(731));
        for other in ["730:731:730", "730:731:", "731:731:731", "731", "", "a:a:"] {
            assert_eq!(next_transaction(other), None, "{other}");
        }
    }

    #[test]
    fn each_transaction_of_our_own_moves_what_is_expected_by_one() {
        let expected = |committed| nobody_wrote(731, committed);
        assert!(expected(0).ends_with(" = '731:731:'") && expected(3).ends_with(" = '734:734:'"));
    }
}
