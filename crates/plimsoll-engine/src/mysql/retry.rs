//! Which session a retry may go on in: what is sent again must find what it found, and a rollback takes back rows only.

use plimsoll_core::script::mysql::{Effect, Statement, Thing, Value};

use super::resume::Session;
use super::settings::neutrally;
use super::sql;
use super::steps::Steps;
use crate::error::{Error, Kind};

impl Steps<'_, '_> {
    /// What the session is to a retry, once the statements before this one may have been sent: those that are not recorded
    /// are sent again.
    pub(super) async fn left_session(&mut self, end: usize, error: &Error) -> Session {
        let (statements, done) = (&self.work.statements, self.progress.done.count.min(end));
        if error.kind != Kind::Again || !may_follow_itself(statements, done, end) {
            return Session::Another;
        }
        for table in changed_tables(&statements[done..end]) {
            if !self.takes_back_rows(table).await {
                return Session::Another;
            }
        }
        Session::TheSame
    }

    /// Whether a rollback takes back what was changed of a temporary table.
    async fn takes_back_rows(&mut self, temporary: &str) -> bool {
        let show = format!("SHOW CREATE TABLE {}", sql::name(temporary));
        let rows = neutrally(self.session, async |session| session.rows(&show).await).await;
        let text = rows.unwrap_or_default().into_iter().next().and_then(|row| row.into_iter().nth(1)?);
        text.is_some_and(|text| text.contains("ENGINE=InnoDB"))
    }
}

/// Whether these statements, sent a second time, find in their session what they have found there, but for the rows that were
/// rolled back.
fn may_follow_itself(statements: &[Statement<'_>], done: usize, end: usize) -> bool {
    let again = &statements[done..end];
    let is_locked = statements[..end].iter().any(|statement| statement.links.leaves.contains(&Thing::Locks));
    let stays = |statement: &Statement<'_>, thing: &Thing| match thing {
        Thing::Outcome | Thing::LastInsertId => false,
        Thing::TemporaryTable(_) => !changes_rows(statement),
        Thing::Locks => is_locked,
        _ => true,
    };
    let leaves = |statement: &Statement<'_>| {
        let links = &statement.links;
        links.leaves.iter().chain(&links.ends).any(|thing| stays(statement, thing))
            || is_another_twice(statement)
    };
    let asks = [Thing::Outcome, Thing::LastInsertId].iter().any(|thing| is_needed_from_before(again, thing));
    !asks && !again.iter().any(leaves)
}

/// Whether a setting that is made twice may be another one than made once.
fn is_another_twice(statement: &Statement<'_>) -> bool {
    let is_plain = statement.links.value == Value::Same && !statement.text.contains('@');
    statement.effect == Effect::Setting && !is_plain
}

/// Whether they ask about a statement before them: the first try was one since.
fn is_needed_from_before(again: &[Statement<'_>], thing: &Thing) -> bool {
    let first = again
        .iter()
        .find(|statement| statement.links.needs.contains(thing) || statement.links.leaves.contains(thing));
    first.is_some_and(|statement| statement.links.needs.contains(thing))
}

fn changes_rows(statement: &Statement<'_>) -> bool {
    matches!(statement.effect, Effect::Data(_))
}

/// The temporary tables whose rows they may have changed.
fn changed_tables<'s>(again: &'s [Statement<'_>]) -> impl Iterator<Item = &'s str> {
    let left = again.iter().filter(|statement| changes_rows(statement)).flat_map(|one| &one.links.leaves);
    left.filter_map(|thing| match thing {
        Thing::TemporaryTable(name) => Some(name.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_core::script::mysql::{Server, split};

    use super::*;

    fn goes_on(text: &str, done: usize) -> bool {
        let statements = split(text, &Server::parse("8.0.36", "")).unwrap();
        may_follow_itself(&statements, done, statements.len())
    }

    #[test]
    fn rows_that_only_read_the_session_are_sent_again_in_it() {
        for (text, done) in [
            ("CREATE TEMPORARY TABLE tmp (n INT); ALTER TABLE o ADD y INT; UPDATE t JOIN tmp SET x = 1", 2),
            ("SET @n = (SELECT COUNT(*) FROM c); ALTER TABLE o ADD y INT; UPDATE t SET x = @n", 2),
            (
                "SET @n = (SELECT 1 FROM c); ALTER TABLE o ADD y INT; BEGIN; INSERT INTO t VALUES (@n); COMMIT",
                2,
            ),
            ("ALTER TABLE o ADD y INT; SET foreign_key_checks = 0; INSERT INTO t VALUES (1)", 1),
            ("ALTER TABLE o ADD y INT; INSERT INTO t VALUES (1); INSERT INTO u VALUES (LAST_INSERT_ID())", 1),
        ] {
            assert!(goes_on(text, done), "{text}");
        }
    }

    #[test]
    fn what_would_find_its_own_traces_is_sent_again_in_a_clean_session() {
        for (text, done) in [
            ("SET @n = 0; ALTER TABLE o ADD y INT; UPDATE t SET x = (@n := @n + 1)", 2),
            ("ALTER TABLE o ADD y INT; SET @n = 1; UPDATE t SET x = @n", 1),
            (
                "ALTER TABLE o ADD y INT; CREATE TEMPORARY TABLE tmp AS SELECT 1 AS n; UPDATE t JOIN tmp SET x = n",
                1,
            ),
            ("ALTER TABLE o ADD y INT; SET sort_buffer_size = @@sort_buffer_size * 2; UPDATE t SET x = 1", 1),
            ("INSERT INTO t VALUES (1); ALTER TABLE o ADD y INT; INSERT INTO u VALUES (LAST_INSERT_ID())", 2),
            ("LOCK TABLES t WRITE; ALTER TABLE t ADD y INT; UPDATE t SET x = 1; UNLOCK TABLES", 2),
            ("ALTER TABLE o ADD y INT; PREPARE p FROM 'DO 1'; UPDATE t SET x = 1", 1),
        ] {
            assert!(!goes_on(text, done), "{text}");
        }
    }
}
