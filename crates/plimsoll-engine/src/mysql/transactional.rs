//! Which tables are not part of transactions: what is written to them cannot be rolled back, nor recorded exactly.

use std::collections::BTreeSet;

use super::MysqlSession;
use super::settings::neutrally;
use crate::error::Result;

/// The names behind which there is a table that does not take part in transactions.
#[derive(Clone, Debug, Default)]
pub(super) struct Untransactional {
    /// Tables themselves.
    tables: BTreeSet<String>,
    /// Those, and what leads to them.
    names: BTreeSet<String>,
}

impl Untransactional {
    /// Looks for such tables on the whole server, since a statement may name any of its databases, and for what leads to
    /// them: triggers (by their table's name), routines and views.
    pub(super) async fn look(session: &mut MysqlSession) -> Result<Self> {
        const TABLES: &str = "SELECT LOWER(t.TABLE_NAME) FROM information_schema.TABLES t \
             LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE t.TABLE_TYPE = 'BASE TABLE' \
             AND t.TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') \
             AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'";
        const LEADING: &str = "SELECT LOWER(EVENT_OBJECT_TABLE), LOWER(ACTION_STATEMENT) FROM information_schema.TRIGGERS \
             WHERE TRIGGER_SCHEMA <> 'sys' \
             UNION ALL SELECT LOWER(ROUTINE_NAME), LOWER(ROUTINE_DEFINITION) FROM information_schema.ROUTINES \
             WHERE ROUTINE_SCHEMA <> 'sys' \
             UNION ALL SELECT LOWER(TABLE_NAME), LOWER(VIEW_DEFINITION) FROM information_schema.VIEWS \
             WHERE TABLE_SCHEMA <> 'sys'";
        let (tables, leading) = neutrally(session, async |session| {
            let tables = session.rows(TABLES).await?;
            let leading = if tables.is_empty() { Vec::new() } else { session.rows(LEADING).await? };
            Ok((tables, leading))
        })
        .await?;
        let tables: BTreeSet<_> = tables.into_iter().flatten().flatten().collect();
        if tables.is_empty() {
            return Ok(Self::default());
        }
        let leading = leading.into_iter().filter_map(|row| {
            let mut row = row.into_iter();
            // A body that this user may not see could hold anything.
            Some((row.next()??, row.next()?))
        });
        Ok(Self { names: closure(tables.clone(), &leading.collect::<Vec<_>>()), tables })
    }

    /// Whether a table of this name is one.
    pub(super) fn has_table(&self, name: &str) -> bool {
        self.tables.contains(&name.to_lowercase())
    }

    /// Whether there is any.
    pub(super) fn has_tables(&self) -> bool {
        !self.tables.is_empty()
    }

    /// The first of these names that is one, or leads to one.
    pub(super) fn among<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        names.into_iter().find(|name| self.names.contains(&name.to_lowercase()))
    }
}

/// Adds every name whose body mentions one of them, until none is left.
fn closure(mut names: BTreeSet<String>, leading: &[(String, Option<String>)]) -> BTreeSet<String> {
    loop {
        let mentions = |body: &str| words(body).any(|word| names.contains(word));
        let found: Vec<_> = leading
            .iter()
            .filter(|(name, body)| !names.contains(name) && body.as_deref().is_none_or(mentions))
            .map(|(name, _)| name.clone())
            .collect();
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
    use super::*;

    #[test]
    fn what_leads_to_a_table_counts_as_the_table() {
        let names = BTreeSet::from(["audit".to_owned()]);
        let body = |name: &str, body: Option<&str>| (name.to_owned(), body.map(str::to_owned));
        let leading = [
            body("users", Some("insert into `audit` values (new.id)")),
            body("active_users", Some("select `users`.`id` from `users`")),
            body("auditor", Some("select 1 from audits")),
            body("hidden", None),
        ];
        let found = Untransactional { names: closure(names, &leading), tables: BTreeSet::new() };
        for (name, expected) in
            [("Audit", true), ("users", true), ("active_users", true), ("auditor", false), ("hidden", true)]
        {
            assert_eq!(found.among([name]).is_some(), expected, "{name}");
        }
    }
}
