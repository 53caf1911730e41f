//! Which tables are not part of transactions: what is written to them cannot be rolled back, nor recorded exactly.

use std::collections::BTreeSet;

use plimsoll_core::script::mysql::Object;

use super::MysqlSession;
use super::apply::HISTORY;
use super::send::Row;
use super::settings::neutrally;
use crate::error::Result;

/// A database and something in it, both in lower case.
type Name = (String, String);

/// The names behind which there is a table that does not take part in transactions, each with its database.
#[derive(Clone, Debug, Default)]
pub(super) struct Untransactional {
    /// The database of the history.
    home: String,
    /// Tables themselves.
    tables: BTreeSet<Name>,
    /// Those, and what leads to them.
    names: BTreeSet<Name>,
}

/// What leads to others: its name, and its body, if this user may see it.
type Leading = (Name, Option<String>);

impl Untransactional {
    /// Looks for such tables on the whole server, since a statement may name any of its databases, and for what leads to
    /// them: triggers (by their table's name), routines and views.
    pub(super) async fn look(session: &mut MysqlSession) -> Result<Self> {
        const TABLES: &str = "SELECT LOWER(t.TABLE_SCHEMA), LOWER(t.TABLE_NAME) FROM information_schema.TABLES t \
             LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE t.TABLE_TYPE = 'BASE TABLE' \
             AND t.TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') \
             AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'";
        const LEADING: &str = "SELECT LOWER(EVENT_OBJECT_SCHEMA), LOWER(EVENT_OBJECT_TABLE), LOWER(ACTION_STATEMENT) \
             FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA <> 'sys' \
             UNION ALL SELECT LOWER(ROUTINE_SCHEMA), LOWER(ROUTINE_NAME), LOWER(ROUTINE_DEFINITION) \
             FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA <> 'sys' \
             UNION ALL SELECT LOWER(TABLE_SCHEMA), LOWER(TABLE_NAME), LOWER(VIEW_DEFINITION) \
             FROM information_schema.VIEWS WHERE TABLE_SCHEMA <> 'sys'";
        let (tables, leading) = neutrally(session, async |session| {
            let tables = session.rows(TABLES).await?;
            let leading = if tables.is_empty() { Vec::new() } else { session.rows(LEADING).await? };
            Ok((tables, leading))
        })
        .await?;
        let tables: BTreeSet<Name> = tables.into_iter().filter_map(named).map(|(name, _)| name).collect();
        let leading: Vec<Leading> = leading.into_iter().filter_map(named).collect();
        let home = session.database.to_lowercase();
        Ok(Self { home, names: closure(tables.clone(), &leading), tables })
    }

    /// Whether this is one, in its database or else in that of the history.
    pub(super) fn has_table(&self, table: &Object) -> bool {
        let database = table.database.as_ref().map_or_else(|| self.home.clone(), |name| name.to_lowercase());
        self.tables.contains(&(database, table.name.to_lowercase()))
    }

    /// Whether there is any.
    pub(super) fn has_tables(&self) -> bool {
        !self.tables.is_empty()
    }

    /// Whether the history is one.
    pub(super) fn has_history(&self) -> bool {
        self.tables.contains(&(self.home.clone(), HISTORY.to_owned()))
    }

    /// The first that is one, or leads to one, whose name and database both are among these words.
    pub(super) fn among(&self, words: &BTreeSet<String>) -> Option<&str> {
        let found =
            self.names.iter().find(|(database, name)| words.contains(database) && words.contains(name));
        found.map(|(_, name)| name.as_str())
    }
}

/// The name in the first two columns, and the third. A body that this user may not see could hold anything.
fn named(row: Row) -> Option<Leading> {
    let mut row = row.into_iter();
    Some(((row.next()??, row.next()??), row.next().flatten()))
}

/// Adds every name whose body mentions one of them, until none is left. What a body mentions without a database is in its own.
fn closure(mut names: BTreeSet<Name>, leading: &[Leading]) -> BTreeSet<Name> {
    if names.is_empty() {
        return names;
    }
    loop {
        let leads = |(name, body): &&Leading| {
            let Some(body) = body else { return true };
            let words: BTreeSet<&str> = words(body).chain([name.0.as_str()]).collect();
            names.iter().any(|(database, name)| words.contains(&**database) && words.contains(&**name))
        };
        let new = leading.iter().filter(|(name, _)| !names.contains(name));
        let found: Vec<Name> = new.filter(leads).map(|(name, _)| name.clone()).collect();
        if found.is_empty() {
            return names;
        }
        names.extend(found);
    }
}

fn words(body: &str) -> impl Iterator<Item = &str> {
    body.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use plimsoll_core::script::mysql::ObjectKind;

    use super::*;

    fn name(database: &str, name: &str) -> Name {
        (database.to_owned(), name.to_owned())
    }

    fn found(found: &Untransactional, words: &str) -> bool {
        found.among(&words.split(' ').map(str::to_owned).collect()).is_some()
    }

    fn with(tables: &[(&str, &str)], leading: &[(&str, &str, Option<&str>)]) -> Untransactional {
        let tables: BTreeSet<_> = tables.iter().map(|(database, table)| name(database, table)).collect();
        let leading: Vec<_> = leading
            .iter()
            .map(|(database, named, body)| (name(database, named), body.map(str::to_owned)))
            .collect();
        Untransactional { home: "app".to_owned(), names: closure(tables.clone(), &leading), tables }
    }

    #[test]
    fn what_leads_to_a_table_counts_as_the_table() {
        let leading = [
            ("app", "users", Some("insert into `audit` values (new.id)")),
            ("app", "active_users", Some("select `users`.`id` from `users`")),
            ("app", "auditor", Some("select 1 from audits")),
            ("app", "hidden", None),
        ];
        let known = with(&[("app", "audit")], &leading);
        for (name, expected) in
            [("audit", true), ("users", true), ("active_users", true), ("auditor", false), ("hidden", true)]
        {
            assert_eq!(found(&known, &format!("app {name}")), expected, "{name}");
        }
    }

    #[test]
    fn a_table_of_another_database_counts_where_that_is_named() {
        let leading = [
            ("app", "copies", Some("insert into legacy.users values (new.id)")),
            ("app", "keeps", Some("insert into users values (new.id)")),
            ("legacy", "keeps", Some("insert into users values (new.id)")),
        ];
        let known = with(&[("legacy", "users"), ("legacy", HISTORY)], &leading);
        for (words, expected) in [
            ("app users", false),
            ("app legacy users", true),
            ("app copies", true),
            ("app keeps", false),
            ("legacy keeps", true),
        ] {
            assert_eq!(found(&known, words), expected, "{words}");
        }
        assert!(!known.has_history());
        let table = |database: Option<&str>| Object {
            kind: ObjectKind::Table,
            database: database.map(str::to_owned),
            name: "Users".to_owned(),
        };
        assert!(known.has_table(&table(Some("legacy"))) && !known.has_table(&table(None)));
    }
}
