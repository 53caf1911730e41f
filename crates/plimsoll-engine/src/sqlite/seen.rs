//! What a session knows of the history, and whether that is still so.

use plimsoll_core::history::{History, Instant};

use super::Worker;
use super::history::{NewRow, rows};
use crate::error::{Error, Result};

/// The history as a session last read or wrote it.
#[derive(Default)]
pub(super) struct Seen {
    history: History,
    /// The version of the file in which it was seen, as far as this connection knows.
    version: Option<i64>,
}

impl Seen {
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Another connection has taken the place of the one that saw it, and counts versions by itself.
    pub(super) fn by_another_connection(&mut self) {
        self.version = None;
    }

    /// Adds a row that this session has written, and committed.
    pub(super) fn append(&mut self, row: &NewRow<'_>) {
        // Where `rows` sorts it.
        self.history.insert(row.read());
    }

    /// A row that this session has finished. Others may have recorded something meanwhile, which another look has to tell.
    pub(super) fn finish(&mut self, id: &str, at: Instant) {
        if let Some(row) = self.history.row_mut(id) {
            (row.finished_at, row.applied_steps_count, row.logs) = (Some(at), 1, None);
        }
        self.version = None;
    }
}

/// Fails if another runner has written the history since this session read it. To be called inside a transaction.
///
/// Rows are only read and compared if somebody else has committed anything: with a thousand migrations to apply, reading them
/// for each takes longer than applying.
pub(super) fn check_unchanged(worker: &mut Worker) -> Result<()> {
    let version = version(worker)?;
    if worker.seen.version != Some(version) {
        if rows(worker)? != worker.seen.history {
            return Err(Error::overtaken());
        }
        worker.seen.version = Some(version);
    }
    Ok(())
}

/// Remembers the history as it is now.
pub(super) fn remember(worker: &mut Worker) -> Result<()> {
    // Before the rows: what is committed between the two has another version.
    let version = version(worker)?;
    worker.seen = Seen { history: rows(worker)?, version: Some(version) };
    Ok(())
}

/// A number that is another one if another connection has committed, and stays if this one has
/// (<https://sqlite.org/pragma.html#pragma_data_version>).
fn version(worker: &Worker) -> Result<i64> {
    let version = worker.connection.query_row("PRAGMA main.data_version", [], |row| row.get(0));
    version.map_err(|found| worker.error(&found))
}

#[cfg(test)]
mod tests {
    use plimsoll_core::url::DatabaseUrl;
    use plimsoll_core::{Migration, Provider, Script, Secret};
    use rusqlite::Connection;

    use super::super::history::{finish, insert, now};
    use super::super::{Sqlite, SqliteSession};
    use super::*;
    use crate::backend::{Backend as _, Session as _};
    use crate::error::Kind;

    /// A session that has read an empty history, and another connection to the same file.
    async fn session(directory: &std::path::Path) -> (SqliteSession, Connection) {
        let path = directory.join("a.db");
        let url = Secret::new(format!("file:{}", path.display()));
        let Ok(DatabaseUrl::Sqlite(url)) = DatabaseUrl::parse(Provider::Sqlite, &url, directory) else {
            panic!("it is a URL")
        };
        let database = Sqlite::new(url, "us", Vec::new());
        database.create_database().await.unwrap();
        let mut session = database.connect(None).await.unwrap();
        session.create_history().await.unwrap();
        session.read().await.unwrap();
        let other = Connection::open(path).unwrap();
        other.execute_batch("CREATE TABLE ship (name TEXT)").unwrap();
        (session, other)
    }

    async fn is_overtaken(session: &mut SqliteSession) -> bool {
        let looked = session.call(|worker| worker.transaction(check_unchanged)).await;
        looked.map_err(|error| assert_eq!(error.kind, Kind::Overtaken)).is_err()
    }

    #[tokio::test]
    async fn what_others_record_is_noticed_and_what_they_write_elsewhere_is_no_matter() {
        let directory = tempfile::tempdir().unwrap();
        let (mut session, other) = session(directory.path()).await;
        assert!(!is_overtaken(&mut session).await, "they have written elsewhere since");
        other.execute_batch("INSERT INTO ship VALUES ('Beagle')").unwrap();
        assert!(!is_overtaken(&mut session).await);
        let record =
            "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', 'x', 'theirs')";
        other.execute_batch(record).unwrap();
        assert!(is_overtaken(&mut session).await);
        assert!(is_overtaken(&mut session).await, "as often as it is asked");
        session.read().await.unwrap();
        assert!(!is_overtaken(&mut session).await, "it has been read since");
    }

    /// Rows are not read again behind a migration: what is remembered has to be what another look would bring.
    #[tokio::test]
    async fn what_this_session_records_is_what_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let (mut session, other) = session(directory.path()).await;
        let theirs = "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ('later', 'x', 'theirs', 99999999999999)";
        other.execute_batch(theirs).unwrap();
        session.read().await.unwrap();
        session
            .call(|worker| {
                for (id, finished_at) in [("1", Some(now())), ("2", None)] {
                    let script = Script::new("SELECT 1".to_owned());
                    let migration = Migration::new("ours", "ours/migration.sql", script);
                    let row = NewRow {
                        id,
                        migration: &migration,
                        started_at: now(),
                        finished_at,
                        rolled_back_at: finished_at,
                        logs: Some("a text".to_owned()),
                        steps: 1,
                    };
                    insert(worker, &row)?;
                    worker.seen.append(&row);
                }
                Ok(())
            })
            .await
            .unwrap();
        other.execute_batch("INSERT INTO ship VALUES ('Beagle')").unwrap();
        assert!(!is_overtaken(&mut session).await, "what was appended is compared with what is there");
    }

    /// A script that is no transaction of ours leaves room for others between its row's beginning and its end.
    #[tokio::test]
    async fn what_others_record_beside_a_started_row_is_noticed_once_it_is_finished() {
        for meanwhile in [
            "INSERT INTO ship VALUES ('Beagle')",
            "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('2', 'x', 'theirs')",
        ] {
            let directory = tempfile::tempdir().unwrap();
            let (mut session, other) = session(directory.path()).await;
            let begun = |worker: &mut Worker| {
                let migration = Migration::new("ours", "ours/migration.sql", Script::new("VACUUM"));
                let row = NewRow {
                    id: "1",
                    migration: &migration,
                    started_at: now(),
                    finished_at: None,
                    rolled_back_at: None,
                    logs: Some("a text".to_owned()),
                    steps: 0,
                };
                insert(worker, &row)?;
                remember(worker)
            };
            session.call(begun).await.unwrap();
            other.execute_batch(meanwhile).unwrap();
            session.call(|worker| finish(worker, "1")).await.unwrap();
            assert_eq!(is_overtaken(&mut session).await, meanwhile.contains("theirs"), "{meanwhile}");
        }
    }

    /// Another connection counts versions from the beginning.
    #[tokio::test]
    async fn what_others_record_is_noticed_by_a_connection_that_is_new() {
        let directory = tempfile::tempdir().unwrap();
        let (mut session, other) = session(directory.path()).await;
        let record =
            "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', 'x', 'theirs')";
        other.execute_batch(record).unwrap();
        session.call(super::super::apply::forget_settings).await.unwrap();
        assert!(is_overtaken(&mut session).await);
    }
}
