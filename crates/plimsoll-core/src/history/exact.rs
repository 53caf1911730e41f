//! What a history is that holds a project's migrations and nothing else, in so few bytes that a server can be asked for it.

use sha2::{Digest, Sha256};

use crate::checksum::hexadecimal;
use crate::migration::{Migration, Migrations};

/// The history in which each migration of a project has been applied once, with the script as it is now, and nothing else counts.
///
/// Whoever holds these rows and no others, but for attempts that were rolled back, has nothing to do, and nothing to be told
/// of: [`plan`](crate::plan::plan()) says the same of the rows themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// How many rows it has.
    pub rows: usize,
    /// SHA-256 in hexadecimal of all `NAME/CHECKSUM`, with a `/` between them, by the bytes of the names in UTF-8.
    ///
    /// Other rows cannot make the same text, if there are as many: no name of a directory holds a `/`, so that each row would have
    /// to bring more of them than there are.
    pub digest: String,
}

impl Exact {
    /// That history; nothing if there is none, because a script cannot be read.
    pub fn of(migrations: &Migrations) -> Option<Self> {
        let mut list: Vec<&Migration> = migrations.list().iter().collect();
        list.sort_unstable_by_key(|migration| migration.name());
        let mut digest = Sha256::new();
        for (number, migration) in list.iter().enumerate() {
            let checksum = migration.script().ok()?.checksum().digits();
            if migration.name().contains('/') {
                return None;
            }
            if number > 0 {
                digest.update("/");
            }
            digest.update(migration.name());
            digest.update("/");
            digest.update(checksum);
        }
        Some(Self { rows: list.len(), digest: hexadecimal(&digest.finalize()) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::{History, Instant, Row, RowState, Snapshot};
    use crate::migration::Script;
    use crate::plan::{IfAhead, plan};
    use crate::provider::Provider;

    fn project(names: &[&str]) -> Migrations {
        let script = |name: &str| Script::new(format!("-- {name}"));
        Migrations::new(names.iter().map(|name| Migration::new(*name, *name, script(name))).collect(), None)
    }

    /// What a server is asked.
    fn is_exact(rows: &[Row], exact: &Exact) -> bool {
        let mut rows: Vec<&Row> = rows.iter().filter(|row| row.rolled_back_at.is_none()).collect();
        rows.sort_by(|a, b| a.migration_name.cmp(&b.migration_name));
        let texts = rows.iter().map(|row| format!("{}/{}", row.migration_name, row.checksum));
        let text = texts.collect::<Vec<_>>().join("/");
        rows.len() == exact.rows
            && rows.iter().all(|row| row.finished_at.is_some())
            && hexadecimal(&Sha256::digest(text)) == exact.digest
    }

    fn row(name: &str, text: &str, state: RowState) -> Row {
        Row {
            id: String::new(),
            migration_name: name.to_owned(),
            checksum: Script::new(text).checksum().to_string(),
            started_at: Instant(0),
            finished_at: (state == RowState::Applied).then_some(Instant(1)),
            rolled_back_at: (state == RowState::RolledBack).then_some(Instant(1)),
            logs: None,
            applied_steps_count: 1,
        }
    }

    #[test]
    fn a_script_that_cannot_be_read_has_no_exact_history() {
        let migrations = Migrations::new(vec![Migration::unreadable("1", "1", "it is not there")], None);
        assert_eq!(Exact::of(&migrations), None);
        assert_eq!(Exact::of(&project(&["1/2"])), None);
    }

    #[test]
    fn rows_that_hold_the_separator_are_not_taken_for_others() {
        let exact = Exact::of(&project(&["1", "2"])).unwrap();
        let [mut one, two] = ["1", "2"].map(|name| row(name, &format!("-- {name}"), RowState::Applied));
        assert!(is_exact(&[two.clone(), one.clone()], &exact), "in whatever order they were applied");
        one.checksum = format!("{}/{}/{}", one.checksum, two.migration_name, two.checksum);
        assert!(!is_exact(&[one.clone()], &exact));
        let empty = Row { migration_name: String::new(), checksum: String::new(), ..two };
        assert!(!is_exact(&[one, empty], &exact));
    }

    proptest! {
        #[test]
        fn an_exact_history_has_the_plan_of_its_rows(
            local in prop::collection::btree_set("[a-d]", 0..4),
            others in prop::collection::vec(("[a-e]", 0..4usize, 0..4), 0..3),
            left_out in 0..20usize,
        ) {
            let names: Vec<&str> = local.iter().map(String::as_str).collect();
            let migrations = project(&names);
            let mut rows: Vec<Row> =
                names.iter().map(|name| row(name, &format!("-- {name}"), RowState::Applied)).collect();
            for (name, state, text) in &others {
                // Most that are there beside them were rolled back: else hardly a history would be exact.
                let state = [RowState::RolledBack, RowState::RolledBack, RowState::Applied, RowState::Started][*state];
                let text = if *text == 0 { "edited".to_owned() } else { format!("-- {name}") };
                rows.push(row(name, &text, state));
            }
            if left_out < rows.len() {
                rows.remove(left_out);
            }
            let exact = Exact::of(&migrations).unwrap();
            let is_exact = is_exact(&rows, &exact);
            let full = Snapshot::Managed(History::new(rows));
            for policy in IfAhead::ALL {
                let [short, full] =
                    [&Snapshot::Exact, &full].map(|seen| plan(&migrations, Provider::Postgresql, seen, policy));
                prop_assert!(!is_exact || short == full, "{full:?}");
            }
        }
    }
}
